"""Data sets that live on the device and are gathered by index inside a compiled run."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from seqvision.data.checks import check_count, to_device


class Batch(NamedTuple):
    """What one step sees: inputs and targets with a common leading axis."""

    x: Any  # (B, ...)
    y: Any  # (B, ...)


def _register(cls: Any, arrays: tuple[str, ...]) -> None:
    """Register a dataclass as a pytree: fields named in `arrays` are traced, the others are static.

    `jax.tree_util.register_dataclass` would run the constructor, and with it the checks of values, each time jax puts
    tracers or placeholders in; here only a user's own construction is checked.
    """
    static = tuple(f.name for f in fields(cls) if f.name not in arrays)

    def flatten(data):
        leaves = tuple((jax.tree_util.GetAttrKey(name), getattr(data, name)) for name in arrays)
        return leaves, tuple(getattr(data, name) for name in static)

    def unflatten(sizes, leaves):
        data = object.__new__(cls)
        for name, value in (*zip(arrays, leaves, strict=True), *zip(static, sizes, strict=True)):
            object.__setattr__(data, name, value)
        return data

    jax.tree_util.register_pytree_with_keys(cls, flatten, unflatten)


@dataclass(frozen=True, eq=False)
class Windows:
    """Cut a series into (input, target) windows, gathered by index.

    Window i has rows i .. i+length-1 as input and rows i+length .. i+length+horizon-1 as target. No window exists
    before it is gathered: the data set takes the memory of the series. Pass it to a jitted function as an argument
    (closed over it would become a constant of the program); `series` is traced, everything else is static.

    Args:
      series: (N, D), time first; (N,) is taken as (N, 1). float64 and integers become float32 (float64 under x64).
      length: time steps in the input, >= 1.
      horizon: time steps in the target, >= 1.
      targets: columns to predict, by position, in the order wanted; None predicts all.

    Raises:
      ValueError: if N < length + horizon, a size is below 1, a column does not exist, or a value is blank, infinite,
        or an integer that float32 cannot hold.
      TypeError: if series is not numeric.

    >>> windows = Windows(np.arange(100.0), length=10, horizon=1)
    >>> len(windows)
    90
    >>> batch = windows.gather(np.array([0, 89]))
    >>> batch.x.shape, batch.y[:, 0, 0].tolist()
    ((2, 10, 1), [10.0, 99.0])
    """

    series: Any  # (N, D) array on the device
    length: int
    horizon: int = 1
    targets: tuple[int, ...] | None = None

    def __post_init__(self):
        length, horizon = check_count("length", self.length), check_count("horizon", self.horizon)
        shape = np.shape(self.series)
        if len(shape) not in (1, 2):
            raise ValueError(f"series must be (N, D) or (N,), time first, but its shape is {shape}")
        if shape[0] < length + horizon:
            raise ValueError(
                f"series has {shape[0]} rows, but one window needs length + horizon = {length} + {horizon} = "
                f"{length + horizon}: give a longer series or a shorter window"
            )
        series = to_device("series", self.series, integers_to_float=True)
        object.__setattr__(self, "series", series if series.ndim == 2 else series[:, None])
        object.__setattr__(self, "length", length)
        object.__setattr__(self, "horizon", horizon)
        object.__setattr__(self, "targets", _check_targets(self.targets, self.series.shape[1]))

    def __len__(self) -> int:
        return self.series.shape[0] - self.length - self.horizon + 1

    def gather(self, indices) -> Batch:
        """Return the windows that start at `indices`.

        Args:
          indices: integers (B,) in 0 .. len(self)-1; a negative or too large one silently gives the first or last
            window, since a traced value cannot be checked.

        Returns:
          Batch(x (B, length, D), y (B, horizon, K)), K the number of targets.
        """
        span = self.length + self.horizon
        starts = jnp.clip(jnp.asarray(indices), 0, len(self) - 1)
        # Slices of whole windows run 2-3 times faster on CPU than a gather of single rows.
        rows = jax.vmap(lambda start: lax.dynamic_slice_in_dim(self.series, start, span))(starts)
        y = rows[:, self.length :]
        if self.targets is not None:
            y = jnp.concatenate([y[:, :, k : k + 1] for k in self.targets], axis=-1)
        return Batch(rows[:, : self.length], y)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Hold examples row by row, gathered by index: images and labels, or any pytrees of arrays.

    Args:
      x: inputs, an array (N, ...) or a pytree of them; images are float32 (N, H, W, C).
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
            flat, tree = jax.tree_util.tree_flatten_with_path(getattr(self, name))
            leaves = []
            for path, leaf in flat:
                label = name + jax.tree_util.keystr(path)
                if np.ndim(leaf) == 0:
                    raise ValueError(f"{label} must have a leading axis of examples, but is a single number")
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

    def gather(self, indices) -> Batch:
        """Return the rows at `indices`.

        Args:
          indices: integers (B,) in 0 .. len(self)-1; a negative or too large one silently gives the first or last row,
            since a traced value cannot be checked.

        Returns:
          Batch(x, y) of the same structure, every leaf with leading axis B.
        """
        rows = jnp.clip(jnp.asarray(indices), 0, len(self) - 1)
        return Batch(*jax.tree_util.tree_map(lambda leaf: leaf[rows], (self.x, self.y)))


def _check_targets(targets, columns: int) -> tuple[int, ...] | None:
    if targets is None:
        return None
    if isinstance(targets, (int, np.integer)):
        raise TypeError(f"targets must be a tuple of column positions, e.g. ({targets},), not the number {targets}")
    targets = tuple(targets)
    for k in targets:
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 0 <= k < columns:
            raise ValueError(f"targets must be column positions in 0..{columns - 1} of the series, but has {k!r}")
    if not targets or len(set(targets)) < len(targets):
        raise ValueError(f"targets must name at least one column and none twice, but is {targets}")
    return tuple(int(k) for k in targets)


_register(Windows, ("series",))
_register(Arrays, ("x", "y"))
