"""The names under which `jax.export` writes the types of this package into a file."""

import contextlib
from collections.abc import Mapping
from typing import Any


def register_named_tuples(room: str, names: Mapping[str, Any]) -> None:
    """Make functions that take or give the named tuples of a room serializable: "seqvision.cells.LSTMParams"."""
    from jax import export

    for name, kind in names.items():
        if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
            with contextlib.suppress(ValueError):  # of a module that is loaded again
                export.register_namedtuple_serialization(kind, serialized_name=f"seqvision.{room}.{name}")
