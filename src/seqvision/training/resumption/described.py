"""What a training is configured with, in words that are the same in every process: functions by what they enclose."""

import dataclasses
import functools
import inspect
import re
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqvision.data import Stream

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEEP = 25


def described(value: Any, within: tuple[int, ...] = ()) -> str:
    """Return a text that tells two values apart which train differently, without addresses of this process.

    A function is told by its name and what it encloses, so that two optimizers with other rates differ; a lambda by its
    code too. Arrays are told by a checksum.

    >>> import optax
    >>> [described(optax.scale(0.5)) == described(optax.scale(rate)) for rate in (0.5, 0.6)]
    [True, False]
    """
    if id(value) in within or len(within) > _DEEP:
        return "…"
    inner = (*within, id(value))
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))  # a setting that was written and read again
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | type):
        return getattr(value, "__qualname__", repr(value)) if isinstance(value, type) else repr(value)
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return _array(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{described(k, inner)}: {described(v, inner)}' for k, v in value.items())}}}"
    if isinstance(value, tuple | list):
        names = getattr(value, "_fields", ("",) * len(value))
        parts = [f"{name}={described(part, inner)}".lstrip("=") for name, part in zip(names, value, strict=True)]
        return f"{type(value).__name__ if any(names) else ''}({', '.join(parts)})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(described(part, inner) for part in value))}}}"
    if dataclasses.is_dataclass(value):
        shown = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value) if f.init}
        left_out = {"parent"} | ({"name"} if shown.get("name") is None else set())
        return _call(type(value).__qualname__, {k: v for k, v in shown.items() if k not in left_out}, inner)
    if isinstance(value, functools.partial):
        return _call("partial", {"func": value.func, "args": value.args, **value.keywords}, inner)
    if inspect.ismethod(value):
        return _call(value.__func__.__qualname__, {"self": value.__self__}, inner)
    if inspect.isfunction(value):
        return _function(value, inner)
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{getattr(value, '__module__', '')}.{value.__qualname__}"
    own = getattr(value, "__dict__", None)
    return _call(type(value).__qualname__, own, inner) if own else _ADDRESS.sub("", repr(value))


def described_data(data: Any) -> str:
    """Return sizes, types and a checksum of data on the device; a `Stream` is not read for it."""
    if data is None:
        return "None"
    if isinstance(data, Stream):
        rows = f"{len(data)} rows" if data.by_row else f"batches {data.batches}"
        return f"Stream({rows}, {_shapes(data.shapes(1))}, which {described(data.rows)})"
    structure = _ADDRESS.sub("", str(jax.tree.structure(data)))
    parts = ", ".join(described(leaf) for leaf in jax.tree.leaves(data))
    return f"{type(data).__name__}({parts}, in {zlib.crc32(structure.encode()):08x})"


def differences(saved: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a text for each part of two configurations that differs, cut to where it does.

    >>> differences({"batch_size": "4", "key": "1"}, {"batch_size": "8", "key": "1"})
    ['batch_size was 4 and is 8']
    """
    return [
        f"{name} was {old} and is {new}"
        for name in dict.fromkeys((*saved, *now))
        if saved.get(name) != now.get(name)
        for old, new in [_where_they_differ(saved.get(name, "nothing"), now.get(name, "nothing"))]
    ]


def _call(name: str, arguments: Mapping[str, Any], within: tuple[int, ...]) -> str:
    return f"{name}({', '.join(f'{key}={described(part, within)}' for key, part in arguments.items())})"


def _function(function: Any, within: tuple[int, ...]) -> str:
    name = f"{function.__module__}.{function.__qualname__}".replace(".<locals>", "")
    enclosed = {}
    for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            enclosed[variable] = cell.cell_contents
        except ValueError:  # a name that is never set
            enclosed[variable] = None
    if function.__defaults__ or function.__kwdefaults__:
        enclosed["defaults"] = (function.__defaults__, function.__kwdefaults__)
    if not function.__module__.startswith(("jax", "flax", "optax", "seqvision")):
        enclosed["code"] = np.frombuffer(_code(function.__code__), np.uint8)
    return _call(name, enclosed, within) if enclosed else name


def _code(code: Any) -> bytes:
    parts = [code.co_code, repr(code.co_names).encode()]
    for constant in code.co_consts:
        parts.append(_code(constant) if inspect.iscode(constant) else repr(constant).encode())
    return b"\0".join(parts)


def _array(array: Any) -> str:
    if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        return f"{array.dtype}{np.asarray(jax.random.key_data(array)).tolist()}"
    here = np.ascontiguousarray(array)
    if here.size <= 1:
        return f"{here.dtype}{here.tolist()}"
    return f"{here.dtype}{here.shape} with checksum {zlib.crc32(here.reshape(-1).view(np.uint8).data):08x}"


def _shapes(tree: Any) -> str:
    return ", ".join(f"{leaf.dtype}{leaf.shape[1:]}" for leaf in jax.tree.leaves(tree))


def _where_they_differ(old: str, new: str, around: int = 30, most: int = 80) -> tuple[str, str]:
    if len(old) <= most and len(new) <= most:
        return old, new
    first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, first - around)
    cut = [f"{'…' if start else ''}{text[start : start + most]}{'…' if len(text) > start + most else ''}"
           for text in (old, new)]  # fmt: skip
    return cut[0], cut[1]
