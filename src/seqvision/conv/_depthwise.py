"""Depthwise convolution on CPU: shift, multiply, add."""

import functools
import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_derivatives import SymbolicZero

from seqvision.conv._arguments import dilated
from seqvision.conv._geometry import Geometry, pad, taps


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def depthwise(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """x (N, *spatial, C) with kernel (*window, 1, C * multiplier): each channel by itself."""
    return _shift_multiply_add(x, kernel, geometry)


@functools.partial(depthwise.defjvp, symbolic_zeros=True)
def depthwise_jvp(geometry, primals, tangents):
    """A transposed slice is a slow pad, so that the tangent of x is spread by pads, whose transposes are slices."""
    x, kernel = primals
    moves = []
    if not isinstance(tangents[0], SymbolicZero):
        moves.append(_spread(pad(tangents[0], geometry.pairs), kernel, geometry))
    if not isinstance(tangents[1], SymbolicZero):
        moves.append(_shift_multiply_add(x, tangents[1], geometry))
    return depthwise(x, kernel, geometry), sum(moves[1:], start=moves[0])


def _shift_multiply_add(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """The convolution as its definition says."""
    pixels = taps(pad(x, geometry.pairs), kernel.shape[:-2], geometry.stride, geometry.dilation)
    parts = [_scale(pixel, weight) for pixel, weight in zip(pixels, _weights(kernel), strict=True)]
    return sum(parts[1:], start=parts[0])


def _spread(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """The convolution the other way round: each pixel of a padded x adds to the outputs that see it."""
    window = kernel.shape[:-2]
    spans = dilated(window, geometry.dilation)
    parts = []
    for index, weight in zip(itertools.product(*map(range, window)), _weights(kernel), strict=True):
        shifts = [i * d for i, d in zip(index, geometry.dilation, strict=True)]
        edges = [(span - 1 - shift, shift, 0) for span, shift in zip(spans, shifts, strict=True)]
        part = _scale(x, weight)
        parts.append(lax.pad(part, jnp.zeros((), x.dtype), [(0, 0, 0), *edges, (0, 0, 0)]))
    starts = (0, *(span - 1 for span in spans), 0)
    return lax.slice(
        sum(parts[1:], start=parts[0]), starts, (*x.shape[:-1], kernel.shape[-1]), (1, *geometry.stride, 1)
    )


def _weights(kernel: Array) -> Sequence[Array]:
    """The taps (1, C * multiplier) of a depthwise kernel (*window, 1, C * multiplier), in row-major order."""
    flat = kernel.reshape(-1, kernel.shape[-1])
    return lax.split(flat, [1] * flat.shape[0])


def _scale(x: Array, weight: Array) -> Array:
    """x (N, *spatial, C) times weight (1, C * multiplier): (N, *spatial, C * multiplier)."""
    multiplier = weight.shape[-1] // x.shape[-1]
    if multiplier > 1:
        x = jnp.repeat(x, multiplier, axis=-1)
    return x * lax.broadcast_in_dim(weight.reshape(-1), x.shape, (x.ndim - 1,))
