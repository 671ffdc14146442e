"""Scenes of digits to find: small pictures placed at random on a larger one, with their boxes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._checks import check_count
from seqvision.data.device_values import check_seed

_INK = 0.2  # pixels above it belong to the drawn object


class Scenes(NamedTuple):
    """Pictures and the objects in them; places without an object have the label -1 and an empty box."""

    images: np.ndarray  # (N, size, size, 1) float32 in 0..1
    boxes: np.ndarray  # (N, M, 4) float32 corners x0, y0, x1, y1 as shares of the size
    labels: np.ndarray  # (N, M) int32


def digit_scenes(
    images: ArrayLike,
    labels: ArrayLike,
    count: int,
    *,
    size: int = 64,
    most: int = 3,
    sides: tuple[int, int] = (14, 28),
    noise: float = 0.1,
    seed: int = 0,
) -> Scenes:
    """Place one to ``most`` objects on each of ``count`` dark pictures, at random places and sizes, without overlap.

    Each object is one of the images, cut to its ink and enlarged or reduced so that its longer side is drawn uniformly
    from ``sides``. An object that finds no free place in 20 trials is left out, but never the first.

    Args:
      images: (K, h, w, 1) in 0..1, ink light on dark.
      labels: (K,) their classes.
      count: scenes, N.
      size: pixels on each side of a scene.
      most: objects at most, M.
      sides: shortest and longest longer side of an object in pixels.
      noise: standard deviation of normal noise that is added, the sum clipped to 0..1.
      seed: of the draw.

    Raises:
      ValueError: for sizes that do not fit, or an image without ink.

    >>> from seqvision.data import load_digits
    >>> digits = load_digits()
    >>> scenes = digit_scenes(digits.x, digits.y, 5)
    >>> scenes.images.shape, scenes.boxes.shape, bool((scenes.labels[:, 0] >= 0).all())
    ((5, 64, 64, 1), (5, 3, 4), True)
    """
    pool, classes = np.asarray(images, np.float32), np.asarray(labels)
    count, most, rng = check_count("count", count), check_count("most", most), np.random.default_rng(check_seed(seed))
    if pool.ndim != 4 or pool.shape[-1] != 1 or classes.shape != pool.shape[:1]:
        raise ValueError(f"images must be (K, h, w, 1) and labels (K,), got {pool.shape} and {classes.shape}")
    if not 1 <= sides[0] <= sides[1] <= size:
        raise ValueError(f"sides must be 1 <= shortest <= longest <= size, got {sides} and size {size}")
    pictures = np.zeros((count, size, size), np.float32)
    boxes, found = np.zeros((count, most, 4), np.float32), np.full((count, most), -1, np.int32)
    for picture, corners, names in zip(pictures, boxes, found, strict=True):
        for m in range(rng.integers(1, most + 1)):
            which = rng.integers(len(pool))
            patch = _enlarged(pool[which, ..., 0], int(rng.integers(sides[0], sides[1] + 1)), int(which))
            place = _free_place(rng, patch.shape, corners[:m], size)
            if place is None:
                break
            y, x = place
            h, w = patch.shape
            picture[y : y + h, x : x + w] = np.maximum(picture[y : y + h, x : x + w], patch)
            corners[m], names[m] = (x, y, x + w, y + h), classes[which]
    pictures += rng.normal(0, noise, pictures.shape).astype(np.float32)
    return Scenes(np.clip(pictures, 0, 1)[..., None], boxes / size, found)


def _enlarged(image: np.ndarray, side: int, row: int) -> np.ndarray:
    """An image cut to its ink, its longer side as many pixels as wanted."""
    from PIL import Image

    rows, columns = (np.flatnonzero((image > _INK).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise ValueError(f"image {row} has no pixel above {_INK}: scale images to 0..1, ink light on dark")
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = side / max(cut.shape)
    h, w = (max(1, round(n * scale)) for n in cut.shape)
    resized = Image.fromarray(np.ascontiguousarray(cut)).resize((w, h), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def _free_place(
    rng: np.random.Generator, shape: tuple[int, ...], taken: np.ndarray, size: int
) -> tuple[int, int] | None:
    """Row and column of the first corner of a box that meets none of those taken, or None if 20 trials find none."""
    h, w = shape
    for _ in range(20):
        y, x = int(rng.integers(0, size - h + 1)), int(rng.integers(0, size - w + 1))
        if not any(x < x1 and x + w > x0 and y < y1 and y + h > y0 for x0, y0, x1, y1 in taken):
            return y, x
    return None
