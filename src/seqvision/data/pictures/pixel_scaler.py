"""Scaling of pixels: fitted on training images alone, applied to all."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from seqvision._arrays import as_array
from seqvision._checks import check_choice
from seqvision.data.arrays import Arrays
from seqvision.data.pictures.digits_and_fashion import ImageData

PixelKind = Literal["unit", "mean", "standard"]
_MOST = 1e60
_CHUNK = 1 << 24  # pixels summed at once in double precision


@dataclass(frozen=True)
class PixelScaler:
    """Map each channel by (x - shift) / scale, in float32.

    Plain numbers: hashable, comparable, written to JSON without loss, and usable inside jit.

    Args:
      kind: how it was fitted.
      shift: C numbers, in the units of the images.
      scale: C positive numbers.

    >>> scaler = PixelScaler("standard", (0.5,), (0.25,))
    >>> scaler.transform(np.ones((1, 2, 2, 1), np.float32)).ravel().tolist()
    [2.0, 2.0, 2.0, 2.0]
    """

    kind: PixelKind
    shift: tuple[float, ...]
    scale: tuple[float, ...]

    def transform(self, images: Any) -> Any:
        """Scale images (..., H, W, C)."""
        shift, scale = self._constants(images)
        return (images - shift) / scale

    def inverse(self, images: Any) -> Any:
        """Bring scaled images (..., H, W, C) back."""
        shift, scale = self._constants(images)
        return images * scale + shift

    def apply(self, data: ImageData) -> ImageData:
        """Scale the training and the test images of a data set alike."""
        train, test = (Arrays(self.transform(part.x), part.y) for part in (data.train, data.test))
        return ImageData(train, test, data.classes)

    def _constants(self, images: Any) -> tuple[np.ndarray, np.ndarray]:
        shape = np.shape(images)
        if len(shape) < 3 or shape[-1] != len(self.shift):
            raise ValueError(
                f"images must be (..., H, W, {len(self.shift)}), channels last, as those that were fitted, but their "
                f"shape is {shape}"
            )
        tail = (1,) * (len(shape) - 1) + (len(self.shift),)
        return np.array(self.shift, np.float32).reshape(tail), np.array(self.scale, np.float32).reshape(tail)


def fit_pixel_scaler(training_images: ArrayLike, kind: PixelKind = "standard") -> PixelScaler:
    """Fit a scaler on training images, and on nothing else.

    Args:
      training_images: (N, H, W, C).
      kind: "unit" (0..255 to 0..1), "mean" (each channel's mean becomes 0, the scale stays: as in VGG), or "standard"
        (each channel's mean becomes 0 and its variance 1).

    Returns:
      The scaler; a channel that is constant in the training images is only shifted.

    Raises:
      ValueError: for an unknown kind, another shape, or values that are not finite or beyond 1e60.

    >>> fit_pixel_scaler(np.array([0.0, 1.0]).reshape(2, 1, 1, 1))
    PixelScaler(kind='standard', shift=(0.5,), scale=(0.5,))
    """
    images = as_array("training_images", training_images)
    check_choice("kind", kind, ("unit", "mean", "standard"))
    if images.dtype.kind not in "fiub":
        raise TypeError(f"training_images must hold numbers, but are {images.dtype}")
    if images.ndim != 4 or not images.size:
        raise ValueError(f"training_images must be (N, H, W, C) with at least one, but their shape is {images.shape}")
    low, high = float(images.min()), float(images.max())
    if not -_MOST <= low <= high <= _MOST:
        raise ValueError(f"training_images reach from {low:g} to {high:g}: repair or drop what is not finite or huge")
    channels = images.shape[-1]
    if kind == "unit":
        return PixelScaler(kind, (0.0,) * channels, (255.0,) * channels)
    mean = _mean_over_pixels(images, np.zeros(channels), 1)
    if kind == "mean":
        return PixelScaler(kind, tuple(mean.tolist()), (1.0,) * channels)
    deviation = np.sqrt(_mean_over_pixels(images, mean, 2))
    deviation = np.where(deviation <= 1e-7 * np.abs(mean), 1.0, deviation)
    return PixelScaler(kind, tuple(mean.tolist()), tuple(deviation.tolist()))


def _mean_over_pixels(images: np.ndarray, center: np.ndarray, power: int) -> np.ndarray:
    """Return the mean of (x - center)^power for each channel, in double precision, a chunk of images at a time."""
    rows = max(1, _CHUNK // int(np.prod(images.shape[1:])))
    total = np.zeros(images.shape[-1])
    for start in range(0, len(images), rows):
        part = images[start : start + rows].astype(np.float64) - center
        total += (part**power).sum(axis=(0, 1, 2))
    return total / int(np.prod(images.shape[:-1]))
