"""A convolution as a JAX primitive: bilinear in image and kernel, with transposes and a rule for vmap of its own."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir


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
    primitive = Primitive(name)

    def shape(x: Any, kernel: Any, **options: Any) -> Any:
        y = jax.eval_shape(functools.partial(routine, **options), x, kernel)
        return jax.core.ShapedArray(y.shape, x.dtype)

    def over_models(arrays: Any, axes: Any, **options: Any) -> Any:
        (x, kernel), (x_axis, kernel_axis) = arrays, axes
        if kernel_axis is not None:
            return by_models(x, kernel, x_axis, kernel_axis, **options)
        x = jnp.moveaxis(x, x_axis, 0)  # one kernel for all: their images are more images
        y = primitive.bind(x.reshape(-1, *x.shape[2:]), kernel, **options)
        return y.reshape(*x.shape[:2], *y.shape[1:]), 0

    primitive.def_impl(jax.jit(routine, static_argnames=("stride", "pairs", "dilation", "transposed")))
    primitive.def_abstract_eval(shape)
    ad.defbilinear(primitive, by_image, by_kernel)
    batching.primitive_batchers[primitive] = over_models
    mlir.register_lowering(primitive, mlir.lower_fun(routine, multiple_results=False))
    return primitive
