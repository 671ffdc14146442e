"""What random changes make of an image: several draws of each, side by side."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seqvision.reporting.image_plots import plot_image_rows


def augmentation_draws(
    image: ArrayLike, changes: Mapping[str, Callable[[Array, Array], Array]], key: Array, *, draws: int = 6
) -> dict[str, np.ndarray]:
    """Draw several versions of an image from each change.

    Args:
      image: (H, W, C) in 0..1.
      changes: name -> (key, image) -> image, such as `seqvision.data.Flip()`.
      key: a JAX key; every change gets its own.
      draws: versions of each.

    Returns:
      name -> (draws, H, W, C).

    >>> from seqvision.data import Flip
    >>> augmentation_draws(np.zeros((4, 4, 3)), {"flip": Flip()}, jax.random.key(0), draws=2)["flip"].shape
    (2, 4, 4, 3)
    """
    picture = jnp.asarray(image, jnp.float32)
    if picture.ndim != 3 or draws < 1:
        raise ValueError(f"image must be (H, W, C) and draws >= 1, got shape {picture.shape} and {draws}")
    return {
        name: np.asarray(
            jax.vmap(change, in_axes=(0, None))(jax.random.split(jax.random.fold_in(key, n), draws), picture)
        )
        for n, (name, change) in enumerate(changes.items())
    }


def plot_augmentations(
    image: ArrayLike,
    changes: Mapping[str, Callable[[Array, Array], Array]],
    key: Array,
    *,
    draws: int = 6,
    title: str = "",
) -> Figure:
    """Draw an image, and below it a row of random versions for each change; arguments as `augmentation_draws`.

    >>> from seqvision.data import Flip, Shift
    >>> changes = {"flip": Flip(), "shift": Shift()}
    >>> plot_augmentations(np.eye(4)[..., None], changes, jax.random.key(0), draws=3, title="changes").get_suptitle()
    'changes'
    """
    original = np.broadcast_to(np.asarray(image, np.float32), (draws, *np.shape(image)))
    return plot_image_rows({"original": original, **augmentation_draws(image, changes, key, draws=draws)}, title=title)
