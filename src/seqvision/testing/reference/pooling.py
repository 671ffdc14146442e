"""Pooling by visiting each window in turn, float64."""

import itertools
from typing import Any

import numpy as np

from .convolution import each, pad, sources


def max_pool(x, window, *, stride=None, padding="valid"):
    """Take the largest real entry of every window.

    Args:
      x: (..., *spatial, C).
      window: a tuple; its length says how many spatial axes there are.
      stride: an integer or one for each spatial axis; the window by default.
      padding: "valid", "same", or a pair (low, high) for each spatial axis; padding never wins.
    Returns:
      (..., *spatial_out, C), float64.

    >>> max_pool(np.array([[1.0], [5.0], [2.0], [3.0]]), (2,)).ravel()
    array([5., 3.])
    """
    return _pool(x, window, stride, padding, -np.inf, lambda values, real: values.max(axis=1))


def sum_pool(x, window, *, stride=None, padding="valid"):
    """Add the entries of every window.

    Args:
      x, window, stride, padding: as ``max_pool``; padding counts as 0.
    Returns:
      (..., *spatial_out, C), float64.

    >>> sum_pool(np.array([[1.0], [5.0], [2.0]]), (2,), padding="same").ravel()
    array([6., 2.])
    """
    return _pool(x, window, stride, padding, 0.0, lambda values, real: values.sum(axis=1))


def avg_pool(x, window, *, stride=None, padding="valid"):
    """Average the real entries of every window: padding is not counted.

    Args:
      x, window, stride, padding: as ``max_pool``.
    Returns:
      (..., *spatial_out, C), float64.

    >>> avg_pool(np.array([[1.0], [5.0], [2.0]]), (2,), padding="same").ravel()
    array([3., 2.])
    """
    return _pool(x, window, stride, padding, 0.0, lambda values, real: values.sum(axis=1) / real)


def adaptive_pool(x, out, reduce=np.mean):
    """Reduce each of ``out`` windows that cover the image evenly: floor(i n / out) to ceil((i + 1) n / out).

    Args:
      x: (..., *spatial, C).
      out: a tuple, how many windows on each spatial axis.
      reduce: np.mean or np.max.
    Returns:
      (..., *out, C), float64.

    >>> adaptive_pool(np.arange(5.0)[:, None], (2,)).ravel()
    array([1., 3.])
    """
    x, rank = np.asarray(x, np.float64), len(out)
    batch, spatial, channels = x.shape[: -rank - 1], x.shape[-rank - 1 : -1], x.shape[-1]
    flat = x.reshape(int(np.prod(batch)), *spatial, channels)
    result = np.zeros((flat.shape[0], *out, channels))
    for position in itertools.product(*map(range, out)):
        box = [slice(i * n // o, -(-(i + 1) * n // o)) for i, n, o in zip(position, spatial, out, strict=True)]
        at: Any = (slice(None), *position)
        seen: Any = (slice(None), *box)
        result[at] = reduce(flat[seen].reshape(flat.shape[0], -1, channels), axis=1)
    return result.reshape(*batch, *result.shape[1:])


def _pool(x, window, stride, padding, fill, reduce):
    x, rank = np.asarray(x, np.float64), len(window)
    batch, spatial, channels = x.shape[: -rank - 1], x.shape[-rank - 1 : -1], x.shape[-1]
    stride = tuple(window) if stride is None else each(stride, rank, "stride")
    maps = sources(padding, spatial, window, stride, (1,) * rank)
    flat = x.reshape(int(np.prod(batch)), *spatial, channels)
    padded = pad(flat, maps, fill)
    real = pad(np.ones((1, *spatial, 1)), maps)
    sizes = zip(padded.shape[1:-1], window, stride, strict=True)
    out_spatial = tuple(max((n - k) // s + 1, 0) for n, k, s in sizes)
    out = np.zeros((flat.shape[0], *out_spatial, channels))
    for position in itertools.product(*map(range, out_spatial)):
        corner = [slice(p * s, p * s + k) for p, s, k in zip(position, stride, window, strict=True)]
        box: Any = (slice(None), *corner)
        at: Any = (slice(None), *position)
        out[at] = reduce(padded[box].reshape(flat.shape[0], -1, channels), real[box].sum())
    return out.reshape(*batch, *out.shape[1:])
