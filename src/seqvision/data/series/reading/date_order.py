"""Rows in the order of their dates, one a date."""

from typing import Literal

import numpy as np

from seqvision.data.series.reading.date_columns import DateColumn
from seqvision.data.series.reading.table import Table

Duplicates = Literal["error", "first", "last", "mean"]


def order_rows(
    table: Table, found: DateColumn, values: np.ndarray, duplicates: Duplicates, drop: bool, notes: list[str]
) -> tuple[np.ndarray | range, np.ndarray, np.ndarray]:
    """Put rows in the order of their dates.

    Args:
      table: for the names of rows in errors.
      found: the dates.
      values: (N, D).
      duplicates: what to do with rows of one date.
      drop: leave out rows without a date.
      notes: what is done is added to them.

    Returns:
      rows: (M,) which rows of the table remain, in the order of time.
      dates: (M,) of them.
      values: (M, D) of them.

    Raises:
      ValueError: for a row without a date unless `drop`; for a date that comes twice, unless a policy is said.
    """
    dates = found.dates.values
    missing = np.flatnonzero(np.isnat(dates))
    if len(missing) and not drop:
        place = table.place(int(missing[0]), found.at[0])
        raise ValueError(f"{place}: there is no date (blanks='drop' leaves such rows out)")
    if not len(missing) and (dates[1:] > dates[:-1]).all():
        return range(len(dates)), dates, values
    rows = np.argsort(dates, kind="stable")[: len(dates) - len(missing)]  # NaT sorts to the end
    if not len(rows):
        raise ValueError(f"{table.name} has no row with a date")
    if (np.diff(rows) < 0).any():
        notes.append("rows sorted by date")
    dates = dates[rows]
    again = np.concatenate([[False], dates[1:] == dates[:-1]])
    if not again.any():
        return rows, dates, values[rows]
    count = int(again.sum())
    if duplicates == "error":
        second = int(np.argmax(again))
        day = np.datetime_as_string(dates[second].astype("datetime64[s]"), unit="auto")
        place, line = table.place(rows[second], found.at[0]), table.line(rows[second - 1])
        raise ValueError(
            f"{place}: the date {day} is already in line {line} ({count} such rows): say duplicates='first', 'last' or "
            "'mean' (an hour comes twice when clocks go back), series_id=… if there are several series, or date=False "
            "to keep the order of the file"
        )
    notes.append(f"duplicates={duplicates!r} made one of {count + len(np.unique(dates[again]))} rows of one date each")
    if duplicates == "mean":
        group = np.cumsum(~again) - 1
        ordered = values[rows]
        known = np.isfinite(ordered)
        sums, counts = np.zeros((group[-1] + 1, values.shape[1])), np.zeros((group[-1] + 1, values.shape[1]))
        np.add.at(sums, group, np.where(known, ordered, 0.0))
        np.add.at(counts, group, known)
        means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        return rows[~again], dates[~again], means
    keep = ~again if duplicates == "first" else np.concatenate([~again[1:], [True]])
    return rows[keep], dates[keep], values[rows[keep]]
