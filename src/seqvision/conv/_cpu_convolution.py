"""Convolution on CPU, fast in loops too.

XLA:CPU has a fast routine for a convolution only in one memory layout. The ones that JAX's gradient rules make have
another, and inside a loop's body they run on a generic scalar loop, tens of times slower. So small convolutions are
matrix products altogether, whose transposes are matrix products again, and large ones are a bilinear operation with
transposes of its own (see `_large_convolution`). Strides between zeros, of transposed convolutions and of gradients by
the image, are parted into as many convolutions without zeros.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import jax.numpy as jnp
from jax import Array, lax

from seqvision.conv._arguments import Pairs, dilated
from seqvision.conv._depthwise_convolution import depthwise_convolution
from seqvision.conv._geometry import Geometry, output_shape, pad, patches_product
from seqvision.conv._large_convolution import large_convolution

# Bytes of all patches up to which one matrix product is as fast as XLA's routine. Measured on two cores.
_PRODUCT_BYTES = 2**21


def convolve_on_cpu(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """x (N, *spatial, C_in) with kernel (*window, C_in // groups, C_out): (N, *out, C_out).

    16-bit arrays are multiplied and summed in float32.
    """
    dtype = x.dtype
    if dtype.itemsize < 4:
        x, kernel = x.astype(jnp.float32), kernel.astype(jnp.float32)
    if geometry.groups == 1 or kernel.shape[-2] == 1:
        return _one_or_depthwise(x, kernel, geometry).astype(dtype)
    xs, kernels = jnp.split(x, geometry.groups, -1), jnp.split(kernel, geometry.groups, -1)
    one = replace(geometry, groups=1)
    return jnp.concatenate([_one_or_depthwise(*block, one) for block in zip(xs, kernels, strict=True)], -1).astype(
        dtype
    )


def _one_or_depthwise(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """A convolution in one group, or in as many as channels."""
    if max(geometry.base) > 1 and max(geometry.stride) == 1:
        return _by_phases(x, kernel, geometry)
    x, kernel, geometry = _without_zeros(x, kernel, geometry)
    if geometry.groups > 1:
        return depthwise_convolution(
            x, kernel, geometry.stride, geometry.pairs, geometry.dilation, _transposed_depthwise
        )
    if _is_large(x, kernel, geometry):
        return large_convolution(x, kernel, geometry.stride, geometry.pairs, geometry.dilation, _transposed)
    return patches_product(pad(x, geometry.pairs), kernel, geometry.stride, geometry.dilation)


def _without_zeros(x: Array, kernel: Array, geometry: Geometry) -> tuple[Array, Array, Geometry]:
    """The same convolution of an image that holds the zeros between its pixels, with no negative padding."""
    if max(geometry.base) > 1 or min(p for pair in geometry.pairs for p in pair) < 0:
        x = pad(x, geometry.pairs, geometry.base)
        axes = len(geometry.base)
        geometry = replace(geometry, pairs=((0, 0),) * axes, base=(1,) * axes)
    return x, kernel, geometry


def _is_large(x: Array, kernel: Array, geometry: Geometry) -> bool:
    """Whether XLA's routine is worth calling, and sure to be called.

    XLA exchanges image and kernel when the window holds more pixels than the image, which leaves the fast layout.
    """
    sizes, window = x.shape[1:-1], kernel.shape[:-2]
    if x.dtype != jnp.float32 or math.prod(window) == 1 or not all(isinstance(n, int) for n in x.shape):
        return False
    patches = math.prod(output_shape(sizes, window, geometry)) * math.prod(kernel.shape[:-1])
    return math.prod(sizes) > math.prod(window) and x.shape[0] * patches * x.dtype.itemsize > _PRODUCT_BYTES


def _transposed(g: Array, kernel: Array, sizes: Sequence[int], stride, pairs: Pairs, dilation) -> Array:
    """What a convolution's output gradient g (N, *out, C_out) sends to its image: (N, *sizes, C_in)."""
    turned = jnp.flip(kernel, tuple(range(len(stride)))).swapaxes(-1, -2)
    edges = _edges(g, kernel, sizes, stride, pairs, dilation)
    return _one_or_depthwise(g, turned, Geometry((1,) * len(stride), edges, stride, dilation, 1))


def _transposed_depthwise(g: Array, kernel: Array, sizes: Sequence[int], stride, pairs: Pairs, dilation) -> Array:
    """The same for each output channel by itself: (N, *sizes, C_out)."""
    turned = jnp.flip(kernel, tuple(range(len(stride))))
    edges = _edges(g, kernel, sizes, stride, pairs, dilation)
    return _one_or_depthwise(g, turned, Geometry((1,) * len(stride), edges, stride, dilation, g.shape[-1]))


def _edges(g: Array, kernel: Array, sizes: Sequence[int], stride, pairs: Pairs, dilation) -> Pairs:
    """Padding of the stretched output gradient, negative to crop."""
    spans = dilated(kernel.shape[:-2], dilation)
    return tuple(
        (span - 1 - low, n + low - (out - 1) * s - 1)
        for n, out, s, span, (low, _) in zip(sizes, g.shape[1:-1], stride, spans, pairs, strict=True)
    )


def _by_phases(x: Array, kernel: Array, geometry: Geometry, axis: int = 0) -> Array:
    """A convolution with zeros between the pixels, as one without for each remainder of an output's index.

    On one axis, with s - 1 zeros between pixels, y[s m + r] = sum over k of x[(s m + r + k d - low) / s] kernel[k],
    where the division leaves no rest: every so many taps of the window, from a first one on.
    """
    if axis == len(geometry.base):
        return _one_or_depthwise(x, kernel, geometry)
    s, d, (low, high) = geometry.base[axis], geometry.dilation[axis], geometry.pairs[axis]
    if s == 1:
        return _by_phases(x, kernel, geometry, axis + 1)
    n, k = x.shape[axis + 1], kernel.shape[axis]
    total = (n - 1) * s + 1 + low + high - (k - 1) * d
    count, step = -(-total // s), s // math.gcd(s, d)
    phases: list[Array | None] = []
    for r in range(s):
        first = next((i for i in range(min(step, k)) if (r + i * d - low) % s == 0), None)
        if first is None:
            phases.append(None)
            continue
        part = lax.slice_in_dim(kernel, first, k, step, axis=axis)
        start, spread = (r + first * d - low) // s, step * d // s
        stop = start + count - 1 + (part.shape[axis] - 1) * spread
        inner = geometry.with_axis(axis, pair=(-start, stop - (n - 1)), base=1, dilation=spread)
        phases.append(_by_phases(x, part, inner, axis + 1))
    shape = next(phase for phase in phases if phase is not None)
    y = jnp.stack([jnp.zeros_like(shape) if phase is None else phase for phase in phases], axis + 2)
    y = y.reshape(*y.shape[: axis + 1], count * s, *y.shape[axis + 3 :])
    return lax.slice_in_dim(y, 0, total, axis=axis + 1)
