"""Intervals around forecasts: what gives their ends, and the way that needs nothing but residuals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._checks import check_number, counted
from seqvision.metrics import conformal_quantiles, least_rows

Floats = NDArray[np.float64]

LEVELS = (0.8, 0.95)


class Ends(NamedTuple):
    """Lower and upper ends of intervals, one a level, (L, …, H); infinite or NaN where there is no interval."""

    lower: Floats
    upper: Floats


class Intervals(Protocol):
    """What puts intervals around forecasts: split conformal, quantiles, the quantiles of a distribution."""

    @property
    def levels(self) -> tuple[float, ...]:
        """The nominal levels, rising."""

    def ends(self, forecasts: ArrayLike) -> Ends:
        """Return the ends for forecasts (…, H) of the steps 1, 2, … H."""


@dataclass(frozen=True)
class ConformalIntervals:
    """Intervals forecast ± half width, a half width for each level and step: split conformal prediction.

    Half widths are quantiles of absolute residuals, not of signed ones: so the forecast lies in its interval, half as
    many rows do (19 for 95 %), and a trend of the calibration rows is not carried on as if it were a law.
    """

    levels: tuple[float, ...]
    half_widths: tuple[tuple[float, ...], ...]  # a row a level, a column a step; infinite where rows were too few
    rows: tuple[int, ...]  # residuals of each step

    @classmethod
    def calibrated(cls, residuals: Sequence[ArrayLike], levels: Sequence[float] = LEVELS) -> "ConformalIntervals":
        """Return the intervals that residuals of rows that trained nothing give.

        Args:
          residuals: for each step 1, 2, … (n,) truth - forecast.
          levels: rising, 0 < level < 1.

        >>> intervals = ConformalIntervals.calibrated([[1.0, -2.0, 3.0, -4.0]], levels=(0.5, 0.8))
        >>> intervals.half_widths
        ((3.0,), (4.0,))
        >>> intervals.ends([10.0])
        Ends(lower=array([[7.],
               [6.]]), upper=array([[13.],
               [14.]]))
        """
        ordered = check_levels(levels)
        widths = np.array([conformal_quantiles(one, levels=ordered) for one in residuals]).reshape(-1, len(ordered)).T
        half = tuple(tuple(float(width) for width in row) for row in widths)
        return cls(ordered, half, tuple(len(np.asarray(one)) for one in residuals))

    def ends(self, forecasts: ArrayLike) -> Ends:
        """Return the ends (L, …, H) for forecasts (…, H); NaN for steps beyond those that were calibrated."""
        values = np.asarray(forecasts, np.float64)
        steps = values.shape[-1]
        half = np.full((len(self.levels), steps), np.nan)
        half[:, : len(self.rows)] = np.array(self.half_widths).reshape(len(self.levels), -1)[:, :steps]
        half = half.reshape(len(self.levels), *(1,) * (values.ndim - 1), steps)
        with np.errstate(over="ignore", invalid="ignore"):
            lower, upper = values - half, values + half
        forever = np.broadcast_to(np.isinf(half), lower.shape)
        return Ends(np.where(forever, -np.inf, lower), np.where(forever, np.inf, upper))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; an infinite half width is None."""
        shown = {
            level_name(level): [width if np.isfinite(width) else None for width in row]
            for level, row in zip(self.levels, self.half_widths, strict=True)
        }
        return {"half_widths": shown, "rows": list(self.rows)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "ConformalIntervals":
        """Return what `to_dict` described.

        Raises:
          ValueError: if it is none of that.

        >>> intervals = ConformalIntervals.calibrated([[1.0, -2.0, 3.0]], levels=(0.5, 0.95))
        >>> ConformalIntervals.from_dict(intervals.to_dict()) == intervals
        True
        """
        try:
            shown = {int(name) / 100: row for name, row in saved["half_widths"].items()}
            half = tuple(tuple(np.inf if width is None else float(width) for width in row) for row in shown.values())
            rows = tuple(int(count) for count in saved["rows"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"these are no intervals ({error!r})") from error
        if any(len(row) != len(rows) for row in half) or any(not width >= 0 for row in half for width in row):
            raise ValueError(f"these are no intervals: half widths {half} of {counted(len(rows), 'step')}")
        return cls(check_levels(tuple(shown)), half, rows)


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return levels as floats; refuse what does not rise or is no whole percentage.

    >>> check_levels((0.95, 0.8))
    Traceback (most recent call last):
    ValueError: levels must rise and be whole percentages, such as (0.8, 0.95), got (0.95, 0.8)
    """
    found = tuple(check_number("levels", level, above=0, below=1) for level in levels)
    whole = all(abs(level * 100 - round(level * 100)) < 1e-9 for level in found)
    if not found or not whole or list(found) != sorted(set(found)):
        raise ValueError(f"levels must rise and be whole percentages, such as {LEVELS}, got {levels}")
    return found


def level_name(level: float) -> str:
    """Return what columns call a level.

    >>> level_name(0.95)
    '95'
    """
    return str(round(level * 100))


def missing_levels(rows: Sequence[int], levels: Sequence[float] = LEVELS) -> tuple[str, ...]:
    """Say at which steps, with so many residuals each, there are no intervals of which levels, a sentence each.

    >>> missing_levels([20, 18, 12])
    ('no 95 % interval at steps 2 to 3: it needs 19 rows, there are 18 or fewer',)
    """
    said = []
    for level in levels:
        few = [step for step, count in enumerate(rows, start=1) if count < least_rows(level)]
        if few:
            there = sorted({rows[step - 1] for step in few})
            where = f"step {few[0]}" if len(few) == 1 else f"steps {few[0]} to {few[-1]}"
            count = f"there {'is' if there[-1] == 1 else 'are'} {there[-1]}" + (" or fewer" if len(there) > 1 else "")
            said.append(f"no {level_name(level)} % interval at {where}: it needs {least_rows(level)} rows, {count}")
    return tuple(said)
