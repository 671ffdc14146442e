"""Checks of what an image model is given, made while it is traced."""

import jax.numpy as jnp
from jax import Array


def check_pictures(model: object, x: Array) -> None:
    """Refuse images with their channels in front, and integers that nobody scaled.

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
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3] > 4:
        raise ValueError(
            f"{name}: x {x.shape} has its channels in front; they come last, (B, H, W, C): jnp.moveaxis(x, 1, -1)"
        )
