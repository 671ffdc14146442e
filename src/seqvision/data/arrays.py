"""Examples row by row on the device, gathered by index inside a compiled run."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from seqvision._sharding import runs_on_auto_axes
from seqvision.data.batch import Batch, register
from seqvision.data.device_values import stack_lists, to_device


@dataclass(frozen=True, eq=False)
class Arrays:
    """Hold examples row by row, gathered by index: images and labels, or any pytrees of arrays.

    Args:
      x: inputs, an array (N, ...), a list of N arrays of one shape, or a tuple or dict of such; images are float32
        (N, H, W, C). A pair (x, mask) with a bool mask, and a dict of "x" and "mask", are sequences with a mask.
      y: targets with the same leading axis: labels (N,) become int32, other numbers float32; None if there are none.

    Raises:
      ValueError: if leading sizes differ or a value is blank, infinite or beyond 32 bits.
      TypeError: if an array is not numeric, or x holds small integers (uint8 images would overflow in arithmetic).

    >>> data = Arrays(np.zeros((5, 8, 8, 1)), np.array([3, 1, 4, 1, 5]))
    >>> len(data), data.gather(np.array([4, 0])).y.tolist()
    (5, [5, 3])
    """

    x: Any  # (N, ...) or a pytree of such
    y: Any = None  # (N, ...) or a pytree of such

    def __post_init__(self):
        sizes = {}
        for name in ("x", "y"):
            flat, tree = jax.tree_util.tree_flatten_with_path(stack_lists(name, getattr(self, name)))
            leaves = []
            for path, leaf in flat:
                label = name + jax.tree_util.keystr(path)
                if np.ndim(leaf) == 0:
                    raise ValueError(
                        f"{label} must have a leading axis of examples, but is a single number: give a list or an array"
                    )
                leaves.append(to_device(label, leaf, small_integers=name == "y"))
                sizes[label] = leaves[-1].shape[0]
            object.__setattr__(self, name, jax.tree_util.tree_unflatten(tree, leaves))
        if not jax.tree_util.tree_leaves(self.x):
            raise ValueError("x holds no array")
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{label} {size}" for label, size in sizes.items())
            raise ValueError(f"x and y need the same number of rows, but have: {listed}")

    def __len__(self) -> int:
        return jax.tree_util.tree_leaves(self.x)[0].shape[0]

    def gather(self, indices: ArrayLike) -> Batch:
        """Return the rows at `indices`.

        Args:
          indices: integers (B,) in 0 .. len(self)-1; a negative or too large one silently gives the first or last row,
            since a traced value cannot be checked.

        Returns:
          Batch(x, y) of the same structure, every leaf with leading axis B.
        """
        rows = jnp.clip(jnp.asarray(indices), 0, len(self) - 1)
        return Batch(*jax.tree_util.tree_map(lambda leaf: _rows(leaf, rows), (self.x, self.y)))


@runs_on_auto_axes()
def _rows(leaf, rows):
    return leaf[rows]


register(Arrays, ("x", "y"))
