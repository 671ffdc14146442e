"""What pictures a model was trained on: another one is brought to their form, and what differs is said."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision.data.pictures.image_arrays import Channels, read_picture

_CHUNK = 1 << 22  # pixels looked at at once
_CHROMA = 8 / 255  # channels of a gray picture differ by less: compression leaves some color in what has none
_ASPECT = 1.02  # widths that differ by less from what was seen are rounding


class FormedPicture(NamedTuple):
    """A picture in the form of a model's training pictures."""

    pixels: np.ndarray  # (H, W, C) float32 in 0..1
    notes: tuple[str, ...]  # what was done to it, and how it differs from every training picture


@dataclass(frozen=True)
class PictureForm:
    """Size, channels and looks of training pictures: plain numbers, written to JSON without loss.

    Attributes:
      height: of all, in pixels, once they were resized.
      width: likewise.
      channels: 1 for gray, 3 for color.
      resized: whether a file had another size than that.
      colored: share of the pictures that have colors.
      aspects: the smallest and the largest width / height of the files.
      levels: the smallest and the largest mean over the pixels of a picture, in 0..1.

    >>> form = PictureForm.of(np.full((2, 4, 6, 1), 0.25, np.float32))
    >>> form.aspects, form.levels, form.resized
    ((1.5, 1.5), (0.25, 0.25), False)
    """

    height: int
    width: int
    channels: Channels
    resized: bool
    colored: float
    aspects: tuple[float, float]
    levels: tuple[float, float]

    @classmethod
    def of(cls, images: ArrayLike, sizes: ArrayLike | None = None) -> "PictureForm":
        """Describe training pictures.

        Args:
          images: (N, H, W, C) in 0..1, C 1 or 3.
          sizes: (N, 2) heights and widths of their files; None if they have no others.
        """
        array = np.asarray(images)
        count, height, width, channels = array.shape
        sides = np.tile([height, width], (count, 1)) if sizes is None else np.asarray(sizes)
        aspects = sides[:, 1] / sides[:, 0]
        rows = max(1, _CHUNK // (height * width * channels))
        parts = [array[start : start + rows] for start in range(0, count, rows)]
        levels = np.concatenate([part.reshape(len(part), -1).mean(axis=1, dtype=np.float64) for part in parts])
        colored = np.concatenate([_has_colors(part) for part in parts])
        return cls(
            height,
            width,
            channels,
            resized=bool((sides != (height, width)).any()),
            colored=float(colored.mean()),
            aspects=(float(aspects.min()), float(aspects.max())),
            levels=(float(levels.min()), float(levels.max())),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PictureForm":
        """Rebuild a form from what `to_dict` gave.

        >>> form = PictureForm(8, 8, 1, False, 0.0, (1.0, 1.0), (0.1, 0.4))
        >>> PictureForm.from_dict(form.to_dict()) == form
        True
        """
        pairs = {name: tuple(map(float, values[name])) for name in ("aspects", "levels")}
        return cls(**{**values, **pairs})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def only_colored(self, images: ArrayLike) -> np.ndarray:
        """Return which (N,) of images (N, H, W, 3) have colors, if no training picture has: `read` takes their shades.

        >>> red = np.zeros((1, 2, 2, 3), np.float32)
        >>> red[..., 0] = 1
        >>> PictureForm.of(np.ones((1, 2, 2, 3))).only_colored(red), PictureForm.of(red).only_colored(red)
        (array([ True]), array([False]))
        """
        return _has_colors(np.asarray(images)) & (self.colored == 0)

    def read(self, image: Any) -> FormedPicture:
        """Read a picture as the training pictures were read, to the bit, and say where it differs from all of them.

        A picture with colors where no training picture had any is taken by its shades of gray.

        Args:
          image: a path, an open file, or a Pillow image.

        Raises:
          ValueError: as `image_to_array`, naming the file.

        >>> from PIL import Image
        >>> form = PictureForm(2, 2, 1, False, 0.0, (1.0, 1.0), (0.0, 0.5))
        >>> form.read(Image.new("RGB", (2, 2), (255, 0, 0))).notes[0]
        'has colors, and no training picture has: its shades of gray are taken'
        """
        picture = read_picture(image, size=(self.height, self.width), channels=3)
        colors = bool(_has_colors(picture.pixels[None])[0])
        notes = []
        pixels = picture.pixels
        if colors and not self.colored:
            notes.append("has colors, and no training picture has: its shades of gray are taken")
        elif not colors and self.colored == 1:
            notes.append("is gray, and every training picture has colors: its shades are taken for all three")
        if self.channels == 1 or (colors and not self.colored):
            pixels = read_picture(image, size=(self.height, self.width), channels=1).pixels
            pixels = pixels.repeat(self.channels, axis=-1)
        notes += self._about_size(picture.height, picture.width) + self._about_level(pixels)
        return FormedPicture(pixels, tuple(notes))

    def _about_size(self, height: int, width: int) -> list[str]:
        low, high = self.aspects
        aspect = width / height
        distorted = not low / _ASPECT <= aspect <= high * _ASPECT
        if (height, width) == (self.height, self.width) or (self.resized and not distorted):
            return []
        trained = f"width / height {aspect:.2f} where training pictures had {_span(low, high)}: it looks distorted"
        if not self.resized and not distorted:
            trained = "all training pictures had that size in their files"
        return [f"resized from {height} x {width} pixels to {self.height} x {self.width}; {trained}"]

    def _about_level(self, pixels: np.ndarray) -> list[str]:
        level, (low, high) = float(pixels.mean(dtype=np.float64)), self.levels
        if pixels.min() == pixels.max():
            return ["all of it is one shade"]
        low, high = low - 0.01, high + 0.01
        if low <= level <= high:
            return []
        negative = "; its negative has not: if it is dark on light and they are not, PIL.ImageOps.invert turns it over"
        return [
            f"mean brightness {level:.2f} where training pictures had {_span(*self.levels)}"
            + (negative if low <= 1 - level <= high else "")
        ]


def _has_colors(images: np.ndarray) -> np.ndarray:
    """Return for each of (N, H, W, C) whether its channels differ."""
    if images.shape[-1] == 1:
        return np.zeros(len(images), bool)
    red, green, blue = (images[..., k] for k in range(3))
    pairs = ((red, green), (green, blue), (blue, red))
    return np.max([np.abs(one - other).max(axis=(1, 2)) for one, other in pairs], axis=0) > _CHROMA


def _span(low: float, high: float) -> str:
    return f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
