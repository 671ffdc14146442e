"""Pools that are told how many windows to make: the windows follow from the image's size."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from seqvision._sharding import runs_on_auto_axes
from seqvision.conv._arguments import at_least_float32, one_per_axis, require_floating
from seqvision.conv._windows import max_of_windows
from seqvision.conv.pooling import avg_pool


@runs_on_auto_axes()
def adaptive_avg_pool(x: ArrayLike, out: Sequence[int]) -> Array:
    """Mean of each of `out` windows that cover the image evenly, as torch's: window i of n pixels is
    floor(i n / out) to ceil((i + 1) n / out), so that neighbors overlap where out does not divide n.

    Args:
      x: (..., *spatial, C) floating-point; any number of batch axes, also none.
      out: tuple of ints, how many windows on each spatial axis; its length says how many axes there are, one to three.
    Returns:
      (..., *out, C), of x's dtype.
    Raises:
      ValueError: if `out` is no tuple of positive ints, or x has too few axes or no pixels.

    >>> adaptive_avg_pool(jnp.arange(5.0)[:, None], (2,))[:, 0].tolist()
    [1.0, 3.0]
    """
    require_floating("x", x)
    x, out = _frame(x, out)
    sizes = x.shape[-1 - len(out) : -1]
    if all(n % o == 0 for n, o in zip(sizes, out, strict=True)):
        return avg_pool(x, tuple(n // o for n, o in zip(sizes, out, strict=True)))
    y = x.astype(at_least_float32(x.dtype))
    for axis, (n, o) in enumerate(zip(sizes, out, strict=True), x.ndim - 1 - len(out)):
        weights = np.zeros((n, o))
        for i, (start, stop) in enumerate(zip(*_edges(n, o), strict=True)):
            weights[start:stop, i] = 1 / (stop - start)
        y = jnp.moveaxis(jnp.moveaxis(y, axis, -1) @ jnp.asarray(weights, y.dtype), -1, axis)
    return y.astype(x.dtype)


@runs_on_auto_axes()
def adaptive_max_pool(x: ArrayLike, out: Sequence[int]) -> Array:
    """Largest value of each of `out` windows that cover the image evenly, as torch's; see `adaptive_avg_pool`.

    NaN wins over everything. The gradient of a window goes to its largest pixel, and among equal ones to the first.

    Args:
      x: (..., *spatial, C) real numbers; any number of batch axes, also none.
      out: tuple of ints, how many windows on each spatial axis; its length says how many axes there are, one to three.
    Returns:
      (..., *out, C), of x's dtype.
    Raises:
      ValueError: if `out` is no tuple of positive ints, or x has too few axes or no pixels.

    >>> adaptive_max_pool(jnp.arange(5.0)[:, None], (2,))[:, 0].tolist()
    [2.0, 4.0]
    """
    x, out = _frame(x, out)
    split = x.ndim - 1 - len(out)
    y = x.reshape(math.prod(x.shape[:split]), *x.shape[split:])
    for axis in reversed(range(len(out))):  # of equal pixels the first in row-major order wins
        n, o = y.shape[axis + 1], out[axis]
        starts, stops = _edges(n, o)
        longest = int((stops - starts).max())
        if n % o:  # shorter windows end in repetitions of their last pixel
            places = np.minimum(starts[:, None] + np.arange(longest), stops[:, None] - 1)
            y = jnp.take(y, places.ravel(), axis=axis + 1)
        window = tuple(longest if i == axis else 1 for i in range(len(out)))
        y = max_of_windows(y, window, window)
    return y.reshape(*x.shape[:split], *y.shape[1:])


def _edges(n: int, out: int) -> tuple[np.ndarray, np.ndarray]:
    """First pixel of each window, and the one after its last."""
    index = np.arange(out)
    return index * n // out, -(-(index + 1) * n // out)


def _frame(x: ArrayLike, out: Sequence[int]) -> tuple[Array, tuple[int, ...]]:
    """The array and the checked numbers of windows."""
    x = jnp.asarray(x)
    windows = one_per_axis("out", out, (7, 7))
    if x.ndim < len(out) + 1:
        raise ValueError(f"x has shape {x.shape}: out {windows} needs {len(out)} spatial axes and channels")
    if min(x.shape[-1 - len(out) : -1]) < 1:
        raise ValueError(f"x has shape {x.shape}: it has no pixels")
    return x, windows
