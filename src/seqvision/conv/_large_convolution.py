"""A large convolution on CPU as a bilinear operation: XLA's fast routine, with transposes that are as fast.

The transpose by the image is a convolution again; the transpose by the kernel is made of matrix products. A primitive
is what lets JAX differentiate it in both modes and any number of times, and map it over models one after another,
where XLA would make grouped convolutions, which are slow on CPU.
"""

import math
from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from seqvision._sharding import vary_alike
from seqvision.conv._arguments import Pairs, dilated
from seqvision.conv._bilinear_primitive import Placement, bilinear_primitive
from seqvision.conv._geometry import LAYOUTS, pad, patches_product, taps

# Bytes of the patches that are multiplied at once, so that they stay in cache. Measured with 1 MiB of it to a core.
_CHUNK_BYTES = 2**21


def large_convolution(
    x: Array,
    kernel: Array,
    stride: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    transposed: Callable[..., Array],
) -> Array:
    """x (N, *spatial, C_in) with kernel (*window, C_in, C_out): (N, *out, C_out), in one group.

    Args:
      x, kernel: arrays of one dtype.
      stride, pairs, dilation: one entry for each spatial axis; no negative padding.
      transposed: (g, kernel, sizes, stride, pairs, dilation) -> the gradient of an image of those sizes.
    """
    return _large(x, kernel, Placement(stride, pairs, dilation, x.shape[1:-1], kernel.shape[:-2]), transposed)


def _xla_convolution(x: Array, kernel: Array, placement: Placement) -> Array:
    """XLA's own convolution."""
    if x.shape[-1] == 3:  # channels are packed in fours; three (red, green, blue) take three times as long
        x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0)] * (x.ndim - 1) + [(0, 1, 0)])
        kernel = lax.pad(kernel, jnp.zeros((), x.dtype), [(0, 0, 0)] * (x.ndim - 2) + [(0, 1, 0), (0, 0, 0)])
    return lax.conv_general_dilated(
        x,
        kernel,
        placement.stride,
        placement.pairs,
        rhs_dilation=placement.dilation,
        dimension_numbers=LAYOUTS[kernel.ndim - 2],
    )


def _product(x: Array, kernel: Array, placement: Placement) -> Array:
    """The same as one product, which is cut over the models where they lie on several devices."""
    return patches_product(pad(x, placement.pairs), kernel, placement.stride, placement.dilation)


def _by_image(g: Array, kernel: Array, placement: Placement, transposed: Callable) -> Array:
    """The transpose by the image."""
    return transposed(g, kernel, placement.sizes, placement.stride, placement.pairs, placement.dilation)


def _by_kernel(g: Array, x: Array, placement: Placement) -> Array:
    """The transpose by the kernel, some images after others."""
    stride, pairs, dilation, window = placement.stride, placement.pairs, placement.dilation, placement.window
    shape = (*window, x.shape[-1], g.shape[-1])
    if len(window) == 1:  # a sequence is an image of one row
        x, g = x[:, None], g[:, None]
        stride, pairs, dilation, window = (1, *stride), ((0, 0), *pairs), (1, *dilation), (1, *window)

    x = pad(x, pairs)
    count, rows = x.shape[0], dilated(window[:1], dilation[:1])[0] + (g.shape[1] - 1) * stride[0]
    image = rows * math.prod(g.shape[2:-1]) * math.prod(window[1:]) * x.shape[-1] * x.dtype.itemsize
    most = max(1, _CHUNK_BYTES // image)
    size = max(n for n in range(1, min(most, count) + 1) if count % n == 0)
    x, g = (a.reshape(count // size, size, *a.shape[1:]) for a in (x, g))
    x, g = jnp.moveaxis(x, (-1, 2), (1, 2)), jnp.moveaxis(g, 2, 1)  # (chunks, C_in, rows, ...), (chunks, rows, ...)
    if count == size:
        return _rows_gradient(x[0], g[0], window, stride, dilation).reshape(shape)

    def add(total, parts):
        return total + _rows_gradient(parts[0], parts[1], window, stride, dilation), None

    start = jnp.zeros((window[0], math.prod(window[1:]) * shape[-2], shape[-1]), x.dtype)
    return lax.scan(add, vary_alike(start, x), (x, g))[0].reshape(shape)


def _rows_gradient(x: Array, g: Array, window, stride, dilation) -> Array:
    """x (C_in, rows, N, *rest), g (out rows, N, *out rest, C_out): kernel gradients (rows, columns * C_in, C_out).

    The patches along all axes but the first are gathered with channels leading and rows next, so that the rows that a
    row of the window meets are a plain slice: a third of the patches of a 3 x 3 window, and no transpose inside the
    products, one for each row of the window.
    """
    rows, *rest = window
    lines = x.reshape(-1, *x.shape[3:], 1)
    shifts = taps(lines, rest, stride[1:], dilation[1:])
    patches = jnp.concatenate([shift.reshape(*x.shape[:2], -1) for shift in shifts], 0)
    columns = g.reshape(-1, g.shape[-1])
    products = []
    for tap in range(rows):
        start = tap * dilation[0]
        stop = start + (g.shape[0] - 1) * stride[0] + 1
        met = lax.slice_in_dim(patches, start, stop, stride[0], axis=1)
        products.append(met.reshape(patches.shape[0], -1) @ columns)
    return jnp.stack(products)


def _by_models(x: Array, kernel: Array, x_axis, kernel_axis, bind: Callable):
    """The models' kernels side by side are one kernel, if they see the same images."""
    if x_axis is not None:
        return None
    kernel = jnp.moveaxis(kernel, kernel_axis, -2)
    y = bind(x, kernel.reshape(*kernel.shape[:-2], -1))
    return y.reshape(*y.shape[:-1], *kernel.shape[-2:]), y.ndim - 1


_large = bilinear_primitive("large_convolution", _xla_convolution, _product, _by_image, _by_kernel, _by_models)
