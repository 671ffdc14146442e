"""Rows that have come since a run: a file is held against the rows that the run knows, and what is new told apart."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.data import Series, time_axis
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.data import load_again
from seqvision.pipelines.forecasting.own_rows import own_series
from seqvision.pipelines.reading import Reading

_SAME = 1e-9  # relative difference of numbers that were written with fewer digits


@dataclass(frozen=True, eq=False)
class JoinedRows:
    """The rows that a run knows and those of a file, as one series."""

    series: Series  # where both have a row it is the file's
    before: int  # rows of the run that the file begins after
    first: int  # the first row that the run does not know; all rows if there is none
    changed: str | None  # how values of known rows differ, in words
    moved: str | None  # how a known row is missing, or one was put between them
    gap: str | None  # what time no row is of, between the known rows and the new ones


def load_joined(
    config: ForecastConfig,
    saved: Mapping[str, Any],
    csv: str | None = None,
    reading: Reading | None = None,
    series: Series | None = None,
) -> JoinedRows:
    """Read a file as that of a run was read, and join it to the rows of the run.

    Args:
      config: of the run.
      saved: what `read_saved` returned.
      csv: the file; by default the run's own as it is now.
      reading: what is to be read of it in another way than in training.
      series: rows in memory, in place of a file.

    Raises:
      ValueError: if the file has no dates and does not begin with the rows of the run, or the first of its relative
        changes cannot be told; and as `load_again`.
    """
    own = own_series(saved)
    found = load_again(config, saved, csv, reading, series)
    later = own.dates is not None and found.dates is not None and found.dates[0] > own.dates[-1]
    if config.returns and later:
        levels = load_again(replace(config, returns=False), saved, csv, reading, series)
        assert levels.dates is not None
        assert own.dates is not None
        if levels.dates[0] > own.dates[-1]:
            raise ValueError(
                f"{found.name} begins at {_day(levels.dates[0])}, but the first relative change is that from the last "
                f"row of the run: put the row of {_day(own.dates[-1])} before it"
            )
    return join_rows(own, found)


def join_rows(own: Series, found: Series) -> JoinedRows:
    """Join the rows of a file to those of a run: by their dates or, without dates, by their places.

    Args:
      own: the rows that the run was made from.
      found: those of the file, with the same columns.

    >>> joined = join_rows(Series([1.0, 2.0], ("x",)), Series([1.0, 2.5, 3.0], ("x",)))
    >>> joined.first, len(joined.series), joined.changed
    (2, 3, "'x' of row 1 was 2 and is 2.5")
    """
    if (own.dates is None) != (found.dates is None):
        with_dates, without = (own.name, found.name) if found.dates is None else (found.name, own.name)
        kind = "the run" if found.dates is None else "the file"
        raise ValueError(
            f"{kind} has dates ({with_dates}), the other rows have none ({without}): say date=… to read them"
        )
    if own.dates is None or found.dates is None:
        return _join_by_place(own, found)
    units = {np.datetime_data(dates.dtype)[0] for dates in (own.dates, found.dates)}
    known, dates = (dates.astype("M8[s]" if "s" in units else "M8[ns]") for dates in (own.dates, found.dates))
    before = known < dates[0]  # rows of the run that the file begins after
    old = dates <= known[-1]
    at = np.searchsorted(known, dates[old])
    met = known[at] == dates[old]
    first = int(before.sum() + old.sum())
    dates_of_all = np.concatenate([known[before], dates])
    moved = None
    lost = np.setdiff1d(known[~before & (known <= dates[-1])], dates[old])
    if not met.all():
        moved = f"{_rows(dates[old][~met])} between those of the run"
    elif len(lost):
        moved = f"{_rows(lost)} of the run missing"
    changed = _changes(own.values[at[met]], found.values[: len(old)][old][met], dates[old][met], at[met], own.columns)
    values = np.concatenate([own.values[before], found.values])
    series = replace(found, values=values, dates=dates_of_all)
    return JoinedRows(series, int(before.sum()), first, changed, moved, _gap(series, first) if not old.any() else None)


def _join_by_place(own: Series, found: Series) -> JoinedRows:
    if len(found) < len(own):
        raise ValueError(
            f"{found.name} has {counted(len(found), 'row')}, the run was made from {counted(len(own), 'row')}, and no "
            "dates say which came since: give a file that begins with the rows of the run, or read dates with date=…"
        )
    rows = np.arange(len(own))
    changed = _changes(own.values, found.values[: len(own)], None, rows, own.columns)
    return JoinedRows(found, 0, len(own), changed, None, None)


def _changes(
    old: np.ndarray, new: np.ndarray, dates: np.ndarray | None, rows: np.ndarray, columns: tuple[str, ...]
) -> str | None:
    """Say where the first of the values (R, D) that differ is, and how many there are."""
    differ = ~np.isclose(new, old, rtol=_SAME, atol=0.0)
    if not differ.any():
        return None
    row, k = (int(place) for place in np.argwhere(differ)[0])
    where = f"{columns[k]!r} of row {rows[row]}" + ("" if dates is None else f" ({_day(dates[row])})")
    text = f"{where} was {old[row, k]:.10g} and is {new[row, k]:.10g}"
    count = int(differ.sum())
    lines = int(differ.any(axis=1).sum())
    return text if count == 1 else f"{text} ({count} values of {counted(lines, 'row')} differ)"


def _gap(series: Series, first: int) -> str | None:
    axis = time_axis(series.dates)
    steps = 0 if axis is None or first in (0, len(series)) else int(axis.times[first] - axis.times[first - 1]) - 1
    if axis is None or steps < 1:
        return None
    assert series.dates is not None
    return (
        f"{counted(steps, 'step')} of {axis.grid.step} without a row between {_day(series.dates[first - 1])}, where "
        f"the run ends, and {_day(series.dates[first])}"
    )


def _rows(dates: np.ndarray) -> str:
    return f"the row of {_day(dates[0])}" if len(dates) == 1 else f"{len(dates)} rows from {_day(dates[0])} on"


def _day(date: np.datetime64) -> str:
    return str(np.datetime_as_string(date, unit="auto"))
