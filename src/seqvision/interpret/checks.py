"""What may be looked into: batches of images, layers that give images, classes among the scores."""

from typing import Any

import numpy as np


def check_images(images: Any) -> None:
    """Refuse what is not a batch of images."""
    if np.ndim(images) != 4 or np.shape(images)[0] == 0:
        raise ValueError(f"images must be (B, H, W, C) with B >= 1, got shape {np.shape(images)}")


def pick_layer(named: dict[str, Any], layer: str | None) -> str:
    """Return the name of a layer that gives images (B, h, w, C) and is called once; by default the last such.

    Raises:
      ValueError: if there is none of that name; the error lists those there are.
    """
    once = [name for name in named if " (" not in name and f"{name} (2)" not in named]
    fit = [name for name in once if getattr(named[name], "ndim", 0) == 4]
    if layer is None and fit:
        return fit[-1]
    if layer not in fit:
        wanted = "the model has no layer" if layer is None else f"layer {layer!r} is none"
        raise ValueError(f"{wanted} that is called once and gives (B, h, w, C); there are {fit}")
    return layer


def check_classes(classes: Any, shape: tuple[int, ...]) -> None:
    """Refuse outputs that are no scores (B, C), and classes that are not among them.

    Raises:
      ValueError: naming the shape or the classes.
    """
    if len(shape) != 2:
        raise ValueError(f"the model must give scores (B, C), got shape {shape}")
    if classes is None:
        return
    chosen = np.asarray(classes)
    if chosen.dtype.kind not in "iu" or chosen.shape not in ((), shape[:1]):
        raise ValueError(f"classes must be one integer or one for each of {shape[0]} images, got {classes!r}")
    if chosen.min() < 0 or chosen.max() >= shape[1]:
        raise ValueError(f"classes must lie in [0, {shape[1]}), got {classes!r}")
