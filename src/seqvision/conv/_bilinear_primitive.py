"""A convolution as JAX primitives: bilinear in image and kernel, with transposes and rules for vmap of their own."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.extend.core import Primitive
from jax.interpreters import ad

from seqvision._primitives import make_primitive
from seqvision._sharding import vary_alike
from seqvision.conv._arguments import Pairs


@dataclass(frozen=True)
class Placement:
    """How a window moves over an image, one entry for each spatial axis; no negative padding."""

    stride: tuple[int, ...]
    pairs: Pairs
    dilation: tuple[int, ...]
    sizes: tuple[int, ...]  # of the image
    window: tuple[int, ...]  # taps of the kernel
    multiplier: int = 1  # outputs of each channel, of a depthwise convolution


def bilinear_primitive(
    name: str, routine: Callable, product: Callable, by_image: Callable, by_kernel: Callable, by_models: Callable
) -> Callable[..., Array]:
    """Build the convolution whose values are those of ``routine``, as a function (x, kernel, placement, transposed).

    The gradient by the kernel is a primitive too, a sum over images, so that where they lie over several devices each
    device sums its own ones.

    Args:
      name: as it stands in a jaxpr.
      routine: (x, kernel, placement) -> y.
      product: the same by operations that are cut over models where these lie on several devices.
      by_image: (g, kernel, placement, transposed) -> the gradient by the image.
      by_kernel: (g, x, placement) -> the gradient by the kernel.
      by_models: (x, kernel, x_axis, kernel_axis, bind) -> (y, its axis of models), where each has a kernel, or None:
        then one model after another is computed; ``bind`` computes a convolution of one model.
    """
    options = ("placement", "transposed", "models")

    def convolve(x: Array, kernel: Array, *, placement: Placement, transposed=None, models: int, devices: int = 1):
        of_models = functools.partial(routine if devices == 1 or not models else product, placement=placement)
        for _ in range(models):
            of_models = functools.partial(_one_after_another, of_models, devices=devices)
        return of_models(x, kernel)

    def sum_over_images(g: Array, x: Array, *, placement: Placement, transposed=None, models: int, devices: int = 1):
        of_models = functools.partial(_in_groups, functools.partial(by_kernel, placement=placement), devices=devices)
        return _mapped(of_models, models)(g, x)

    def over_models(arrays: Any, axes: Any, **how: Any) -> Any:
        (x, kernel), (x_axis, kernel_axis) = arrays, axes
        if not how["models"]:
            if kernel_axis is None:  # one kernel for all: their images are more images
                x = jnp.moveaxis(x, x_axis, 0)
                y = convolution.bind(x.reshape(-1, *x.shape[2:]), kernel, **how)
                return y.reshape(*x.shape[:2], *y.shape[1:]), 0
            done = by_models(x, kernel, x_axis, kernel_axis, functools.partial(convolution.bind, **how))
            if done is not None:
                return done
        return more_models(convolution, arrays, axes, how)

    def sum_over_models(arrays: Any, axes: Any, **how: Any) -> Any:
        return more_models(kernel_gradient, arrays, axes, how)

    convolution = make_primitive(name, convolve, batch=over_models, options=options, over_devices=True)
    kernel_gradient = make_primitive(
        f"{name}_by_kernel", sum_over_images, batch=sum_over_models, options=options, over_devices=True
    )

    def to_image(g: Array, kernel: Array, *, placement: Placement, transposed: Callable, models: int) -> Array:
        return _mapped(functools.partial(by_image, placement=placement, transposed=transposed), models)(g, kernel)

    ad.defbilinear(
        convolution,
        lambda g, x, kernel, **how: to_image(g, kernel, **how),
        lambda g, x, kernel, **how: kernel_gradient.bind(g, x, **how),
    )
    ad.defbilinear(
        kernel_gradient,
        lambda kernel, g, x, **how: convolution.bind(x, kernel, **how),
        lambda kernel, g, x, **how: to_image(g, kernel, **how),
    )

    def bind(x: Array, kernel: Array, placement: Placement, transposed: Callable) -> Array:
        return convolution.bind(*vary_alike((x, kernel)), placement=placement, transposed=transposed, models=0)

    return bind


def more_models(primitive: Primitive, arrays: Any, axes: Any, how: dict[str, Any]) -> Any:
    """Bind a primitive to arrays with one more axis of models."""
    size = next(a.shape[axis] for a, axis in zip(arrays, axes, strict=True) if axis is not None)
    leading = [
        jnp.broadcast_to(a, (size, *a.shape)) if axis is None else jnp.moveaxis(a, axis, 0)
        for a, axis in zip(arrays, axes, strict=True)
    ]
    return primitive.bind(*leading, **(how | {"models": how["models"] + 1})), 0


def _mapped(function: Callable, models: int) -> Callable:
    """Return a function of one model for arrays with so many axes of models."""
    for _ in range(models):
        function = jax.vmap(function)
    return function


def _one_after_another(function: Callable, x: Array, kernel: Array, *, devices: int) -> Array:
    """Compute the models (M, ...) one after another, on each device those that lie there."""
    models = x.shape[0]
    groups = _groups(models, devices)
    if groups == 1:
        return lax.map(lambda model: function(*model), (x, kernel))
    if groups == models:
        return jax.vmap(function)(x, kernel)
    turns = (jnp.moveaxis(a.reshape(groups, -1, *a.shape[1:]), 1, 0) for a in (x, kernel))
    y = lax.map(lambda turn: jax.vmap(function)(*turn), tuple(turns))
    return jnp.moveaxis(y, 0, 1).reshape(models, *y.shape[2:])


def _in_groups(by_kernel: Callable, g: Array, x: Array, *, devices: int) -> Array:
    """Sum over images (N, ...), on each device over those that lie there first."""
    groups = _groups(x.shape[0], devices)
    if groups == 1:
        return by_kernel(g, x)
    return jax.vmap(by_kernel)(*(a.reshape(groups, -1, *a.shape[1:]) for a in (g, x))).sum(0)


def _groups(size: Any, devices: int) -> int:
    """Into how many parts an axis can be cut for devices; one where its size is a symbol."""
    return math.gcd(size, devices) if isinstance(size, int) else 1
