"""What every window of a channels-last array sees, tap by tap."""

import itertools
from collections.abc import Sequence

from jax import Array, lax


def taps(x: Array, window: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> list[Array]:
    """For each tap of the window, in row-major order, the pixels of x (N, *spatial, C) it meets: (N, *out, C)."""
    out = tuple(
        (n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], window, stride, dilation, strict=True)
    )
    pixels = []
    for index in itertools.product(*map(range, window)):
        start = [i * d for i, d in zip(index, dilation, strict=True)]
        stop = [b + (o - 1) * s + 1 for b, o, s in zip(start, out, stride, strict=True)]
        pixels.append(lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *stride, 1)))
    return pixels
