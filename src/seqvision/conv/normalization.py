"""Sums over all pixels of each channel, and batch normalization made of them, with gradients fast on CPU.

XLA:CPU computes a sum over rows together with what makes its terms, one column after another: strided, and again for
each column that needs it. A product with a row of ones reads finished terms once, in order.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.typing import ArrayLike

from seqvision.conv._arguments import require_floating


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
    return _rows.bind(values, rows=math.prod(shape[:-1])).reshape(shape)


def batch_norm(
    x: ArrayLike,
    scale: ArrayLike,
    bias: ArrayLike,
    *,
    mean: ArrayLike | None = None,
    var: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Normalize every channel over all other axes, (x - mean) / sqrt(var + epsilon) * scale + bias.

    Ioffe and Szegedy 2015, "Batch Normalization" (https://arxiv.org/abs/1502.03167). Sums are at least float32; the
    variance is the mean square minus the squared mean, never below zero, as flax computes it.

    Args:
      x: (..., C) floating-point.
      scale, bias: (C,).
      mean, var: (C,), statistics to use; None, both of them: those of x.
      epsilon: added to the variance.
    Returns:
      (y, mean, var): y of x's shape and dtype, and the statistics used, (C,) each, the biased variance.
    Raises:
      ValueError: for shapes that do not fit, or one statistic without the other.
      TypeError: for x that is not floating-point.

    >>> y, mean, var = batch_norm(jnp.array([[1.0], [3.0]]), jnp.ones(1), jnp.zeros(1), epsilon=0.0)
    >>> y[:, 0].tolist(), mean.item(), var.item()
    ([-1.0, 1.0], 2.0, 1.0)
    """
    require_floating("x", x)
    x = jnp.asarray(x)
    given = {"scale": scale, "bias": bias, "mean": mean, "var": var}
    for name, value in given.items():
        if value is not None and jnp.shape(value) != x.shape[-1:]:
            raise ValueError(f"{name} has shape {jnp.shape(value)}: it must be {x.shape[-1:]}, one for each channel")
    if (mean is None) != (var is None):
        raise ValueError("give both mean and var, or none of them")
    dtype = jnp.promote_types(x.dtype, jnp.float32)
    wide = x.astype(dtype)
    if mean is None or var is None:
        pixels = math.prod(x.shape[:-1])
        mean = channel_sums(wide) / pixels
        var = jnp.maximum(channel_sums(jnp.square(wide)) / pixels - jnp.square(mean), 0)
    mean, var = jnp.asarray(mean, dtype), jnp.asarray(var, dtype)
    slope = jnp.asarray(scale, dtype) * jax.lax.rsqrt(var + epsilon)
    y = (wide - per_channel(mean, x.shape)) * per_channel(slope, x.shape)
    return (y + per_channel(jnp.asarray(bias, dtype), x.shape)).astype(x.dtype), mean, var


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


def _primitive(name: str, function: Callable[..., Array], transpose: Callable[..., list[Array]]) -> Primitive:
    """A linear operation on arrays (..., *own axes) with a transpose of its own."""
    primitive = Primitive(name)

    def shape(value, **options):
        return jax.core.ShapedArray(jax.eval_shape(functools.partial(function, **options), value).shape, value.dtype)

    def batched(values, axes, **options):
        return primitive.bind(jnp.moveaxis(values[0], axes[0], 0), **options), 0

    primitive.def_impl(lambda value, **options: jax.jit(functools.partial(primitive.bind, **options))(value))
    primitive.def_abstract_eval(shape)
    ad.deflinear2(primitive, transpose)
    batching.primitive_batchers[primitive] = batched
    mlir.register_lowering(primitive, mlir.lower_fun(function, multiple_results=False))
    return primitive


def _spread_like(g: Array, x: Any) -> list[Array]:
    return [_rows.bind(g, rows=x.aval.shape[-2])]


def _sum_rows(g: Array, _: Any, rows: int) -> list[Array]:
    return [_sums.bind(g)]


_sums: Primitive = _primitive("channel_sums", _sum, _spread_like)
_rows: Primitive = _primitive("per_channel", _spread, _sum_rows)
mlir.register_lowering(_sums, mlir.lower_fun(_sum_by_product, multiple_results=False), platform="cpu")
