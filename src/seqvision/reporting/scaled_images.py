"""Values of pictures, whatever they are, on one scale."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def scaled_images(images: ArrayLike) -> Floats:
    """Return images as (B, H, W) or (B, H, W, 3) in 0..1, all by one scale.

    >>> scaled_images(np.array([[[[2.0]]], [[[4.0]]]])).ravel().tolist()
    [0.0, 1.0]
    """
    pictures = np.asarray(images, np.float64)
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    if not (pictures.ndim == 3 or (pictures.ndim == 4 and pictures.shape[-1] == 3)):
        raise ValueError(f"images must be (B, H, W), (B, H, W, 1) or (B, H, W, 3), got shape {np.shape(images)}")
    if pictures.size == 0:
        return pictures
    low, high = float(pictures.min()), float(pictures.max())
    return (pictures - low) / (high - low or 1.0)
