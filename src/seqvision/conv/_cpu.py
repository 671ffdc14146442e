"""Convolution on CPU, fast in loops too.

XLA:CPU has a fast routine for a convolution only in one memory layout. The ones that JAX's gradient rules make have
another, and inside a loop's body they run on a generic scalar loop, tens of times slower. Slices, pads and matrix
products are fast anywhere, and so are their transposes, which are again slices, pads and matrix products. So small
convolutions are matrix products altogether, and of large ones the values come from XLA's routine and the derivatives,
forward and reverse, from matrix products, a few images at a time so that the patches stay in cache.
"""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

from seqvision.conv._arguments import dilated
from seqvision.conv._depthwise import depthwise
from seqvision.conv._geometry import LAYOUTS, Geometry, pad, taps

# Bytes of all patches up to which one matrix product is as fast as XLA's routine, and bytes of the patches that are
# multiplied at once beyond that. Measured on two cores with 2 MiB of second-level cache.
_SMALL = 2**21
_CHUNK = 2**24


def convolve(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """x (N, *spatial, C_in) with kernel (*window, C_in // groups, C_out): (N, *out, C_out).

    16-bit arrays are multiplied and summed in float32.
    """
    dtype = x.dtype
    if dtype.itemsize < 4:
        x, kernel = x.astype(jnp.float32), kernel.astype(jnp.float32)
    if max(geometry.base) > 1 or min(p for pair in geometry.pairs for p in pair) < 0:
        x = pad(x, geometry.pairs, geometry.base)
        ones, zeros = (1,) * len(geometry.base), ((0, 0),) * len(geometry.base)
        geometry = Geometry(geometry.stride, zeros, ones, geometry.dilation, geometry.groups)
    if geometry.groups > 1 and kernel.shape[-2] == 1:
        y = depthwise(x, kernel, geometry)
    elif _is_large(x, kernel, geometry):
        y = _large(x, kernel, geometry)
    else:
        y = _by_groups(_patches_product, pad(x, geometry.pairs), kernel, geometry)
    return y.astype(dtype)


def _is_large(x: Array, kernel: Array, geometry: Geometry) -> bool:
    """Whether XLA's routine is worth calling, and sure to be called.

    XLA exchanges image and kernel when the window holds more pixels than the image, which leaves the fast layout.
    """
    sizes, window = x.shape[1:-1], kernel.shape[:-2]
    if x.dtype != jnp.float32 or math.prod(window) == 1 or not all(isinstance(n, int) for n in x.shape):
        return False
    return math.prod(sizes) > math.prod(window) and x.shape[0] * _patch_bytes(x, kernel, geometry) > _SMALL


def _patch_bytes(x: Array, kernel: Array, geometry: Geometry) -> int:
    """Bytes of the patches of one image."""
    spans = dilated(kernel.shape[:-2], geometry.dilation)
    out = (
        (n + low + high - span) // s + 1
        for n, (low, high), span, s in zip(x.shape[1:-1], geometry.pairs, spans, geometry.stride, strict=True)
    )
    return math.prod(out) * math.prod(kernel.shape[:-1]) * geometry.groups * x.dtype.itemsize


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _large(x: Array, kernel: Array, geometry: Geometry) -> Array:
    """XLA's routine; under vmap over kernels one model after another, since grouped convolutions are slow."""

    @custom_vmap
    def routine(x, kernel):
        return lax.conv_general_dilated(
            x,
            kernel,
            geometry.stride,
            geometry.pairs,
            rhs_dilation=geometry.dilation,
            dimension_numbers=LAYOUTS[kernel.ndim - 2],
            feature_group_count=geometry.groups,
        )

    @routine.def_vmap
    def over_models(axis_size, in_batched, x, kernel):
        x_batched, kernel_batched = in_batched
        if not kernel_batched:
            y = routine(x.reshape(-1, *x.shape[2:]), kernel)
            return y.reshape(axis_size, -1, *y.shape[1:]), True
        if x_batched:
            return lax.map(lambda model: routine(*model), (x, kernel)), True
        return lax.map(lambda one: routine(x, one), kernel), True

    return routine(x, kernel)


@functools.partial(_large.defjvp, symbolic_zeros=True)
def _large_jvp(geometry, primals, tangents):
    """The map is linear in either argument; each tangent is written so that its transpose is fast."""
    x, kernel = primals
    moves = []
    if not isinstance(tangents[0], SymbolicZero):
        moves.append(_in_chunks(_patches_product, tangents[0], kernel, geometry))
    if not isinstance(tangents[1], SymbolicZero):
        moves.append(_in_chunks(_rows_product, x, tangents[1], geometry))
    return _large(x, kernel, geometry), sum(moves[1:], start=moves[0])


Product = Callable[[Array, Array, Sequence[int], Sequence[int]], Array]


def _in_chunks(product: Product, x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Some images after others; the patches are made again in the backward pass rather than kept."""

    @functools.partial(jax.checkpoint, prevent_cse=False)
    def chunk(x):
        return _by_groups(product, pad(x, geometry.pairs), kernel, geometry)

    count = x.shape[0]
    most = max(1, _CHUNK // _patch_bytes(x, kernel, geometry))
    if count <= most:
        return chunk(x)
    size = max(n for n in range(1, most + 1) if count % n == 0)
    y = lax.map(chunk, x.reshape(count // size, size, *x.shape[1:]))
    return y.reshape(count, *y.shape[2:])


def _by_groups(product: Product, x: Array, kernel: Array, geometry: Geometry) -> Array:
    """Each block of output channels from its block of input channels."""
    if geometry.groups == 1:
        return product(x, kernel, geometry.stride, geometry.dilation)
    blocks = zip(jnp.split(x, geometry.groups, -1), jnp.split(kernel, geometry.groups, -1), strict=True)
    return jnp.concatenate([product(xs, ks, geometry.stride, geometry.dilation) for xs, ks in blocks], -1)


def _patches_product(x: Array, kernel: Array, stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """Gather every output's patch into a row, and multiply once (im2col)."""
    *window, _, features = kernel.shape
    patches = jnp.concatenate(taps(x, window, stride, dilation), axis=-1)
    out = patches.shape[:-1]
    y = patches.reshape(-1, patches.shape[-1]) @ kernel.reshape(-1, features)
    return y.reshape(*out, features)


def _rows_product(x: Array, kernel: Array, stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """Gather the patches along all axes but the first, and multiply once for each row of the kernel.

    The kernel's gradient then needs a third of the patches of a 3 x 3 window.
    """
    rows, *window, _, features = kernel.shape
    flat = (1,) * len(window)
    patches = jnp.concatenate(taps(x, (1, *window), (1, *stride[1:]), (1, *dilation[1:])), axis=-1)
    shifts = taps(patches, (rows, *flat), (stride[0], *flat), (dilation[0], *flat))
    *out, width = shifts[0].shape
    parts = [shift.reshape(-1, width) @ row.reshape(width, features) for shift, row in zip(shifts, kernel, strict=True)]
    return sum(parts[1:], start=parts[0]).reshape(*out, features)
