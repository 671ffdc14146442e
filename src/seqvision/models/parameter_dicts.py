"""Parameters as flax keeps them, plain dicts, and as the cells take them, NamedTuples."""

from typing import Any


def to_dict(params: Any) -> Any:
    """Turn NamedTuples, one in another too, into dicts of their fields; a field that is None is left out.

    >>> from seqvision.seq2seq import LuongParams
    >>> to_dict(LuongParams(w=1.0))
    {'w': 1.0}
    """
    if not hasattr(params, "_asdict"):
        return params
    return {name: to_dict(value) for name, value in params._asdict().items() if value is not None}


def from_dict(like: Any, fields: Any) -> Any:
    """Turn dicts back into the NamedTuples of ``like``, a tree of the same structure.

    >>> from seqvision.seq2seq import LuongParams
    >>> from_dict(LuongParams(), {"w": 1.0})
    LuongParams(w=1.0, v=None)
    """
    if not hasattr(like, "_fields"):
        return fields
    fields = fields or {}
    return type(like)(*(from_dict(part, fields.get(name)) for name, part in zip(like._fields, like, strict=True)))
