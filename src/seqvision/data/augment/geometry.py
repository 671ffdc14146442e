"""Changes of where pixels stand, key and image in, image out: flips, shifts, crops, and rotation, zoom and shear."""

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.ndimage import map_coordinates

from seqvision._checks import check_choice, check_count, check_number

Fill = Literal["replicate", "reflect", "zero"]
# What stands beyond the border: the last pixel, the picture mirrored at it, or nothing.
_PAD = {"replicate": "edge", "reflect": "reflect", "zero": "constant"}
_COORDINATES = {"replicate": "nearest", "reflect": "mirror", "zero": "constant"}


@dataclass(frozen=True)
class Flip:
    """Mirror an image.

    Args:
      axis: "horizontal" swaps left and right, "vertical" top and bottom.
      probability: of doing so.

    >>> Flip(probability=1.0)(jax.random.key(0), jnp.array([[[1.0], [2.0]]])).ravel().tolist()
    [2.0, 1.0]
    """

    axis: Literal["horizontal", "vertical"] = "horizontal"
    probability: float = 0.5

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_choice("axis", self.axis, ("horizontal", "vertical"))
        check_number("probability", self.probability, least=0, most=1)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the image (H, W, C), or its mirror image."""
        mirrored = jnp.flip(image, 1 if self.axis == "horizontal" else 0)
        return jnp.where(jax.random.bernoulli(key, self.probability), mirrored, image)


@dataclass(frozen=True)
class Shift:
    """Shift an image by whole pixels, every shift up to the largest as likely as another.

    Args:
      height: largest shift up or down, as a share of the height (rounded to pixels).
      width: largest shift to a side, as a share of the width.
      fill: what comes in at the border: "replicate" (Keras's "nearest"), "reflect", "zero".

    >>> Shift(0.0, 0.5)(jax.random.key(1), jnp.array([[[1.0], [2.0]]])).ravel().tolist()
    [2.0, 2.0]
    """

    height: float = 0.1
    width: float = 0.1
    fill: Fill = "replicate"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_number("height", self.height, least=0, most=1)
        check_number("width", self.width, least=0, most=1)
        check_choice("fill", self.fill, _PAD)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the image (H, W, C) shifted."""
        return _random_crop(
            key, image, round(self.height * image.shape[0]), round(self.width * image.shape[1]), self.fill
        )


@dataclass(frozen=True)
class PadCrop:
    """Pad an image on all sides, and crop its size at a random place out of that.

    Args:
      pad: pixels on each side.
      fill: with what: "reflect", "zero" (He et al. 2016), "replicate".

    >>> PadCrop(2)(jax.random.key(0), jnp.ones((8, 8, 3))).shape
    (8, 8, 3)
    """

    pad: int = 4
    fill: Fill = "reflect"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_count("pad", self.pad, least=0)
        check_choice("fill", self.fill, _PAD)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the crop (H, W, C)."""
        return _random_crop(key, image, self.pad, self.pad, self.fill)


@dataclass(frozen=True)
class Warp:
    """Rotate, zoom and shear an image about its center, in one bilinear interpolation.

    Each is drawn uniformly from its range; 0 leaves it out.

    Args:
      rotation: largest angle in degrees, either way.
      zoom: largest change of size as a share: .1 draws factors from .9 to 1.1.
      shear: largest angle in degrees by which columns lean, either way, below 90.
      fill: what comes in at the border.

    >>> image = jnp.arange(16.0).reshape(4, 4, 1)
    >>> bool((Warp()(jax.random.key(0), image) == image).all())
    True
    """

    rotation: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    fill: Fill = "replicate"

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_number("rotation", self.rotation, least=0, most=180)
        check_number("zoom", self.zoom, least=0, most=0.99)
        check_number("shear", self.shear, least=0, most=89)
        check_choice("fill", self.fill, _PAD)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the image (H, W, C) warped."""
        draws = jax.random.uniform(key, (3,), minval=-1.0)
        turn, lean = jnp.deg2rad(self.rotation * draws[0]), jnp.deg2rad(self.shear * draws[2])
        return warp(image, warp_matrix(turn, 1 + self.zoom * draws[1], lean), self.fill)


def warp_matrix(rotation: Array | float, zoom: Array | float = 1.0, shear: Array | float = 0.0) -> Array:
    """Return the matrix (2, 2) that maps (row, column) of the result to the original, both from the center.

    Args:
      rotation: angle in radians, anticlockwise as one sees it.
      zoom: factor of size.
      shear: angle in radians by which columns lean.

    >>> warp_matrix(0.0, 2.0).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    cos, sin, tan = jnp.cos(rotation), jnp.sin(rotation), jnp.tan(shear)
    # Rows run downwards, so that an anticlockwise turn of the picture reads its pixels as here. Each entry is written
    # out, R(rotation) [[1, 0], [tan, 1]] / zoom: a product of matrices may round on an accelerator.
    rows = [[cos + sin * tan, sin], [-sin + cos * tan, cos]]
    return jnp.stack([jnp.stack(row) for row in rows]) / zoom


def warp(image: Array, matrix: Array, fill: Fill = "replicate") -> Array:
    """Warp an image about its center by a linear map, bilinear.

    Args:
      image: (H, W, C).
      matrix: (2, 2), from (row, column) of the result to the original, as `warp_matrix` makes.
      fill: what comes in at the border.

    Returns:
      (H, W, C).

    >>> turned = warp(jnp.arange(9.0).reshape(3, 3, 1), warp_matrix(jnp.pi / 2))
    >>> turned[..., 0].round().astype(int).tolist()
    [[2, 5, 8], [1, 4, 7], [0, 3, 6]]
    """
    height, width = image.shape[:2]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    row = np.arange(height, dtype=np.float32)[:, None] - np.float32(middle_row)  # constants of the program
    column = np.arange(width, dtype=np.float32)[None, :] - np.float32(middle_column)
    at = [
        (matrix[0, 0] * row + middle_row) + matrix[0, 1] * column,
        (matrix[1, 0] * row + middle_column) + matrix[1, 1] * column,
    ]
    mode = _COORDINATES[fill]
    return jax.vmap(lambda plane: map_coordinates(plane, at, order=1, mode=mode), in_axes=-1, out_axes=-1)(image)


def _random_crop(key: Array, image: Array, rows: int, columns: int, fill: Fill) -> Array:
    """Crop the image's size out of it padded by so many rows and columns, at a place drawn uniformly."""
    padded = jnp.pad(image, ((rows, rows), (columns, columns), (0, 0)), mode=_PAD[fill])
    top, left = jax.random.randint(key, (2,), 0, jnp.array([2 * rows + 1, 2 * columns + 1]))
    return jax.lax.dynamic_slice(padded, (top, left, 0), image.shape)
