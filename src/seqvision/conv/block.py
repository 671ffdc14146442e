"""Convolution, bias, activation and max pooling as one function."""

import functools
from collections.abc import Sequence

from jax import Array
from jax.typing import ArrayLike

from seqvision._sharding import runs_on_auto_axes
from seqvision.activations import MONOTONE, Activation
from seqvision.activations import activation as by_name
from seqvision.conv._arguments import per_axis
from seqvision.conv.channels import per_channel
from seqvision.conv.convolution import Padding, conv, promote
from seqvision.conv.pooling import max_pool


@runs_on_auto_axes(channels="kernel")
def conv_block(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = "same",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    activation: Activation | None = "relu",
    pool: int | Sequence[int] | None = None,
) -> Array:
    """`max_pool(activation(conv(x, kernel, bias)), pool)`, computed in the cheapest order that gives these values.

    A bias, and an activation that never decreases, commute with the maximum, so that they run on the pooled array:
    a quarter of the work for a pool of (2, 2). Of activations that only share their maximum after rounding or
    clipping, such as several negative pixels under relu, the largest before the activation gets the gradient.

    Args:
      x, kernel, bias, stride, padding, dilation, groups: as `conv`.
      activation: a name ("relu", "tanh", "sigmoid", "gelu", ...), an elementwise function, or None.
      pool: window and stride of the max pool, one int or one for each spatial axis; None: no pool.
    Returns:
      (..., *out, C_out).
    Raises:
      ValueError, TypeError: as `conv` and `max_pool`, and for an activation of an unknown name.

    >>> import jax.numpy as jnp
    >>> x, kernel, bias = jnp.ones((5, 28, 28, 1)), jnp.ones((3, 3, 1, 32)), jnp.zeros(32)
    >>> conv_block(x, kernel, bias, padding="valid", pool=2).shape
    (5, 13, 13, 32)
    """
    activate = by_name("linear" if activation is None else activation)
    monotone = any(activate is known for known in MONOTONE.values())
    x, kernel, bias = promote(x, kernel, bias)
    convolve = functools.partial(conv, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if pool is None:
        return activate(convolve(x, kernel, bias))
    window = per_axis("pool", pool, kernel.ndim - 2)
    if not monotone:
        return max_pool(activate(convolve(x, kernel, bias)), window)
    if bias is not None and bias.shape != kernel.shape[-1:]:
        raise ValueError(f"bias has shape {bias.shape}: it must be {kernel.shape[-1:]}, one for each output channel")
    y = max_pool(convolve(x, kernel), window)
    if bias is not None:
        y = y + per_channel(bias, y.shape)
    return activate(y)
