"""A convolution as a JAX primitive: bilinear in image and kernel, with transposes and a rule for vmap of its own."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad

from seqvision._primitives import make_primitive


def bilinear_primitive(
    name: str, routine: Callable, by_image: Callable, by_kernel: Callable, by_models: Callable
) -> Primitive:
    """Build the primitive whose values are those of ``routine``.

    Args:
      name: as it stands in a jaxpr.
      routine: (x, kernel, *, stride, pairs, dilation, transposed) -> y.
      by_image: (g, x, kernel, **options) -> the gradient by x, of which only ``x.aval`` is there.
      by_kernel: (g, x, kernel, **options) -> the gradient by the kernel, of which only ``kernel.aval`` is there.
      by_models: (x, kernel, x_axis, kernel_axis, **options) -> (y, its axis of models), where each has a kernel.
    """

    def over_models(arrays: Any, axes: Any, **options: Any) -> Any:
        (x, kernel), (x_axis, kernel_axis) = arrays, axes
        if kernel_axis is not None:
            return by_models(x, kernel, x_axis, kernel_axis, **options)
        x = jnp.moveaxis(x, x_axis, 0)  # one kernel for all: their images are more images
        y = primitive.bind(x.reshape(-1, *x.shape[2:]), kernel, **options)
        return y.reshape(*x.shape[:2], *y.shape[1:]), 0

    options = ("stride", "pairs", "dilation", "transposed")
    primitive = make_primitive(name, routine, batch=over_models, options=options)
    ad.defbilinear(primitive, by_image, by_kernel)
    return primitive
