"""A table of numbers in time order."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seqvision.data.series.reading.date_fields import fitting_unit


@dataclass(frozen=True, eq=False)
class Series:
    """Hold one or several columns of finite numbers in time order.

    Args:
      values: (N, D) numbers, time first; (N,) is taken as (N, 1).
      columns: D names.
      dates: (N,) datetime64, strictly increasing, or None.
      target: the name of the column to predict, or None.
      name: what the series is called in reports.
      notes: what the reader decided, one sentence each.
      reading: the keyword arguments with which `read_series` reads such a file the same way again; JSON can hold them.

    Raises:
      ValueError: if sizes differ, a value is not finite, dates do not increase or the target is no column.

    >>> series = Series(np.arange(6).reshape(3, 2), ("open", "close"), target="close")
    >>> len(series), series.column("close").tolist()
    (3, [1.0, 3.0, 5.0])
    """

    values: np.ndarray  # (N, D) float64
    columns: tuple[str, ...]
    dates: np.ndarray | None = None  # (N,) datetime64[ns], or [s] beyond the years 1678 to 2261
    target: str | None = None
    name: str = "series"
    notes: tuple[str, ...] = ()
    reading: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        values = np.asarray(self.values, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        columns = tuple(self.columns)
        if values.ndim != 2 or values.shape[1] != len(columns):
            raise ValueError(f"values of shape {values.shape} do not fit {len(columns)} columns {columns}")
        if not np.isfinite(values).all():
            row, k = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(f"values has {values[row, k]} at row {row}, column {columns[k]!r}")
        if self.dates is not None:
            dates = fitting_unit(np.asarray(self.dates))
            if dates.shape != values.shape[:1] or not (dates[1:] > dates[:-1]).all():
                raise ValueError(f"dates must be {len(values)} increasing dates, one a row")
            object.__setattr__(self, "dates", dates)
        if self.target is not None and self.target not in columns:
            raise ValueError(f"target {self.target!r} is not one of the columns {columns}")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return self.values.shape[0]

    def __getitem__(self, rows: slice) -> "Series":
        """Return some rows that follow each other, such as ``series[:100]``.

        >>> len(Series(np.arange(6.0), ("x",))[:4])
        4
        """
        if not isinstance(rows, slice) or rows.step not in (None, 1):
            raise TypeError(f"a series is cut by a slice of rows, such as series[:100], got {rows!r}")
        return replace(self, values=self.values[rows], dates=None if self.dates is None else self.dates[rows])

    def column(self, name: str | int) -> np.ndarray:
        """Return one column (N,), by name or position; names as `find_column` takes them."""
        return self.values[:, find_column(self.columns, name, self.name)]


def find_column(columns: Sequence[str], wanted: str | int, where: str = "the series") -> int:
    """Find a column by position, name, or a spelling of it that differs in case, blanks or Unicode form only.

    Args:
      columns: the names there are.
      wanted: a name, or a position counted from 0 (which may be written as text if no column has that name).
      where: what the columns belong to, for the error.

    Returns:
      The position.

    Raises:
      ValueError: if there is no such column; the error lists those there are.

    >>> find_column(("Date", "Close"), "close"), find_column(("Date", "Close"), 0)
    (1, 0)
    """
    if not isinstance(wanted, (str, int, np.integer)) or isinstance(wanted, bool):
        raise TypeError(f"a column is a name or a position, but {wanted!r} was given")
    names = list(columns)
    if isinstance(wanted, str):
        if wanted in names:
            return names.index(wanted)
        plain = [_plain(name) for name in names]
        if plain.count(_plain(wanted)) == 1:
            return plain.index(_plain(wanted))
    if not isinstance(wanted, str) or (wanted.isascii() and wanted.isdigit()):
        if 0 <= int(wanted) < len(names):
            return int(wanted)
        close = []
    else:
        close = difflib.get_close_matches(_plain(wanted), plain, n=1)
    hint = f": did you mean {names[plain.index(close[0])]!r}?" if close else "."
    listed = ", ".join(f"{k} {name!r}" for k, name in enumerate(names))
    raise ValueError(f"{where} has no column {wanted!r}{hint} Columns: {listed}")


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
