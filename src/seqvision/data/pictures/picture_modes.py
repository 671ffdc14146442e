"""What the numbers in a picture mean: each of Pillow's modes as shades in 0..1, with all the bits that it has."""

import sys
from typing import Any, NamedTuple

import numpy as np

from seqvision._checks import check_count, is_int

_GRAY = ("1", "L", "LA", "La")
_COLOR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N")
_SCALED = ("PNG", "PPM")  # formats whose integers of mode I are shades of 16 bits
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R 601-2, as Pillow's
# Raw modes of 16 bits a channel, of which Pillow keeps the upper 8, and those with which it reads the lower 8 instead
# (of gray with transparency: all four bytes).
LOWER_BITS = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBX", "RGBA")
    for order, other in ("BL", "LB", "NB" if sys.byteorder == "little" else "NL")
} | {"LA;16B": "RGBA"}


class Coding(NamedTuple):
    """How a file holds its pixels, which is known only before they are read."""

    format: str | None = None
    raw: str = ""  # Pillow's name of the packing in the file
    negative: bool = False  # white is 0, which Pillow leaves as it is where there are more than 8 bits


def coding_of(image: Any) -> Coding:
    """Tell the coding of a picture that was opened and not read yet."""
    args = image.tile[0][3] if getattr(image, "tile", None) else ""
    raw = args[0] if isinstance(args, tuple) and args else args
    negative = getattr(image, "tag_v2", {}).get(262) == 0
    return Coding(image.format, raw if isinstance(raw, str) else "", negative)


def lower_bits(image: Any, coding: Coding) -> Any:
    """Let a picture that was opened and not read yet read the lower 8 bits of its 16."""
    raw = LOWER_BITS[coding.raw]
    image.tile = [
        tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw) for tile in image.tile
    ]
    return image


def check_size(size: Any) -> tuple[int, int] | None:
    """Return (height, width) of one size for both, of two, or None.

    >>> check_size(64), check_size((2, 3))
    ((64, 64), (2, 3))
    """
    if size is None:
        return None
    if is_int(size):
        size = (size, size)
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise ValueError(f"size must be (height, width), or one int for both, got {size!r}")
    height, width = (check_count("size", side) for side in size)
    check_pixels("size", height, width)
    return height, width


def check_pixels(name: Any, height: int, width: int) -> None:
    """Refuse more pixels than Pillow's bound, before memory is taken for them."""
    from PIL import Image

    most = Image.MAX_IMAGE_PIXELS
    if most is not None and height * width > most:
        raise ValueError(
            f"{name} is {height} x {width} pixels, more than {most:,}: make it smaller, or set "
            "PIL.Image.MAX_IMAGE_PIXELS higher if you trust where it is from"
        )


def shades(
    name: Any, image: Any, coding: Coding, channels: int | None, size: tuple[int, int] | None, lower: Any = None
) -> np.ndarray:
    """Turn a Pillow image into (H, W, channels) float32 in 0..1.

    Args:
      name: what to call it in errors.
      image: it.
      coding: of its file.
      channels: 1, 3, or None for what it has.
      size: to resize to, or None.
      lower: what `lower_bits` made of it, if ``image`` has the upper 8 bits of 16.

    Raises:
      ValueError: naming the mode, if no shades can be told from its numbers.
    """
    from PIL import Image

    mode = image.mode
    gray = mode in _GRAY
    if lower is None and (gray or mode in _COLOR):
        image.info.pop("transparency", None)  # of palettes, of which Pillow warns
        if mode in ("La", "RGBa"):  # of multiplied colors Pillow makes plain ones first
            image = image.convert("LA" if gray else "RGBA")
        image = image.convert("L" if (channels or (1 if gray else 3)) == 1 else "RGB")
        if size is not None:
            image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
        pixels = np.asarray(image, np.float32) / np.float32(255)
        return pixels[..., None] if pixels.ndim == 2 else pixels
    if coding.raw == "LA;16B":
        four = np.asarray(lower, np.float32)
        values = (four[..., :1] * 256 + four[..., 1:2]) / np.float32(65535)
    elif lower is not None:
        upper, rest = (np.asarray(part.convert("RGB"), np.float32) for part in (image, lower))
        values = (upper * 256 + rest) / np.float32(65535)
    else:
        values = _deep(name, image, coding)[..., None]
    if values.shape[-1] != (channels or values.shape[-1]):
        values = (values @ _LUMA)[..., None] if channels == 1 else values.repeat(3, axis=-1)
    if size is not None:
        each = [Image.fromarray(np.ascontiguousarray(values[..., k])) for k in range(values.shape[-1])]
        resized = [np.asarray(one.resize((size[1], size[0]), Image.Resampling.BILINEAR)) for one in each]
        values = np.stack(resized, axis=-1).clip(0, 1)  # rounding must not push a white pixel above 1
    return values


def _deep(name: Any, image: Any, coding: Coding) -> np.ndarray:
    """Return (H, W) float32 in 0..1 of a mode with one channel of more than 8 bits."""
    if image.mode in _DEEP:
        values = np.asarray(image, np.float32) / np.float32(4095 if coding.raw == "I;12" else 65535)
    elif image.mode == "I" and coding.format in _SCALED:
        values = np.asarray(image, np.float32) / np.float32(65535)
    elif image.mode in ("I", "F"):
        values = np.asarray(image)
        low, high = float(values.min()), float(values.max())
        if not (low >= 0 and high <= 1):
            kind = "32-bit integers" if image.mode == "I" else "floats"
            raise ValueError(
                f"{name} is a picture of mode {image.mode}, {kind} that reach from {low:g} to {high:g}, of which no "
                "shades can be told: store floats in 0..1, or 8 or 16 bits"
            )
        values = values.astype(np.float32)
    else:
        raise ValueError(f"{name} is a picture of mode {image.mode}, which is not read: convert it to RGB or to gray")
    return 1 - values if coding.negative else values
