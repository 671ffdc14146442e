"""What a cell is, and the small pieces that every cell shares."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

PyTree = Any


@runtime_checkable
class Cell(Protocol):
    """Anything with these three pure functions unrolls, wraps and tests like the cells of this package.

    A cell is static: hashable by value and free of arrays (a frozen dataclass is the usual form), so that two equal
    cells share one compilation. Parameters and states are pytrees of arrays, NamedTuples for choice.
    """

    def init(self, key: Array, in_features: int) -> PyTree:
        """Draw parameters for inputs of ``in_features`` values."""
        ...

    def initial_state(self, params: PyTree, batch_shape: Sequence[int] = ()) -> PyTree:
        """Return the state before the first step; every leaf starts with ``batch_shape``."""
        ...

    def step(self, params: PyTree, state: PyTree, x: Array) -> tuple[PyTree, Array]:
        """Advance one time step: state, x (..., D) -> state, y (..., H)."""
        ...


ACTIVATIONS = {
    "tanh": jnp.tanh,
    "relu": lambda a: jnp.maximum(a, 0),
    "sigmoid": jax.nn.sigmoid,
    "linear": lambda a: a,
}

FLOATS = ("bfloat16", "float16", "float32", "float64")


def affine(x: Array, w: Array, b: Array | None = None, dtype: DTypeLike | None = None) -> Array:
    """Compute x W + b for x (..., D), w (D, K), b (K,); one feature is a product, not a matrix product.

    With a ``dtype`` the product's operands are rounded to it, and its sums are kept in the type of x and w.
    """
    check_features(x, w)
    if w.shape[0] == 1:
        a = x * rows(w[0], x.ndim)
    elif dtype is None:
        a = x @ w
    else:
        a = jnp.matmul(x.astype(dtype), w.astype(dtype), preferred_element_type=jnp.result_type(x, w))
    return a if b is None else a + rows(b, a.ndim)


def check_features(x: Array, w: Array) -> None:
    """Refuse x (..., D) where w is not (D, K)."""
    if x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"x has {x.shape[-1]} features (shape {x.shape}), but the parameters were made for {w.shape[0]}: "
            f"init the cell with in_features={x.shape[-1]}, or pass x of shape (..., {w.shape[0]})"
        )


def check_dtype(owner: str, name: str, value: str | None) -> None:
    """Refuse what is neither None nor the name of a floating-point type."""
    if value is not None and value not in FLOATS:
        raise ValueError(f"{owner}: {name} must be None or one of {', '.join(FLOATS)}, got {value!r}")


def check_size(owner: str, name: str, value: int) -> None:
    """Refuse a size that is not a positive int."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{owner}: {name} must be an int >= 1, got {value!r}")


def rows(vector: Array, ndim: int) -> Array:
    """Return a vector (K,) as (1, ..., 1, K) of ``ndim`` axes: arrays of different ranks are never mixed silently."""
    return vector.reshape((1,) * (ndim - 1) + vector.shape)
