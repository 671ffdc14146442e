"""The time axis of a series: its usual step, its gaps, and what to do about them."""

from typing import Literal, NamedTuple, get_args

import numpy as np

from seqvision._checks import check_choice
from seqvision.data.series.time_grid import EqualSteps, TimeGrid, find_grid, in_seconds, is_even

GapPolicy = Literal["keep", "fill", "interpolate", "error"]
GAP_POLICIES: tuple[GapPolicy, ...] = get_args(GapPolicy)

_MOST_ROWS = 10_000_000


class TimeAxis(NamedTuple):
    """Where the rows of a series lie in time."""

    grid: TimeGrid
    times: np.ndarray  # (N,) int64, the place of each row in steps from the first, never falling
    off: int  # rows that lie beside the grid
    gaps: int
    missing: int  # steps without a row
    longest: int  # the most of them in one gap
    after: str  # the date before that gap

    @property
    def text(self) -> str:
        """Say step and gaps in one line; nothing if there is nothing to say."""
        parts = []
        if self.gaps:
            parts += [f"{_counted(self.gaps, 'gap')}, {_counted(self.missing, 'step')} missing, the longest "]
            parts[-1] += f"{_counted(self.longest, 'step')} after {self.after}"
        if self.off:
            parts += [f"{_counted(self.off, 'row')} beside these steps"]
        return f"time goes by {self.grid.step}: {', '.join(parts)}" if parts else ""


def time_axis(dates: np.ndarray | None) -> TimeAxis | None:
    """Find the usual step of dates and the gaps between them.

    Business days, month ends, quarters and years are steps too: a calendar's weekends and short months are no gaps,
    while a holiday is one.

    Args:
      dates: (N,) datetime64, increasing; or None.

    Returns:
      None without dates, with a single one, or if no step is usual.

    >>> hours = np.array(["2022-05-30T10", "2022-05-30T11", "2022-05-30T12", "2022-05-30T15"], "datetime64[h]")
    >>> axis = time_axis(hours)
    >>> axis.times.tolist(), axis.text
    ([0, 1, 2, 5], 'time goes by 1 hour: 1 gap, 2 steps missing, the longest 2 steps after 2022-05-30T12:00')
    """
    grid = None if dates is None else find_grid(dates)
    if dates is None or grid is None:
        return None
    if isinstance(grid, EqualSteps) and is_even(dates):
        return TimeAxis(
            grid, np.arange(len(dates)), 0, 0, 0, 0, str(np.datetime_as_string(in_seconds(dates[:1])[0], unit="auto"))
        )
    times = grid.places(in_seconds(dates))
    times = times - times[0]
    there = grid.dates(times)
    off = 0 if there is None else int((there != in_seconds(dates)).sum())
    steps = np.maximum(np.diff(times) - 1, 0)
    at = int(steps.argmax())
    after = np.datetime_as_string(in_seconds(dates)[at], unit="auto")
    return TimeAxis(grid, times, off, int((steps > 0).sum()), int(steps.sum()), int(steps[at]), str(after))


def apply_gaps(
    values: np.ndarray, dates: np.ndarray, gaps: GapPolicy = "keep"
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Apply a policy to the gaps between dates.

    Args:
      values: (N, D), in time order.
      dates: (N,) datetime64, increasing.
      gaps: "keep" leaves them and says so; "fill" puts rows in that repeat the values before; "interpolate" rows on a
        line between the values before and after (and so looks ahead: not across the cutoff of a test); "error" refuses.

    Returns:
      values: (M, D), M >= N.
      dates: (M,).
      notes: what was found and done, at most one line.

    Raises:
      ValueError: for a gap under "error"; under "fill" and "interpolate" if the rows lie on no grid.

    >>> days = np.array(["2022-05-30", "2022-05-31", "2022-06-01", "2022-06-03"], "datetime64[D]")
    >>> values, days, notes = apply_gaps(np.array([[1.0], [2.0], [3.0], [5.0]]), days, "interpolate")
    >>> values[:, 0].tolist(), notes[0]
    ([1.0, 2.0, 3.0, 4.0, 5.0], "gaps='interpolate' made 1 row: time goes by 1 day: 1 gap, 1 step missing, ...")
    """
    check_choice("gaps", gaps, GAP_POLICIES)
    axis = time_axis(dates)
    if axis is None:
        if len(dates) < 2:
            return values, dates, ()
        steps = np.diff(dates)
        text = f"time has no usual step: rows are between {_span(steps.min())} and {_span(steps.max())} apart"
        if gaps != "keep":
            raise ValueError(f"{text}: gaps={gaps!r} cannot be, say gaps='keep'")
        return values, dates, (f"{text}; a season is counted in rows",)
    if not axis.text:
        return values, dates, ()
    if gaps == "keep":
        across = "; windows run across gaps, a season is counted in steps of time" if axis.gaps else ""
        return values, dates, (axis.text + across,)
    if gaps == "error":
        raise ValueError(f"{axis.text}: say gaps='keep', 'fill' or 'interpolate'")
    return _fill(values, dates, axis, gaps)


def _fill(values: np.ndarray, dates: np.ndarray, axis: TimeAxis, gaps: GapPolicy):
    size = int(axis.times[-1]) + 1
    every = np.arange(size) if size <= max(_MOST_ROWS, 10 * len(dates)) else None
    grid = None if every is None else axis.grid.dates(every)
    if grid is None or every is None or axis.off:
        why = f"would make {size} rows" if every is None else "needs rows at equal steps"
        raise ValueError(f"{axis.text or axis.grid.step}: gaps={gaps!r} {why}: say gaps='keep'")
    if gaps == "fill":
        filled = values[np.searchsorted(axis.times, every, side="right") - 1]
    else:
        filled = np.stack([np.interp(every, axis.times, column) for column in values.T], axis=1)
    made = _counted(size - len(dates), "row")
    return filled, grid.astype(dates.dtype), (f"gaps={gaps!r} made {made}: {axis.text}",)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _span(width: np.timedelta64) -> str:
    seconds = float(width / np.timedelta64(1, "s"))
    return f"{seconds / 86_400:.4g} days" if seconds >= 86_400 else f"{seconds:.4g} seconds"
