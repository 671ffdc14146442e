"""Pooling of channels-last arrays over windows and over whole images."""

import functools
import math
from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

from seqvision._checks import check_count
from seqvision._sharding import runs_on_auto_axes
from seqvision.conv._arguments import Pairs, one_per_axis, output_sizes, per_axis, pool_padding
from seqvision.conv._windows import max_of_windows, sum_of_windows

PoolPadding = Literal["same", "valid"] | int | Sequence[int] | Sequence[tuple[int, int]]


@runs_on_auto_axes()
def max_pool(
    x: ArrayLike, window: Sequence[int], *, stride: int | Sequence[int] | None = None, padding: PoolPadding = "valid"
) -> Array:
    """Largest value of every window.

    Padding never wins: it counts as minus infinity. NaN wins over everything. The gradient of a window goes to its
    largest pixel, and among equal ones to the first in row-major order.

    Args:
      x: (..., *spatial, C) real numbers; any number of batch axes, also none.
      window: tuple of ints; its length says how many spatial axes there are, one to three.
      stride: pixels between neighboring windows, one int or one for each spatial axis; None: the window.
      padding: "valid" (none), "same" (as XLA and Keras), or (low, high) for each spatial axis, each below the window.
    Returns:
      (..., *out, C), of x's dtype.
    Raises:
      ValueError: for a window larger than the padded input, and shapes that do not fit.

    >>> x = jnp.array([[1.0, 8, 4, 3], [6, 5, 9, 2], [2, 5, 6, 5], [8, 9, 4, 3]])[..., None]
    >>> max_pool(x, (2, 2))[..., 0]
    Array([[8., 9.],
           [9., 6.]], dtype=float32)
    """
    x = jnp.asarray(x)
    window, stride, pairs, shape = _frame(x, window, stride, padding)
    return _largest(x, window, stride, pairs).reshape(shape)


@runs_on_auto_axes()
def sum_pool(
    x: ArrayLike, window: Sequence[int], *, stride: int | Sequence[int] | None = None, padding: PoolPadding = "valid"
) -> Array:
    """Sum of every window, padding counting as zero.

    Args:
      x: (..., *spatial, C) real numbers; any number of batch axes, also none.
      window: tuple of ints; its length says how many spatial axes there are, one to three.
      stride: pixels between neighboring windows, one int or one for each spatial axis; None: the window.
      padding: "valid" (none), "same" (as XLA and Keras), or (low, high) for each spatial axis, each below the window.
    Returns:
      (..., *out, C), in the dtype that jnp.sum gives x; 16-bit floats are summed in float32.
    Raises:
      ValueError: for a window larger than the padded input, and shapes that do not fit.

    >>> x = jnp.array([[1.0, 8, 4, 3], [6, 5, 9, 2], [2, 5, 6, 5], [8, 9, 4, 3]])[..., None]
    >>> sum_pool(x, (2, 2))[..., 0]
    Array([[20., 18.],
           [24., 18.]], dtype=float32)
    """
    x = jnp.asarray(x)
    window, stride, pairs, shape = _frame(x, window, stride, padding)
    sums = sum_of_windows(_padded(_widened(x), len(window), pairs, 0), window, stride)
    return sums.astype(jax.eval_shape(jnp.sum, x).dtype).reshape(shape)


@runs_on_auto_axes()
def avg_pool(
    x: ArrayLike, window: Sequence[int], *, stride: int | Sequence[int] | None = None, padding: PoolPadding = "valid"
) -> Array:
    """Mean of the real pixels of every window: padding is not counted.

    Args:
      x: (..., *spatial, C) real numbers; any number of batch axes, also none.
      window: tuple of ints; its length says how many spatial axes there are, one to three.
      stride: pixels between neighboring windows, one int or one for each spatial axis; None: the window.
      padding: "valid" (none), "same" (as XLA and Keras), or (low, high) for each spatial axis, each below the window.
    Returns:
      (..., *out, C), in the dtype that jnp.mean gives x.
    Raises:
      ValueError: for a window larger than the padded input, and shapes that do not fit.

    >>> x = jnp.array([[1.0, 8, 4, 3], [6, 5, 9, 2], [2, 5, 6, 5], [8, 9, 4, 3]])[..., None]
    >>> avg_pool(x, (2, 2))[..., 0]
    Array([[5. , 4.5],
           [6. , 4.5]], dtype=float32)
    """
    x = jnp.asarray(x)
    window, stride, pairs, shape = _frame(x, window, stride, padding)
    x = x.astype(jax.eval_shape(jnp.mean, x).dtype)
    sums = sum_of_windows(_padded(_widened(x), len(window), pairs, 0), window, stride)
    counts = _pixel_counts(x.shape[-1 - len(window) : -1], window, stride, pairs)
    if counts.min() == counts.max():
        means = sums / int(counts.max())
    else:
        means = sums / lax.broadcast_in_dim(jnp.asarray(counts, sums.dtype), sums.shape, tuple(range(1, sums.ndim - 1)))
    return means.astype(x.dtype).reshape(shape)


