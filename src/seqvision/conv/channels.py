"""Sums over all pixels of each channel, and values spread over them, with gradients fast on CPU.

XLA:CPU computes a sum over rows together with what makes its terms, one column after another: strided, and again for
each column that needs it. A product with a row of ones reads finished terms once, in order.
"""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import ad

from seqvision._primitives import make_primitive
from seqvision._sharding import runs_on_auto_axes


@runs_on_auto_axes()
def channel_sums(x: Array) -> Array:
    """Sum of every channel over all other axes: (..., C) to (C,).

    >>> channel_sums(jnp.arange(6.0).reshape(3, 1, 2))
    Array([6., 9.], dtype=float32)
    """
    return _sums.bind(x.reshape(math.prod(x.shape[:-1]), x.shape[-1]))


def per_channel(values: Array, shape: tuple[int, ...]) -> Array:
    """Broadcast one value a channel (C,) to (..., C); the gradient is `channel_sums`.

    >>> per_channel(jnp.array([1.0, 2.0]), (2, 1, 2)).tolist()
    [[[1.0, 2.0]], [[1.0, 2.0]]]
    """
    if not all(isinstance(size, int) for size in shape):  # of any batch: no product of sizes that are not known
        return lax.broadcast_in_dim(values, shape, (len(shape) - 1,))
    return _rows.bind(values, rows=math.prod(shape[:-1])).reshape(shape)


def _sum(x: Array) -> Array:
    """(..., M, C) to (..., C)."""
    return x.sum(-2)


def _sum_by_product(x: Array) -> Array:
    """The same on CPU.

    With one row of ones the product would be by a vector, which XLA fuses into a loop over columns again if it is
    short: so there is a row of zeros too.
    """
    ones = lax.broadcast_in_dim(jnp.array([1, 0], x.dtype), (2, x.shape[-2]), (0,))
    return (ones @ x).sum(-2)


def _spread(values: Array, *, rows: int) -> Array:
    """(..., C) to (..., M, C)."""
    shape = (*values.shape[:-1], rows, values.shape[-1])
    return lax.broadcast_in_dim(values, shape, (*range(values.ndim - 1), values.ndim))


def _linear_primitive(
    name: str, function: Callable[..., Array], transpose: Callable[..., list[Array]], **how: Any
) -> Primitive:
    """A linear operation on arrays (..., *own axes) with a transpose of its own."""

    def batched(values, axes, **options):
        return primitive.bind(jnp.moveaxis(values[0], axes[0], 0), **options), 0

    primitive = make_primitive(name, function, batch=batched, **how)
    ad.deflinear2(primitive, transpose)
    return primitive


def _spread_like(g: Array, x: Any) -> list[Array]:
    return [_rows.bind(g, rows=x.aval.shape[-2])]


def _sum_rows(g: Array, _: Any, rows: int) -> list[Array]:
    return [_sums.bind(g)]


_sums: Primitive = _linear_primitive("channel_sums", _sum, _spread_like, on_cpu=_sum_by_product)
_rows: Primitive = _linear_primitive("per_channel", _spread, _sum_rows, options=("rows",))
