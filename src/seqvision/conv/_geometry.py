"""How a window moves over a channels-last array, and what it meets tap by tap."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
from jax import Array, lax

from seqvision.conv._arguments import Pairs, dilated

LAYOUTS = {1: ("NWC", "WIO", "NWC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


@dataclass(frozen=True)
class Geometry:
    """How a convolution's window moves, one entry for each spatial axis."""

    stride: tuple[int, ...]
    pairs: Pairs  # zeros before and after; negative crops
    base: tuple[int, ...]  # zeros between pixels, plus one
    dilation: tuple[int, ...]
    groups: int

    def with_axis(self, axis: int, pair: tuple[int, int], base: int, dilation: int) -> "Geometry":
        """The same with other entries for one axis."""
        return replace(
            self,
            pairs=_put(self.pairs, axis, pair),
            base=_put(self.base, axis, base),
            dilation=_put(self.dilation, axis, dilation),
        )


def _put(entries: tuple, axis: int, value: object) -> tuple:
    """The entries with another one at an axis."""
    return (*entries[:axis], value, *entries[axis + 1 :])


def output_shape(sizes: Sequence[int], window: Sequence[int], geometry: Geometry) -> tuple[int, ...]:
    """Spatial sizes of the result, where there are no zeros between pixels."""
    return tuple(
        (n + low + high - span) // s + 1
        for n, (low, high), span, s in zip(
            sizes, geometry.pairs, dilated(window, geometry.dilation), geometry.stride, strict=True
        )
    )


def pad(x: Array, pairs: Pairs, base: tuple[int, ...] | None = None) -> Array:
    """Put base - 1 zeros between the pixels of x (N, *spatial, C) and pad it; negative entries crop."""
    base = base or (1,) * len(pairs)
    edges = [(max(low, 0), max(high, 0), b - 1) for (low, high), b in zip(pairs, base, strict=True)]
    if any(max(edge) for edge in edges):
        x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *edges, (0, 0, 0)])
    # A pad with a negative low edge reads out of bounds on CPU (xla#48713): crop by slicing.
    for axis, (low, high) in enumerate(pairs, 1):
        if min(low, high) < 0:
            x = lax.slice_in_dim(x, max(-low, 0), x.shape[axis] - max(-high, 0), axis=axis)
    return x


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


def patches_product(x: Array, kernel: Array, stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """Gather every output's patch into a row, and multiply once (im2col)."""
    *window, _, features = kernel.shape
    patches = jnp.concatenate(taps(x, window, stride, dilation), axis=-1)
    out = patches.shape[:-1]
    y = patches.reshape(-1, patches.shape[-1]) @ kernel.reshape(-1, features)
    return y.reshape(*out, features)
