"""Convolution, bias, activation and max pooling as one function."""

import functools
from collections.abc import Callable, Sequence

import jax
from jax import Array
from jax.typing import ArrayLike

from seqvision.conv._arguments import per_axis
from seqvision.conv.convolution import Padding, conv, promote
from seqvision.conv.normalization import per_channel
from seqvision.conv.pooling import max_pool

# Monotone non-decreasing: the largest activation is the activation of the largest.
_MONOTONE: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "celu": jax.nn.celu,
    "softplus": jax.nn.softplus,
    "soft_sign": jax.nn.soft_sign,
    "sigmoid": jax.nn.sigmoid,
    "log_sigmoid": jax.nn.log_sigmoid,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "tanh": jax.numpy.tanh,
    "hard_tanh": jax.nn.hard_tanh,
}
_OTHERS: dict[str, Callable[[Array], Array]] = {
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "swish": jax.nn.silu,
    "mish": jax.nn.mish,
    "hard_silu": jax.nn.hard_silu,
    "hard_swish": jax.nn.hard_silu,
}

Activation = str | Callable[[Array], Array] | None


def conv_block(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = "same",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    activation: Activation = "relu",
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
    activate, monotone = _activation(activation)
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


def _activation(activation: Activation) -> tuple[Callable[[Array], Array], bool]:
    """The function, and whether it is known to be monotone non-decreasing."""
    if activation is None or activation == "linear":
        return (lambda y: y), True
    if callable(activation):
        return activation, any(activation is known for known in _MONOTONE.values())
    if activation in _MONOTONE:
        return _MONOTONE[activation], True
    if activation in _OTHERS:
        return _OTHERS[activation], False
    names = ", ".join(sorted([*_MONOTONE, *_OTHERS, "linear"]))
    raise ValueError(f"activation is {activation!r}: give a function, None, or one of {names}")
