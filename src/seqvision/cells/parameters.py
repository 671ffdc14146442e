"""Whether parameters are those of a cell: their types and shapes are what its ``init`` gives."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from seqvision._checks import shown

from .base import Cell, PyTree


def check_params(cell: Any, params: PyTree) -> None:
    """Refuse parameters of another cell: those of some would compute, and silently something else.

    How many features the inputs have is left open.
    """
    structure, shapes = _expected(cell)
    leaves, got = jax.tree.flatten(params)
    if got == structure and all(_fits(np.shape(leaf), shape) for leaf, shape in zip(leaves, shapes, strict=True)):
        return
    like = jax.tree.unflatten(structure, [_Shape(shape) for shape in shapes])
    remedy = "init them with the same cell"
    if isinstance(params, Mapping) and hasattr(like, "_fields"):
        remedy = f"give {type(like).__name__}(**params)"
    raise ValueError(f"{cell!r} needs {_described(like)}, got {_described(params)}: {remedy}")


def with_names(cell: Any, params: PyTree) -> PyTree:
    """Return parameters that are given as a dict of their fields, ``params._asdict()``, as the cell takes them."""
    if not (isinstance(params, Mapping) and type(cell).init.__module__.startswith("seqvision.")):
        return params  # a cell of a user's own may take a dict as it is
    structure, shapes = _expected(cell)
    return _named(cell, jax.tree.unflatten(structure, [_Shape(shape) for shape in shapes]), params)


class _Shape(tuple):
    """A shape that is a leaf of a tree; None stands for any size."""

    def __repr__(self) -> str:
        sizes = ["D" if size is None else str(size) for size in self]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


@lru_cache(maxsize=256)
def _expected(cell: Cell) -> tuple[Any, tuple[_Shape, ...]]:
    """Return structure and shapes of a cell's parameters; None where a size is the number of features."""
    one, two = (jax.eval_shape(lambda features=features: cell.init(jax.random.key(0), features)) for features in (1, 2))
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True)
    shapes = tuple(_Shape(n if n == m else None for n, m in zip(a.shape, b.shape, strict=True)) for a, b in pairs)
    return jax.tree.structure(one), shapes


def _fits(shape: tuple[int, ...], expected: _Shape) -> bool:
    return len(shape) == len(expected) and all(m in (None, n) for n, m in zip(shape, expected, strict=True))


def _named(cell: Any, like: Any, fields: Any) -> Any:
    if not (hasattr(like, "_fields") and isinstance(fields, Mapping)):
        return fields
    wanted = {name for name, part in zip(like._fields, like, strict=True) if part is not None}
    if not wanted <= set(fields) <= set(like._fields):
        raise ValueError(
            f"{cell!r} needs params with the fields {', '.join(sorted(wanted))}, got {', '.join(map(str, fields))}: "
            "init them with the same cell"
        )
    parts = (_named(cell, part, fields.get(name)) for name, part in zip(like._fields, like, strict=True))
    return type(like)(*parts)


def _described(params: Any) -> str:
    """Return the type of parameters and the shapes of their fields."""
    if isinstance(params, _Shape) or params is None:
        return repr(params)
    if hasattr(params, "_fields") or isinstance(params, Mapping):
        fields = params if isinstance(params, Mapping) else params._asdict()
        parts = ", ".join(f"{name} {_described(part)}" for name, part in fields.items() if part is not None)
        return f"{type(params).__name__}({parts})"
    shape = getattr(params, "shape", None)
    return shown(params) if shape is None else repr(_Shape(shape))
