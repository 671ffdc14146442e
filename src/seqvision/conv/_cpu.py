"""Convolution on CPU out of slices and matrix products.

XLA:CPU has a fast routine for convolutions only in one memory layout; the ones that JAX's gradient rules make have
another, and inside a loop's body they run on a generic scalar loop, tens of times slower. Slices, pads and matrix
products are fast anywhere, and so are their transposes, which are again slices, pads and matrix products.
"""

import math

import jax.numpy as jnp
from jax import Array, lax

from seqvision.conv._windows import taps


def pad(x: Array, pairs: tuple[tuple[int, int], ...], base: tuple[int, ...]) -> Array:
    """Put base - 1 zeros between the pixels of x (N, *spatial, C) and pad it; negative entries crop."""
    config = [(0, 0, 0), *((max(lo, 0), max(hi, 0), b - 1) for (lo, hi), b in zip(pairs, base, strict=True)), (0, 0, 0)]
    if any(entry != (0, 0, 0) for entry in config):
        x = lax.pad(x, jnp.zeros((), x.dtype), config)
    # A pad with a negative low edge reads out of bounds on CPU (xla#48713): crop by slicing.
    for axis, (low, high) in enumerate(pairs, 1):
        if min(low, high) < 0:
            x = lax.slice_in_dim(x, max(-low, 0), x.shape[axis] - max(-high, 0), axis=axis)
    return x


def convolve(x: Array, kernel: Array, stride: tuple[int, ...], dilation: tuple[int, ...], groups: int) -> Array:
    """Valid convolution of x (N, *spatial, C_in) with kernel (*window, C_in // groups, C_out).

    16-bit arrays are multiplied and summed in float32.
    """
    dtype = x.dtype
    if dtype.itemsize < 4:
        x, kernel = x.astype(jnp.float32), kernel.astype(jnp.float32)
    if groups == 1:
        y = _patches_product(x, kernel, stride, dilation)
    elif kernel.shape[-2] == 1:
        y = _depthwise(x, kernel, stride, dilation, groups)
    else:
        blocks = zip(jnp.split(x, groups, axis=-1), jnp.split(kernel, groups, axis=-1), strict=True)
        y = jnp.concatenate([_patches_product(xs, ks, stride, dilation) for xs, ks in blocks], axis=-1)
    return y.astype(dtype)


def _patches_product(x: Array, kernel: Array, stride: tuple[int, ...], dilation: tuple[int, ...]) -> Array:
    """Gather every output's patch into a row, and multiply once (im2col)."""
    *window, fan_in, features = kernel.shape
    pixels = taps(x, tuple(window), stride, dilation)
    out = pixels[0].shape[:-1]
    patches = jnp.concatenate(pixels, axis=-1).reshape(-1, math.prod(window) * fan_in)
    return (patches @ kernel.reshape(-1, features)).reshape(*out, features)


def _depthwise(x: Array, kernel: Array, stride: tuple[int, ...], dilation: tuple[int, ...], groups: int) -> Array:
    """Each channel by itself: shift, multiply, add."""
    *window, _, features = kernel.shape
    multiplier = features // groups
    weights = kernel.reshape(-1, groups, multiplier)
    pixels = taps(x, tuple(window), stride, dilation)
    shape = (*pixels[0].shape, multiplier)
    axes = tuple(range(len(shape) - 1))
    y = sum(
        lax.broadcast_in_dim(tap, shape, axes) * lax.broadcast_in_dim(weight, shape, (len(shape) - 2, len(shape) - 1))
        for tap, weight in zip(pixels, weights, strict=True)
    )
    return jnp.reshape(y, (*shape[:-2], features))
