"""Pictures: from files and Pillow images to arrays and back, and arrays of pictures as a model is trained on them."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from os import PathLike
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._checks import check_count, is_int
from seqvision.data.arrays import Arrays
from seqvision.data.pictures.labels import check_labels
from seqvision.data.pictures.picture_modes import LOWER_BITS, check_pixels, check_size, coding_of, lower_bits, shades

Channels = Literal[1, 3]
# Of Pillow's readers those of plain pictures, written in C: no documents, stubs or programs that others run.
_FORMATS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "SUN"),
    *("TGA", "TIFF", "WEBP"),
)


class Picture(NamedTuple):
    """A picture that was read."""

    pixels: np.ndarray  # (H, W, C) float32 in 0..1
    height: int  # of the upright picture, before it was resized
    width: int


def image_to_array(
    image: Any, *, size: int | tuple[int, int] | None = None, channels: Channels | None = None
) -> np.ndarray:
    """Turn a picture into an array.

    A picture that a camera turned is put upright; palettes become colors, transparency is dropped; of an animation or a
    file of several pages the first picture is taken. Shades of 16 bits keep them all (in color those of a file, since
    Pillow's own images have 8), floats in 0..1 are kept.

    Args:
      image: a path, an open file, or a Pillow image.
      size: (height, width) to resize to, or one int for both, bilinear with antialiasing; None keeps it.
      channels: 1 for gray, 3 for color; None takes 1 for a gray picture and 3 for any other.

    Returns:
      (H, W, channels) float32 in 0..1.

    Raises:
      ValueError: naming the file if it is no picture, a damaged one, one of more than `PIL.Image.MAX_IMAGE_PIXELS`
        pixels, or one of integers or floats that are no shades.
      TypeError: if the image is none of these.

    >>> from PIL import Image
    >>> image_to_array(Image.new("RGB", (3, 2), (255, 0, 51)))[0, 0].tolist()
    [1.0, 0.0, 0.2...]
    """
    return read_picture(image, size=size, channels=channels).pixels


def read_picture(image: Any, *, size: int | tuple[int, int] | None = None, channels: Channels | None = None) -> Picture:
    """Read a picture as `image_to_array` does, and say how large it was before it was resized.

    >>> from PIL import Image
    >>> picture = read_picture(Image.new("L", (3, 2)), size=4)
    >>> picture.pixels.shape, picture.height, picture.width
    ((4, 4, 1), 2, 3)
    """
    from PIL import Image

    if channels is not None and channels not in (1, 3):
        raise ValueError(f"channels must be 1 (gray), 3 (color) or None, got {channels!r}: transparency is dropped")
    size = check_size(size)
    if isinstance(image, Image.Image):
        return _read("the picture", image, channels, size)
    if hasattr(image, "read"):
        return _read(getattr(image, "name", "the picture"), image, channels, size)
    if not isinstance(image, str | PathLike):
        raise TypeError(f"image must be a path, an open file or a Pillow image, got {type(image).__name__}")
    try:
        with open(image, "rb") as file:
            return _read(image, file, channels, size)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {image}") from None


def picture_suffixes() -> set[str]:
    """Return the endings of the names of files that are read as pictures, in small letters."""
    from PIL import Image

    known = (*_formats(), "MPO")  # which the reader of JPEG opens
    return {suffix for suffix, kind in Image.registered_extensions().items() if kind in known}


@cache
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(kind for kind in _FORMATS if kind in Image.OPEN)


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
    if not pixels.size or pixels.dtype.kind not in "fiub":
        raise ValueError(f"array must hold numbers, at least one, but is {pixels.dtype} of shape {np.shape(array)}")
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
    if pixels.dtype.kind not in "fiub":
        raise TypeError(f"images must be uint8 or floats, but are {pixels.dtype}: are they of different sizes?")
    if pixels.ndim != 4 or not pixels.size:
        raise ValueError(f"images must be (N, H, W, C) or (N, H, W), but their shape is {np.shape(images)}")
    if channels_in_front(pixels.shape):
        raise ValueError(
            f"images of shape {pixels.shape} have their channels in front: channels come last here, "
            "np.moveaxis(images, 1, -1) puts them there"
        )
    count = check_count("classes", classes, least=2) if is_int(classes) else len(classes)  # type: ignore[arg-type]
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


def _read(name: Any, image: Any, channels: int | None, size: tuple[int, int] | None) -> Picture:
    """Read an open file or a Pillow image."""
    from PIL import Image, ImageOps

    lower = None
    if isinstance(image, Image.Image):
        coding = coding_of(image)
        check_pixels(name, image.height, image.width)
        with _named(name):
            upright = ImageOps.exif_transpose(image)
        return Picture(shades(name, upright, coding, channels, size), upright.height, upright.width)
    with _named(name):
        if not getattr(image, "seekable", lambda: False)():
            image = io.BytesIO(image.read())
        opened = Image.open(image, formats=_formats())
        coding = coding_of(opened)
    check_pixels(name, opened.height, opened.width)
    with _named(name):
        upright = ImageOps.exif_transpose(opened)
        if coding.raw in LOWER_BITS:
            image.seek(0)
            lower = ImageOps.exif_transpose(lower_bits(Image.open(image, formats=_formats()), coding))
    return Picture(shades(name, upright, coding, channels, size, lower), upright.height, upright.width)


@contextmanager
def _named(name: Any) -> Iterator[None]:
    """Whatever Pillow raises of a file says which one it is."""
    from PIL import Image

    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{name} has too many pixels ({error}): make it smaller") from None
    except Exception as error:  # its readers raise nearly anything
        said = str(error) or type(error).__name__
        raise ValueError(f"{name} is no picture or a damaged one ({said}): replace or remove it") from None
