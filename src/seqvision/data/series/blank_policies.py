"""What to do about missing values: never a guess, always a policy by name."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from seqvision._checks import check_choice

BlankPolicy = Literal["error", "drop", "ffill", "interpolate", "zero"]
POLICIES: tuple[BlankPolicy, ...] = get_args(BlankPolicy)


def fill_blanks(
    values: np.ndarray,
    blanks: BlankPolicy,
    place: Callable[[int, int], str] = "row {}, column {}".format,
    infinite: Callable[[int, int], bool] | None = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Apply a policy to the values that are not finite.

    Args:
      values: (N, D), in time order.
      blanks: one of `POLICIES`.
      place: function (row, column) that names a value in errors.
      infinite: function (row, column) that says for errors whether a value is infinite; by default those that are.

    Returns:
      values: (M, D) finite, M < N only under "drop".
      kept: (M,) rows of the input that remain.
      count: how many values (rows under "drop") were blank.

    Raises:
      ValueError: on the first blank under "error"; if nothing precedes a blank under "ffill", or it lies outside the
        known values under "interpolate"; if "drop" leaves nothing.

    >>> fill_blanks(np.array([[1.0], [np.nan], [3.0]]), "interpolate")[0].tolist()
    [[1.0], [2.0], [3.0]]
    """
    check_choice("blanks", blanks, POLICIES)
    kept = np.arange(len(values))
    if np.isfinite(values).all():
        return values, kept, 0
    missing = ~np.isfinite(values)
    if blanks == "error":
        row, k = np.argwhere(missing)[0]
        is_infinite = np.isinf(values[row, k]) if infinite is None else infinite(int(row), int(k))
        what = "infinite" if is_infinite else "blank"
        raise ValueError(
            f"{place(row, k)} is {what} ({int(missing.sum())} in the columns used): say blanks=… with one of "
            + ", ".join(POLICIES[1:])
        )
    if blanks == "drop":
        kept = np.flatnonzero(~missing.any(axis=1))
        if not len(kept):
            raise ValueError("every row has a blank: blanks='drop' leaves nothing")
        return values[kept], kept, len(values) - len(kept)
    filled = np.where(missing, 0.0, values)
    if blanks != "zero":
        for k in np.flatnonzero(missing.any(axis=0)):
            filled[:, k] = _fill_column(values[:, k], missing[:, k], blanks, int(k), place)
    return filled, kept, int(missing.sum())


def _fill_column(column: np.ndarray, missing: np.ndarray, blanks: str, k: int, place) -> np.ndarray:
    known, unknown = np.flatnonzero(~missing), np.flatnonzero(missing)
    start = known[0] if len(known) else len(column)
    end = known[-1] if len(known) and blanks == "interpolate" else len(column)
    outside = unknown[(unknown < start) | (unknown > end)]
    if len(outside):
        raise ValueError(
            f"{place(int(outside[0]), k)} is blank and blanks={blanks!r} finds no value beside it: use 'drop'"
        )
    if blanks == "ffill":
        return column[known[np.searchsorted(known, np.arange(len(column)), side="right") - 1]]
    return np.interp(np.arange(len(column)), known, column[known])
