"""A series on the device, cut into windows by index inside a compiled run."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from seqvision._checks import check_count
from seqvision._sharding import runs_on_auto_axes
from seqvision.data.batch import Batch, register
from seqvision.data.device_values import stack_lists, to_device


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
        object.__setattr__(self, "series", stack_lists("series", self.series))
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

    def gather(self, indices: ArrayLike) -> Batch:
        """Return the windows that start at `indices`.

        Args:
          indices: integers (B,) in 0 .. len(self)-1; a negative or too large one silently gives the first or last
            window, since a traced value cannot be checked.

        Returns:
          Batch(x (B, length, D), y (B, horizon, K)), K the number of targets.
        """
        span = self.length + self.horizon
        starts = jnp.clip(jnp.asarray(indices), 0, len(self) - 1)
        rows = _slices(self.series, starts, span)
        y = rows[:, self.length :]
        if self.targets is not None:
            y = jnp.concatenate([y[:, :, k : k + 1] for k in self.targets], axis=-1)
        return Batch(rows[:, : self.length], y)


@runs_on_auto_axes()
def _slices(series, starts, span: int):
    # Slices of whole windows run 2-3 times faster on CPU than a gather of single rows.
    return jax.vmap(lambda start: lax.dynamic_slice_in_dim(series, start, span))(starts)


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


register(Windows, ("series",))
