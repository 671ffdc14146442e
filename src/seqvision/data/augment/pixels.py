"""Changes of what pixels hold: brightness, contrast, and squares cut out. Key and image in, image out."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_count, check_number

Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Brightness:
    """Add one number to all pixels of an image.

    Args:
      amount: the number is drawn uniformly from -amount to amount, in the units of the pixels.
      bounds: pixels are clipped to these; None for images that are standardized.

    >>> Brightness(0.5)(jax.random.key(0), jnp.ones((2, 2, 1))).max() <= 1
    Array(True, dtype=bool)
    """

    amount: float = 0.2
    bounds: Bounds = (0.0, 1.0)

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_number("amount", self.amount, least=0, below=float("inf"))
        _check_bounds(self.bounds)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the image (H, W, C) brighter or darker."""
        return _clip(image + _draw(key, self.amount, image), self.bounds)


@dataclass(frozen=True)
class Contrast:
    """Stretch or shrink the pixels' distance from the mean of their channel.

    Args:
      amount: the factor is drawn uniformly from 1 - amount to 1 + amount.
      bounds: pixels are clipped to these; None for images that are standardized.

    >>> Contrast(0.5)(jax.random.key(0), jnp.full((2, 2, 1), 0.25)).ravel().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    amount: float = 0.2
    bounds: Bounds = (0.0, 1.0)

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_number("amount", self.amount, least=0, most=1)
        _check_bounds(self.bounds)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the image (H, W, C) with more or less contrast."""
        mean = image.mean(axis=(0, 1), keepdims=True)
        return _clip(image + _draw(key, self.amount, image) * (image - mean), self.bounds)


@dataclass(frozen=True)
class Cutout:
    """Blank a square of an image.

    Its center is any pixel, each as likely as another, so that at the border a part of the square is cut off.

    Args:
      size: pixels a side.
      value: of the blank pixels.

    Source: DeVries, Taylor, Improved regularization of convolutional neural networks with cutout, arXiv:1708.04552.

    >>> int((Cutout(3)(jax.random.key(0), jnp.ones((9, 9, 1))) == 0).sum())
    9
    """

    size: int = 8
    value: float = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_count("size", self.size, least=0)

    def __call__(self, key: Array, image: Array) -> Array:
        """Return the image (H, W, C) with its square blank."""
        center = jax.random.randint(key, (2,), 0, jnp.array(image.shape[:2]))
        inside = box_mask(image.shape, center - self.size // 2, jnp.array([self.size, self.size]))
        return jnp.where(inside[..., None], jnp.asarray(self.value, image.dtype), image)


def box_mask(shape: tuple[int, ...], corner: Array, size: Array) -> Array:
    """Return bool (H, W), the first two sizes of ``shape``: True in the box of ``size`` that begins at ``corner``."""
    row, column = jnp.arange(shape[0])[:, None], jnp.arange(shape[1])[None, :]
    in_rows = (row >= corner[0]) & (row < corner[0] + size[0])
    return in_rows & (column >= corner[1]) & (column < corner[1] + size[1])


def _draw(key: Array, amount: float, image: Array) -> Array:
    return jax.random.uniform(key, (1, 1, 1), image.dtype, -amount, amount)


def _clip(image: Array, bounds: Bounds) -> Array:
    return image if bounds is None else jnp.clip(image, *bounds)


def _check_bounds(bounds: Bounds) -> None:
    if bounds is not None and not (len(bounds) == 2 and bounds[0] < bounds[1]):
        raise ValueError(f"bounds must be (low, high) with low < high, or None, got {bounds!r}")
