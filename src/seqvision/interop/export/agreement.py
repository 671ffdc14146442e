"""Whether an exported model says what the model says: measured on rows, before anything is written."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

BAR = 1e-5  # of the largest output


class Agreement(NamedTuple):
    """How far an exported model is from the model on the same rows."""

    rows: int
    largest: float  # |difference|, in the outputs' unit
    relative: float  # the same over the largest |output|
    by: str  # what ran the exported model

    def text(self) -> str:
        """Return one line.

        >>> Agreement(209, 3.1e-5, 4.4e-8, "onnxruntime").text()
        'agrees with the model on 209 rows by onnxruntime: largest difference 3.1e-05, 4.4e-08 of the largest output'
        """
        return (
            f"agrees with the model on {self.rows} rows by {self.by}: largest difference {self.largest:.2g}, "
            f"{self.relative:.2g} of the largest output"
        )


def measure_agreement(owner: str, expected: Sequence[Any], got: Sequence[Any], by: str) -> Agreement:
    """Compare outputs, and refuse those that differ by more than the bar.

    Args:
      owner: the function that the user called.
      expected: what the model says, arrays (N, ...).
      got: what the exported one says.
      by: what ran it.

    Raises:
      ArithmeticError: if they differ by more than 1e-5 of the largest output.

    >>> measure_agreement("export_onnx", [np.ones((3, 1))], [np.ones((3, 1))], "onnxruntime").largest
    0.0
    """
    largest = relative = 0.0
    for ours, theirs in zip(expected, got, strict=True):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        if ours.shape != theirs.shape:
            raise ArithmeticError(f"{owner}: {by} gives outputs {theirs.shape} where the model gives {ours.shape}")
        wide, other = ours.astype(np.float64), theirs.astype(np.float64)
        with np.errstate(invalid="ignore"):
            apart = np.where((wide == other) | (np.isnan(wide) & np.isnan(other)), 0.0, np.abs(wide - other))
        difference = float(np.max(np.nan_to_num(apart, nan=np.inf), initial=0.0))
        size = float(np.max(np.abs(wide), initial=0.0, where=np.isfinite(wide)))
        largest, relative = max(largest, difference), max(relative, difference / size if size else difference)
    if not relative <= BAR:
        raise ArithmeticError(
            f"{owner}: what {by} computes differs from the model by {largest:.3g}, {relative:.3g} of the largest "
            f"output, on {len(expected[0])} rows: more than {BAR:g}, so nothing was written"
        )
    return Agreement(len(expected[0]), largest, relative, by)