@runs_on_auto_axes()
def global_max_pool(x: ArrayLike, spatial: int = 2) -> Array:
    """Largest value of every channel over all pixels: (..., *spatial, C) to (..., C).

    Args:
      x: (..., *spatial, C) real numbers; any number of batch axes, also none.
      spatial: how many spatial axes there are.
    Returns:
      (..., C), of x's dtype. Equal maxima share the gradient.
    Raises:
      ValueError: if x has fewer axes than that, or no pixels.

    >>> global_max_pool(jnp.arange(12.0).reshape(2, 3, 2))
    Array([10., 11.], dtype=float32)
    """
    return _pixels(x, spatial).max(axis=-2)


@runs_on_auto_axes()
def global_avg_pool(x: ArrayLike, spatial: int = 2) -> Array:
    """Mean of every channel over all pixels: (..., *spatial, C) to (..., C).

    Args:
      x: (..., *spatial, C) real numbers; any number of batch axes, also none.
      spatial: how many spatial axes there are.
    Returns:
      (..., C), in the dtype that jnp.mean gives x.
    Raises:
      ValueError: if x has fewer axes than that, or no pixels.

    >>> global_avg_pool(jnp.arange(12.0).reshape(2, 3, 2))
    Array([5., 6.], dtype=float32)
    """
    return _pixels(x, spatial).mean(axis=-2)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))  # no result that jax_debug_infs looks at holds the padding
def _largest(x: Array, window: tuple[int, ...], stride: tuple[int, ...], pairs: Pairs) -> Array:
    """As `max_pool`, with all batch axes in one."""
    lowest = -np.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    return max_of_windows(_padded(x, len(window), pairs, lowest), window, stride)


def _widened(x: Array) -> Array:
    """16-bit and shorter numbers in 32 bits, for sums."""
    if x.dtype.itemsize >= 4:
        return x
    if jnp.issubdtype(x.dtype, jnp.floating):
        return x.astype(jnp.float32)
    return x.astype(jnp.uint32 if jnp.issubdtype(x.dtype, jnp.unsignedinteger) else jnp.int32)


def _padded(x: Array, axes: int, pairs: Pairs, value: float) -> Array:
    """x with one batch axis, and padding of that value."""
    split = x.ndim - axes - 1
    images = x.reshape(math.prod(x.shape[:split]), *x.shape[split:])
    if not any(max(pair) for pair in pairs):
        return images
    config = [(0, 0, 0), *((low, high, 0) for low, high in pairs), (0, 0, 0)]
    return lax.pad(images, jnp.asarray(value, x.dtype), config)


def _pixel_counts(sizes: Sequence[int], window: Sequence[int], stride: Sequence[int], pairs: Pairs) -> np.ndarray:
    """How many real pixels each window holds: (*out,)."""
    counts = []
    for n, k, s, (low, high) in zip(sizes, window, stride, pairs, strict=True):
        start = np.arange((n + low + high - k) // s + 1) * s - low
        counts.append(np.minimum(start + k, n) - np.maximum(start, 0))
    return functools.reduce(np.multiply.outer, counts)


def _frame(x: Array, window, stride, padding) -> tuple[tuple[int, ...], tuple[int, ...], Pairs, tuple[int, ...]]:
    """Checked window, stride and padding, and the shape of the result."""
    if jnp.issubdtype(x.dtype, jnp.bool_) or not jnp.issubdtype(x.dtype, jnp.number):
        raise TypeError(f"x has dtype {x.dtype}: pools take real numbers; cast first")
    window = one_per_axis("window", window, (2, 2))
    axes = len(window)
    stride = window if stride is None else per_axis("stride", stride, axes)
    if x.ndim < axes + 1:
        raise ValueError(f"x has shape {x.shape}: window {window} needs {axes} spatial axes and channels")
    split = x.ndim - axes - 1
    sizes = x.shape[split:-1]
    pairs = pool_padding(padding, sizes, window, stride)
    out = output_sizes(sizes, window, stride, pairs)
    return window, stride, pairs, (*x.shape[:split], *out, x.shape[-1])


def _pixels(x: ArrayLike, spatial: int) -> Array:
    """x (..., *spatial, C) with all pixels on one axis: (..., pixels, C)."""
    x = jnp.asarray(x)
    if x.ndim < check_count("spatial", spatial) + 1:
        raise ValueError(f"x has shape {x.shape} and spatial is {spatial!r}: x must be (..., *spatial, C)")
    split = x.ndim - spatial - 1
    pixels = math.prod(x.shape[split:-1])
    if pixels < 1:
        raise ValueError(f"x has shape {x.shape}: it has no pixels")
    return x.reshape(*x.shape[:split], pixels, x.shape[-1])
