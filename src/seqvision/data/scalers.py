"""Scalers: fit on training rows, applied to any rows, inverted for reports in original units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from seqvision._checks import check_choice

ScalerKind = Literal["standard", "minmax", "none"]
KINDS: tuple[ScalerKind, ...] = get_args(ScalerKind)


@dataclass(frozen=True)
class Scaler:
    """Map each column by (x - shift) / scale, in float64.

    Plain numbers, so that it is hashable, comparable and written to JSON without loss.

    Args:
      kind: how it was fit, one of `KINDS`.
      shift: D numbers in the columns' units.
      scale: D positive numbers in the columns' units.

    >>> scaler = fit_scaler(np.array([[1.0], [3.0]]), "minmax")
    >>> scaler.transform(np.array([[2.0]])).tolist(), scaler.inverse([0.5]).tolist()
    ([[0.5]], [2.0])
    """

    kind: ScalerKind
    shift: tuple[float, ...]
    scale: tuple[float, ...]

    def transform(self, values: ArrayLike, columns: Sequence[int] | None = None) -> np.ndarray:
        """Scale values (..., D), or (..., K) if `columns` names K of the columns fitted, by position."""
        array, shift, scale = self._aligned(values, columns)
        return (array - shift) / scale

    def inverse(self, values: ArrayLike, columns: Sequence[int] | None = None) -> np.ndarray:
        """Bring scaled values (..., D), or (..., K) of the K `columns`, back to original units."""
        array, shift, scale = self._aligned(values, columns)
        return array * scale + shift

    def _aligned(self, values, columns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        array = _real("values", values)
        at = range(len(self.scale)) if columns is None else list(columns)
        if any(not 0 <= k < len(self.scale) for k in at):
            raise ValueError(f"columns must be positions in 0..{len(self.scale) - 1}, but are {list(at)}")
        if array.ndim == 0 or array.shape[-1] != len(at):
            raise ValueError(
                f"values must have {len(at)} columns on their last axis, but their shape is {array.shape}: "
                "say which of the fitted columns they are with columns=…"
            )
        return array, np.array([self.shift[k] for k in at]), np.array([self.scale[k] for k in at])


def fit_scaler(training_rows: ArrayLike, kind: ScalerKind = "standard") -> Scaler:
    """Fit a scaler on training rows, and on nothing else.

    Args:
      training_rows: (N, D), or (N,) taken as (N, 1): the rows before the cutoff.
      kind: "standard" (mean 0 and variance 1, dividing by N), "minmax" (0 to 1), or "none".

    Returns:
      The scaler; a column that is constant in the training rows is only shifted.

    Raises:
      ValueError: if kind is unknown, there is no row, or a value is not finite.

    >>> fit_scaler(np.array([[1.0, 5.0], [3.0, 5.0]]))
    Scaler(kind='standard', shift=(2.0, 5.0), scale=(1.0, 1.0))
    """
    rows = _real("training_rows", training_rows)
    rows = rows[:, None] if rows.ndim == 1 else rows
    check_choice("kind", kind, KINDS)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"training_rows must be (N, D) with at least one row, but its shape is {rows.shape}")
    if not np.isfinite(rows).all():
        row, k = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(f"training_rows has {rows[row, k]} at row {row}, column {k}")
    shift, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    if kind == "standard":
        shift, scale = rows.mean(axis=0), rows.std(axis=0)
    elif kind == "minmax":
        shift, scale = rows.min(axis=0), np.ptp(rows, axis=0)
    # Rounding gives a constant column a spread of some units in the last place: not worth dividing by.
    noise = 8 * np.finfo(np.float64).eps * np.abs(rows).max(axis=0)
    scale = np.where(scale <= noise, 1.0, scale)
    return Scaler(kind, tuple(shift.tolist()), tuple(scale.tolist()))


def _real(name: str, values: ArrayLike) -> np.ndarray:
    """Return real numbers as float64; NumPy would drop the imaginary part of others."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiubO":
        raise TypeError(f"{name} must hold real numbers, but the dtype is {array.dtype}")
    return array.astype(np.float64)
