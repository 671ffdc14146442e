"""Checks of a model's fields and of what it is given, made while it is traced."""

import dataclasses
from typing import Any, get_args, get_origin

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count, check_flags, check_number, shown


def check_fields(model: nn.Module) -> None:
    """Refuse fields of a module that are not what their annotations say; rates are in [0, 1).

    >>> from seqvision.models import MLP
    >>> check_fields(MLP(4))
    Traceback (most recent call last):
    TypeError: MLP: features must be a tuple, got 4: write (4,)
    """
    owner = type(model).__name__
    check_flags(model)
    for field in dataclasses.fields(model):
        name, value = field.name, getattr(model, field.name)
        kinds = (field.type, *get_args(field.type))
        if name in ("parent", "name", "cells") or (value is None and type(None) in kinds):
            continue
        if name == "dropout":
            for rate in value if isinstance(value, tuple | list) else (value,):
                check_number("dropout", rate, owner=owner, least=0, below=1)
        elif field.type is int:
            check_count(name, value, owner=owner, least=0 if name == "pool" else 1)
        elif nn.Module in kinds:
            if isinstance(value, type) or not callable(value):
                example = f"{value.__name__}(…)" if isinstance(value, type) else "ClassificationHead(10)"
                raise TypeError(f"{owner}: {name} must be a module, such as {example}, got {shown(value)}")
        else:
            _check_sizes(owner, name, value, field.type)


def _check_sizes(owner: str, name: str, value: Any, annotation: Any) -> None:
    """Refuse what is no tuple of sizes, where nothing else is allowed."""
    kinds = (
        [annotation] if get_origin(annotation) is tuple else [k for k in get_args(annotation) if k is not type(None)]
    )
    if not kinds or any(get_origin(kind) is not tuple for kind in kinds):
        return
    if not isinstance(value, tuple | list):
        remedy = f"({value}, {value})" if name == "kernel_size" else f"({shown(value)},)"
        raise TypeError(f"{owner}: {name} must be a tuple, got {shown(value)}: write {remedy}")
    if set(get_args(kinds[0])) <= {int, ...}:
        for size in value:
            check_count(f"every number in {name}", size, owner=owner)


def check_same_number(model: nn.Module, one: str, other: str) -> None:
    """Refuse two fields that have an entry for each stage, and not as many."""
    sizes = [len(getattr(model, name)) for name in (one, other)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"{type(model).__name__}: {one} and {other} must have an entry for each stage, got "
            f"{sizes[0]} and {sizes[1]}"
        )


def check_axes(model: Any, x: Array, spatial: int | None = None, *, more: bool = False) -> None:
    """Refuse what is not (B, *spatial, C), and fields that are not what they should be.

    Args:
      model: the module, or its name.
      x: what it is given.
      spatial: how many axes lie between the batch and the channels; as many as its ``kernel_size`` has where None.
      more: whether there may be several batch axes.

    >>> check_axes("ConvBlock", jnp.zeros((5, 28, 28)), 2)
    Traceback (most recent call last):
    ...
    ValueError: ConvBlock: x must be (B, H, W, C), got (5, 28, 28): give it channels, x[..., None], or a batch, x[None]
    """
    name = model if isinstance(model, str) else type(model).__name__
    if not isinstance(model, str):
        check_fields(model)
    spatial = len(model.kernel_size) if spatial is None else spatial
    if x.ndim == spatial + 2 or (more and x.ndim > spatial + 2):
        return
    axes = {1: ("T",), 2: ("H", "W"), 3: ("D", "H", "W")}.get(spatial, tuple(f"S{n}" for n in range(spatial)))
    remedy = "take an axis away" if x.ndim > spatial + 2 else "give it channels, x[..., None], or a batch, x[None]"
    if spatial == 2 and x.ndim == 3 and hasattr(model, "kernel_size"):
        remedy += "; for series (B, T, D) write kernel_size=(3,)"
    raise ValueError(f"{name}: x must be ({', '.join(('B', *axes, 'C'))}), got {x.shape}: {remedy}")


def check_pictures(model: Any, x: Array, spatial: int | None = 2) -> None:
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
