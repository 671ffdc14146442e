"""What a cell is."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

PyTree = Any

COMPUTE_DTYPES = (None, "bfloat16", "float16", "float32", "float64")  # what operands of products may be rounded to


@runtime_checkable
class Cell(Protocol):
    """Anything with these three pure functions unrolls, wraps and tests like the cells of this package.

    A cell is static: hashable by value and free of arrays (a frozen dataclass is the usual form), so that two equal
    cells share one compilation. Parameters and states are pytrees of arrays, NamedTuples for choice.
    """

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> PyTree:
        """Draw parameters for inputs of ``in_features`` values; a cell of your own may leave ``dtype`` out."""
        ...

    def initial_state(self, params: PyTree, batch_shape: Sequence[int] = ()) -> PyTree:
        """Return the state before the first step; every leaf starts with ``batch_shape``."""
        ...

    def step(self, params: PyTree, state: PyTree, x: Array) -> tuple[PyTree, Array]:
        """Advance one time step: state, x (..., D) -> state, y (..., H)."""
        ...


def init_params(cell: Cell, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> PyTree:
    """Draw a cell's parameters; its ``init`` is given a dtype only where it is not the usual one, float32."""
    if jnp.dtype(dtype) == jnp.float32:
        return cell.init(key, in_features)
    return cell.init(key, in_features, dtype)
