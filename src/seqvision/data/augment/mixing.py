"""Blends of two examples and their targets: mixup and CutMix."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_number
from seqvision.data.augment.pixels import box_mask


@dataclass(frozen=True)
class Mixup:
    """Blend each example with its neighbor in the batch: t x + (1 - t) x', and the targets alike.

    In a shuffled run the neighbor is any example. The targets are shares of classes, (B, K): train on
    `jax.nn.one_hot(labels, K)` with the loss "categorical_cross_entropy"; "accuracy" then asks for the larger share.

    Args:
      alpha: t is drawn from Beta(alpha, alpha): small ones blend little.

    Source: Zhang, Cisse, Dauphin, Lopez-Paz, mixup: beyond empirical risk minimization, arXiv:1710.09412.

    >>> keys, labels = jax.random.split(jax.random.key(0), 2), jnp.eye(2)
    >>> x, y = Mixup()(keys, jnp.array([0.0, 1.0]).reshape(2, 1, 1, 1), labels)
    >>> bool((x[:, 0, 0, 0] == y[:, 1]).all()), y.sum(axis=1).tolist()
    (True, [1.0, 1.0])
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        """Check the argument."""
        _check_alpha(self.alpha)

    def __call__(self, keys: Array, x: Array, y: Array) -> tuple[Array, Array]:
        """Blend x (B, H, W, C) and y (B, K), with one key an example."""
        _check_targets("Mixup", y)
        share = jax.vmap(lambda key: jax.random.beta(key, self.alpha, self.alpha, dtype=x.dtype))(keys)  # (B,)
        return _blend(share, x), _blend(share, y)


@dataclass(frozen=True)
class CutMix:
    """Paste a box of the neighbor in the batch into each image; the targets are shared by area.

    The box has the image's proportions and a share 1 - t of its area, its center is anywhere, and what would stand
    outside is cut off. See `Mixup` for the targets.

    Args:
      alpha: t is drawn from Beta(alpha, alpha); 1 makes every area as likely as another.

    Source: Yun et al., CutMix: regularization strategy to train strong classifiers, arXiv:1905.04899.

    >>> keys, labels = jax.random.split(jax.random.key(0), 2), jnp.eye(2)
    >>> x, y = CutMix()(keys, jnp.stack([jnp.zeros((4, 4, 1)), jnp.ones((4, 4, 1))]), labels)
    >>> bool((x.mean(axis=(1, 2, 3)) == y[:, 1]).all())
    True
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        """Check the argument."""
        _check_alpha(self.alpha)

    def __call__(self, keys: Array, x: Array, y: Array) -> tuple[Array, Array]:
        """Paste into x (B, H, W, C) and share y (B, K), with one key an example."""
        _check_targets("CutMix", y)
        boxes = jax.vmap(lambda key: self._box(key, x.shape[1:3]))(keys)  # (B, H, W)
        kept = 1 - boxes.mean(axis=(1, 2), dtype=x.dtype)
        return jnp.where(boxes[..., None], jnp.roll(x, 1, axis=0), x), _blend(kept, y)

    def _box(self, key: Array, shape: tuple[int, ...]) -> Array:
        share_key, center_key = jax.random.split(key)
        side = jnp.sqrt(1 - jax.random.beta(share_key, self.alpha, self.alpha))
        size = jnp.round(side * jnp.array(shape)).astype(jnp.int32)
        center = jax.random.randint(center_key, (2,), 0, jnp.array(shape))
        return box_mask(shape, center - size // 2, size)


def _blend(share: Array, values: Array) -> Array:
    """Return share * value + (1 - share) * the neighbor's value, row by row."""
    share = share.astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
    return values + (1 - share) * (jnp.roll(values, 1, axis=0) - values)


def _check_targets(name: str, y: Array) -> None:
    if getattr(y, "ndim", 0) != 2 or not jnp.issubdtype(y.dtype, jnp.floating):
        found = f"{y.dtype} of shape {y.shape}" if hasattr(y, "shape") else type(y).__name__
        raise ValueError(
            f"{name} mixes targets: they must be floats (B, K), got {found}; give jax.nn.one_hot(labels, K) as y and "
            'train with the loss "categorical_cross_entropy"'
        )


def _check_alpha(alpha: float) -> None:
    check_number("alpha", alpha, above=0, below=float("inf"))
