"""What one step sees, and how a data set becomes an argument of a compiled program."""

from dataclasses import fields
from typing import Any, NamedTuple

import jax


class Batch(NamedTuple):
    """What one step sees: inputs and targets with a common leading axis."""

    x: Any  # (B, ...)
    y: Any  # (B, ...)


class WeightedBatch(NamedTuple):
    """A batch whose examples count differently: loss and metrics of a step are sum(w * value) / sum(w)."""

    x: Any  # (B, ...)
    y: Any  # (B, ...)
    weights: Any  # (B,) floats >= 0; what has the weight 0 counts nothing, not even NaN


def register(cls: Any, arrays: tuple[str, ...]) -> None:
    """Register a dataclass as a pytree: fields named in `arrays` are traced, the others are static.

    `jax.tree_util.register_dataclass` would run the constructor, and with it the checks of values, each time jax puts
    tracers or placeholders in; here only a user's own construction is checked.
    """
    static = tuple(f.name for f in fields(cls) if f.name not in arrays)

    def flatten(data):
        leaves = tuple((jax.tree_util.GetAttrKey(name), getattr(data, name)) for name in arrays)
        return leaves, tuple(getattr(data, name) for name in static)

    def unflatten(sizes, leaves):
        data = object.__new__(cls)
        for name, value in (*zip(arrays, leaves, strict=True), *zip(static, sizes, strict=True)):
            object.__setattr__(data, name, value)
        return data

    jax.tree_util.register_pytree_with_keys(cls, flatten, unflatten)
