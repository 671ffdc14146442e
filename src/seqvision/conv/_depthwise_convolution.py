"""Depthwise convolution on CPU: shift, multiply, add, as a bilinear operation with fast transposes of its own."""

import math
from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from seqvision._sharding import vary_alike
from seqvision.conv._arguments import Pairs
from seqvision.conv._bilinear_primitive import Placement, bilinear_primitive
from seqvision.conv._geometry import pad, taps
from seqvision.conv.channels import channel_sums


def depthwise_convolution(
    x: Array,
    kernel: Array,
    stride: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    transposed: Callable[..., Array],
) -> Array:
    """x (N, *spatial, C) with kernel (*window, 1, C * multiplier): each channel by itself.

    Args:
      x, kernel: arrays of one dtype.
      stride, pairs, dilation: one entry for each spatial axis; no negative padding.
      transposed: (g, kernel, sizes, stride, pairs, dilation) -> the gradient of an image of those sizes.
    """
    multiplier = kernel.shape[-1] // x.shape[-1]
    placement = Placement(stride, pairs, dilation, x.shape[1:-1], kernel.shape[:-2], multiplier)
    return _depthwise(x, kernel, placement, transposed)


def _shift_multiply_add(x: Array, kernel: Array, placement: Placement) -> Array:
    """The convolution as its definition says."""
    pixels = taps(pad(x, placement.pairs), placement.window, placement.stride, placement.dilation)
    weights = kernel.reshape(-1, kernel.shape[-1])
    parts = []
    for pixel, weight in zip(pixels, lax.split(weights, [1] * len(pixels)), strict=True):
        pixel = _repeated(pixel, kernel.shape[-1])
        parts.append(pixel * lax.broadcast_in_dim(weight[0], pixel.shape, (pixel.ndim - 1,)))
    return sum(parts[1:], start=parts[0])


def _by_image(g: Array, kernel: Array, placement: Placement, transposed: Callable) -> Array:
    """The transpose by the image: each output sends to the pixels that it saw."""
    y = transposed(g, kernel, placement.sizes, placement.stride, placement.pairs, placement.dilation)
    return y if placement.multiplier == 1 else y.reshape(*y.shape[:-1], -1, placement.multiplier).sum(-1)


def _by_kernel(g: Array, x: Array, placement: Placement) -> Array:
    """The transpose by the kernel: the products of each tap are added up image by image, and over pixels at the end.

    XLA:CPU would sum over pixels at once by columns, strided; sums of whole images run along memory.
    """
    shape = (*placement.window, 1, g.shape[-1])

    def add(totals, images):
        pixels = taps(images[0][None], placement.window, placement.stride, placement.dilation)
        products = [_repeated(pixel[0], shape[-1]) * images[1] for pixel in pixels]
        return [total + product for total, product in zip(totals, products, strict=True)], None

    start = [jnp.zeros(g.shape[1:], g.dtype)] * math.prod(placement.window)
    totals, _ = lax.scan(add, vary_alike(start, g), (pad(x, placement.pairs), g))
    return jnp.stack([channel_sums(total) for total in totals]).reshape(shape)


def _by_models(x: Array, kernel: Array, x_axis, kernel_axis, bind: Callable):
    """The models' channels side by side."""
    kernel = jnp.moveaxis(kernel, kernel_axis, -2)
    models = kernel.shape[-2]
    if x_axis is None:
        x, x_axis = jnp.broadcast_to(x, (models, *x.shape)), 0
    x = jnp.moveaxis(x, x_axis, -2)
    y = bind(x.reshape(*x.shape[:-2], -1), kernel.reshape(*kernel.shape[:-2], -1))
    return y.reshape(*y.shape[:-1], models, -1), y.ndim - 1


def _repeated(x: Array, features: int) -> Array:
    """Each channel of x (..., C) as many times as there are outputs of it."""
    return x if x.shape[-1] == features else jnp.repeat(x, features // x.shape[-1], axis=-1)


_depthwise = bilinear_primitive(
    "depthwise_convolution", _shift_multiply_add, _shift_multiply_add, _by_image, _by_kernel, _by_models
)
