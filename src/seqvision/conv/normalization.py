"""Batch normalization, with gradients fast on CPU."""

import math

import jax.numpy as jnp
from jax import Array, lax
from jax.typing import ArrayLike

from seqvision._sharding import runs_on_auto_axes
from seqvision.conv._arguments import at_least_float32, require_floating
from seqvision.conv.channels import channel_sums, per_channel


@runs_on_auto_axes()
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
    variance is the mean square of what is left after the mean is taken off, so that a large mean hides no small one.

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
    dtype = at_least_float32(x.dtype)
    wide = x.astype(dtype)
    scale, bias = jnp.asarray(scale, dtype), jnp.asarray(bias, dtype)
    if mean is None or var is None:
        pixels = math.prod(x.shape[:-1])
        # A sum of large numbers rounds: what is left of a mean after the first one is taken off is small. Derivatives
        # go by the second sum alone, which they share with the bias.
        center = lax.stop_gradient(channel_sums(wide) / pixels)
        centered = wide - per_channel(center, x.shape)
        offset = channel_sums(centered) / pixels
        var = channel_sums(jnp.square(centered)) / pixels - jnp.square(offset)
        slope = scale * lax.rsqrt(var + epsilon)
        y = centered * per_channel(slope, x.shape) + per_channel(bias - offset * slope, x.shape)
        return y.astype(x.dtype), center + offset, var
    mean, var = jnp.asarray(mean, dtype), jnp.asarray(var, dtype)
    slope = scale * lax.rsqrt(var + epsilon)
    y = (wide - per_channel(mean, x.shape)) * per_channel(slope, x.shape) + per_channel(bias, x.shape)
    return y.astype(x.dtype), mean, var
