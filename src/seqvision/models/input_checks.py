"""Checks of a model's fields and of what it is given, made while it is traced."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_flags


def check_axes(model: Any, x: Array, spatial: int, *, more: bool = False) -> None:
    """Refuse what is not (B, *spatial, C), and fields that should be True or False and are neither.

    Args:
      model: the module, or its name.
      x: what it is given.
      spatial: how many axes lie between the batch and the channels.
      more: whether there may be several batch axes.

    >>> check_axes("ConvBlock", jnp.zeros((5, 28, 28)), 2)
    Traceback (most recent call last):
    ...
    ValueError: ConvBlock: x must be (B, H, W, C), got (5, 28, 28): give it channels, x[..., None], or a batch, x[None]
    """
    name = model if isinstance(model, str) else type(model).__name__
    if not isinstance(model, str):
        check_flags(model)
    if x.ndim == spatial + 2 or (more and x.ndim > spatial + 2):
        return
    axes = {1: ("T",), 2: ("H", "W"), 3: ("D", "H", "W")}.get(spatial, tuple(f"S{n}" for n in range(spatial)))
    remedy = "take an axis away" if x.ndim > spatial + 2 else "give it channels, x[..., None], or a batch, x[None]"
    if spatial == 2 and x.ndim == 3 and hasattr(model, "kernel_size"):
        remedy += "; for series (B, T, D) write kernel_size=(3,)"
    raise ValueError(f"{name}: x must be ({', '.join(('B', *axes, 'C'))}), got {x.shape}: {remedy}")


def check_pictures(model: Any, x: Array, spatial: int = 2) -> None:
    """Refuse what are no pictures (B, H, W, C): `check_axes`, channels in front, and integers that nobody scaled.

    One or three rows of square pictures whose width would be their channels: nobody has such images but in the layout
    (B, C, H, W).

    >>> check_pictures("ConvNet", jnp.zeros((2, 3, 32, 32)))
    Traceback (most recent call last):
    ...
    ValueError: ConvNet: x (2, 3, 32, 32) has its channels in front; they come last, (B, H, W, C): jnp.moveaxis(x, ...)
    """
    name = model if isinstance(model, str) else type(model).__name__
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"{name}: x is {x.dtype}: scale images first, uint8 by x / 255")
    check_axes(model, x, spatial)
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3] > 4:
        raise ValueError(
            f"{name}: x {x.shape} has its channels in front; they come last, (B, H, W, C): jnp.moveaxis(x, 1, -1)"
        )
