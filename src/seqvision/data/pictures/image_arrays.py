"""Pictures: from files and Pillow images to arrays and back, and arrays of pictures as a model is trained on them."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from seqvision.data.arrays import Arrays
from seqvision.data.pictures.labels import check_labels

Channels = Literal[1, 3]
_MODES = {1: "L", 3: "RGB"}


def image_to_array(image: Any, *, size: tuple[int, int] | None = None, channels: Channels | None = None) -> np.ndarray:
    """Turn a picture into an array.

    A picture that a camera turned is put upright; palettes become colors, transparency is dropped.

    Args:
      image: a path, an open file, or a Pillow image.
      size: (height, width) to resize to, bilinear with antialiasing; None keeps it.
      channels: 1 for gray, 3 for color; None takes 1 for a gray picture and 3 for any other.

    Returns:
      (H, W, channels) float32 in 0..1.

    Raises:
      ValueError: naming the file if it is no picture, or a damaged one.

    >>> from PIL import Image
    >>> image_to_array(Image.new("RGB", (3, 2), (255, 0, 51)))[0, 0].tolist()
    [1.0, 0.0, 0.2...]
    """
    from PIL import Image, ImageOps

    if isinstance(image, Image.Image):
        return _pixels(ImageOps.exif_transpose(image), size, channels)
    name = image if isinstance(image, (str, PathLike)) else getattr(image, "name", "the picture")
    try:
        with Image.open(image) as opened:
            return _pixels(ImageOps.exif_transpose(opened), size, channels)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {name}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what Pillow's readers raise
        raise ValueError(f"{name} is no picture or a damaged one ({error}): replace or remove it") from None


def array_to_image(array: ArrayLike) -> Any:
    """Turn an array into a Pillow image, the inverse of `image_to_array` for pictures of 8 bits.

    Args:
      array: (H, W), (H, W, 1) or (H, W, 3); floats in 0..1, or uint8.

    Raises:
      ValueError: for another shape, or floats outside 0..1.

    >>> array_to_image(np.full((2, 3, 1), 0.2)).getpixel((0, 0))
    51
    """
    from PIL import Image

    pixels = np.asarray(array)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] != 3):
        raise ValueError(f"array must be (H, W), (H, W, 1) or (H, W, 3), but its shape is {np.shape(array)}")
    if pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float64)
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            raise ValueError(
                f"array must hold floats in 0..1 or uint8, but reaches from {pixels.min():g} to {pixels.max():g}: "
                "undo its scaling first"
            )
        pixels = np.round(pixels * 255).astype(np.uint8)
    return Image.fromarray(pixels)


def image_arrays(images: ArrayLike, labels: ArrayLike, classes: Sequence[str] | int) -> Arrays:
    """Check pictures and labels, and hold them as a data set.

    Args:
      images: (N, H, W, C) uint8, divided by 255 here, or floats that are scaled already; (N, H, W) is one channel.
      labels: (N,) integers in 0 .. K-1.
      classes: the K names, or K.

    Returns:
      Arrays with x (N, H, W, C) float32 and y (N,) int32.

    Raises:
      ValueError: for channels in front, pixels of 0..255 as floats, labels out of range, or one class only.

    >>> image_arrays(np.full((2, 8, 8), 255, np.uint8), [0, 1], ("cat", "dog")).x.max().item()
    1.0
    """
    pixels = np.asarray(images)
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    if pixels.ndim != 4 or not pixels.size:
        raise ValueError(f"images must be (N, H, W, C) or (N, H, W), but their shape is {np.shape(images)}")
    if channels_in_front(pixels.shape):
        raise ValueError(
            f"images of shape {pixels.shape} have their channels in front: channels come last here, "
            "np.moveaxis(images, 1, -1) puts them there"
        )
    count = classes if isinstance(classes, int) else len(classes)
    numbers = check_labels(labels, count)
    if len(np.unique(numbers)) < 2:
        raise ValueError("labels are all the same: a classifier needs images of at least two classes")
    if pixels.dtype == np.uint8:
        return Arrays(pixels / np.float32(255), numbers)
    if pixels.dtype.kind in "iu" or pixels.max() > 64:
        raise ValueError(
            f"images are {pixels.dtype} that reach to {pixels.max():g}: divide them by 255, or hand in uint8 to have "
            "it done"
        )
    return Arrays(pixels.astype(np.float32), numbers)


def channels_in_front(shape: Sequence[int]) -> bool:
    """Tell (N, C, H, W) from (N, H, W, C): 1 or 3 before two sizes that no number of channels has.

    >>> channels_in_front((50, 3, 32, 32)), channels_in_front((50, 32, 32, 3)), channels_in_front((50, 3, 3, 64))
    (True, False, False)
    """
    return len(shape) == 4 and shape[1] in (1, 3) and shape[2] > 4 and shape[3] > 4


def _pixels(image: Any, size: tuple[int, int] | None, channels: Channels | None) -> np.ndarray:
    from PIL import Image

    if channels is not None and channels not in _MODES:
        raise ValueError(f"channels must be 1, 3 or None, got {channels!r}")
    deep = image.mode in ("I;16", "I;16L", "I;16B", "I")  # 16 bits of gray, which Pillow would cut off at 255
    if deep:
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    gray = image.mode in ("1", "L", "LA", "F")
    image = image.convert(_MODES[channels or (1 if gray else 3)])
    if size is not None:
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float32) / np.float32(255)
    return pixels[..., None] if pixels.ndim == 2 else pixels
