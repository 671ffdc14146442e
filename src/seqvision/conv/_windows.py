"""Largest pixels and sums of windows, with gradients that are fast in loops on CPU."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from seqvision.conv._geometry import taps


def max_of_windows(x: Array, window: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    """Largest pixel of each window of x (N, *spatial, C): (N, *out, C)."""
    if math.prod(window) <= 16:
        return _largest(x, window, stride)
    # The taps of all axes together would be many. The last axis goes first, so that among equal pixels the first in
    # row-major order still gets the gradient.
    for axis in reversed(range(len(window))):
        x = _largest(x, _only(axis, window), _only(axis, stride))
    return x


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
@functools.partial(jax.jit, static_argnums=(1, 2))
def _largest(x: Array, window: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    """As `max_of_windows`, all taps at once."""
    return functools.reduce(jnp.maximum, _taps(x, window, stride))


@_largest.defjvp
def _largest_jvp(window, stride, primals, tangents):
    """The tangent of the first largest pixel, written so that its transpose needs no XLA select-and-scatter."""
    pixels = _taps(primals[0], window, stride)
    number_type = jnp.int8 if len(pixels) < 128 else jnp.int32
    largest, winner = pixels[0], jnp.zeros(pixels[0].shape, number_type)
    for number, pixel in enumerate(pixels[1:], 1):
        better = (pixel > largest) | (pixel != pixel)
        largest = jnp.where(better, pixel, largest)
        winner = jnp.where(better, number_type(number), winner)
    return largest, _select(tangents[0], winner, window, stride)


def _select(x: Array, winner: Array, window: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    """The pixel of that number, in row-major order, of each window."""
    if _is_tiled(window, stride):
        tiles, axes = _tiles(x, window)
        numbers = lax.reshape(np.arange(math.prod(window), dtype=winner.dtype), window)
        numbers = lax.broadcast_in_dim(numbers, tiles.shape, axes)
        kept = [axis for axis in range(tiles.ndim) if axis not in axes]
        return jnp.where(lax.broadcast_in_dim(winner, tiles.shape, kept) == numbers, tiles, 0).sum(axes)
    pixels = _taps(x, window, stride)
    parts = [jnp.where(winner == number, pixel, 0) for number, pixel in enumerate(pixels)]
    return sum(parts[1:], start=parts[0])


@functools.partial(jax.jit, static_argnums=(1, 2))
def sum_of_windows(x: Array, window: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    """Sum of each window of x (N, *spatial, C): (N, *out, C)."""
    if _is_tiled(window, stride):
        tiles, axes = _tiles(x, window)
        return tiles.sum(axes)
    for axis in range(len(window)):
        pixels = _taps(x, _only(axis, window), _only(axis, stride))
        x = sum(pixels[1:], start=pixels[0])
    return x


def _only(axis: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes with 1 on all other axes."""
    return tuple(size if i == axis else 1 for i, size in enumerate(sizes))


def _taps(x: Array, window: tuple[int, ...], stride: tuple[int, ...]) -> list[Array]:
    return taps(x, window, stride, (1,) * len(window))


def _is_tiled(window: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether windows touch without overlapping, so that a reshape parts them; reductions stay at rank 6 at most."""
    return window == stride and len(window) <= 2


def _tiles(x: Array, window: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
    """x (N, *spatial, C), cropped to whole windows, as (N, out, k, out, k, ..., C), and where the axes k are."""
    counts = [n // k for n, k in zip(x.shape[1:-1], window, strict=True)]
    for axis, (count, k) in enumerate(zip(counts, window, strict=True), 1):
        x = lax.slice_in_dim(x, 0, count * k, axis=axis)
    shape = [size for pair in zip(counts, window, strict=True) for size in pair]
    return x.reshape(x.shape[0], *shape, x.shape[-1]), tuple(range(2, 2 + 2 * len(window), 2))
