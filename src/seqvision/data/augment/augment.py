"""Augmentation on the device: random changes of images, drawn anew at every step inside the compiled run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from seqvision.data.batch import Batch

Change = Callable[[Array, Array], Array]  # (key, image (H, W, C)) -> image
Mix = Callable[[Array, Array, Array], tuple[Array, Array]]  # (keys (B,), x, y) -> (x, y)


@dataclass(frozen=True)
class Augment:
    """Change every image of a batch by random steps, one after another, with one key an example.

    A pure function of (key, batch): hand it to `seqvision.training.fit` or `make_train_step` as `augment=`, which draws
    a new key for each step from a stream of its own. An image's changes depend on the key and its place in the batch,
    not on the size of the batch. Equal ones share one compilation.

    Args:
      steps: functions (key, image (H, W, C)) -> image of the same shape: `Flip()`, `Shift()`, `PadCrop()`, `Warp()`,
        `Brightness()`, `Contrast()`, `Cutout()`, or one's own.
      mix: what blends images and targets with those of other examples at the end: `Mixup()`, `CutMix()` or None.

    >>> from seqvision.data import Flip, Shift
    >>> augment = Augment((Flip(), Shift(0.1)))
    >>> batch = Batch(jnp.ones((4, 8, 8, 1)), jnp.zeros(4, jnp.int32))
    >>> augment(jax.random.key(0), batch).x.shape
    (4, 8, 8, 1)
    """

    steps: tuple[Change, ...] = ()
    mix: Mix | None = None

    def __post_init__(self) -> None:
        """Take any sequence of steps; refuse what is no function."""
        object.__setattr__(self, "steps", tuple(self.steps))
        for n, step in enumerate(self.steps):
            if not callable(step) or isinstance(step, type):
                raise TypeError(f"steps[{n}] must be a function (key, image) -> image such as Flip(), got {step!r}")

    def __call__(self, key: Array, batch: Batch) -> Batch:
        """Return the batch changed."""
        check_images("augment", batch.x)
        rows = jnp.arange(batch.x.shape[0])
        keys = jax.vmap(lambda row: jax.random.fold_in(key, row))(rows)  # (B,), whatever B is
        x, y = batch.x, batch.y
        for n, step in enumerate(self.steps):
            # Steps fused into one expression would round differently from one program to another.
            x = jax.lax.optimization_barrier(jax.vmap(step)(_next_keys(keys, n), x))
        if self.mix is not None:
            x, y = self.mix(_next_keys(keys, len(self.steps)), x, y)
        return Batch(x, y)


def check_images(name: str, x: Any) -> None:
    """Refuse what is not one array of float images (B, H, W, C)."""
    if not hasattr(x, "shape") or len(x.shape) != 4 or not jnp.issubdtype(x.dtype, jnp.floating):
        found = f"{x.dtype} of shape {x.shape}" if hasattr(x, "shape") else type(x).__name__
        raise ValueError(f"{name} takes images, one float array (B, H, W, C), got {found}")


def _next_keys(keys: Array, n: int) -> Array:
    return jax.vmap(lambda key: jax.random.fold_in(key, n))(keys)
