"""Reading a series from a file or a table, whatever program wrote it."""

from collections.abc import Sequence
from os import PathLike
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, get_args

import numpy as np

from seqvision._checks import check_choice, check_count
from seqvision.data.series.blank_policies import POLICIES, BlankPolicy, fill_blanks
from seqvision.data.series.reading.date_columns import DateColumn, find_dates, years_of
from seqvision.data.series.reading.date_order import Duplicates, order_rows
from seqvision.data.series.reading.number_columns import NumberColumns
from seqvision.data.series.reading.several_series import (
    id_column,
    refuse_long,
    refuse_wide,
    select_series,
    split_series,
)
from seqvision.data.series.reading.table import Table, read_table
from seqvision.data.series.series import Series
from seqvision.data.series.time_axis import GAP_POLICIES, GapPolicy, apply_gaps

if TYPE_CHECKING:
    import pandas as pd


def read_series(
    source: "str | PathLike[str] | IO | pd.DataFrame | pd.Series",
    target: str | int | None = None,
    *,
    columns: str | int | Sequence[str | int] | None = None,
    date: str | int | bool | Sequence[str | int] | None = None,
    date_format: str | None = None,
    dayfirst: bool | None = None,
    yearfirst: bool | None = None,
    duplicates: Duplicates = "error",
    gaps: GapPolicy = "keep",
    series_id: str | int | None = None,
    series: str | int | None = None,
    blanks: BlankPolicy = "error",
    missing: str | float | Sequence[str | float] = (),
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    header: bool | int | None = None,
    skip_rows: int = 0,
    skip_footer: int = 0,
    comment: str | None = None,
) -> Series:
    """Read a series from delimited text, Excel, parquet, or a table of pandas in memory.

    What is not said is found out from the data, and noted where it could be otherwise; where the data do not decide, an
    error asks for the word. Rows are put in the order of their dates. Numbers may have grouped digits, a currency, a
    unit, the suffixes K, M, B, T, and % (which divides by 100). Only columns that are used are checked for blanks; NaN
    and infinities count as blanks.

    Args:
      source: a path (files may be packed by gzip, bz2, xz or zip), an open file, a `pandas.DataFrame` or
        `pandas.Series`.
      target: the column to predict, by name or position (from 0).
      columns: the columns to read, in this order, the target being added if it is missing; None reads the target alone,
        or without a target all columns of numbers; "all" reads all columns of numbers.
      date: the column of dates, or several: date and time; year, month, day, hour. None takes those that look like
        dates, False reads none and keeps the file's order.
      date_format: strptime format of the dates; or "s", "ms", "us", "ns" since 1970, "excel" for its numbers of days,
        "quarter", "half", "week", "fiscal".
      dayfirst: True for dd/mm/yyyy, False for mm/dd/yyyy, None to decide by the data.
      yearfirst: whether years of two digits come first (yy-mm-dd); None decides by the data.
      duplicates: rows of one date are an "error", or the "first" or "last" of them is read, or their "mean".
      gaps: what to do where steps of time have no row: "keep" them and say so, "fill" in rows that repeat the values
        before, "interpolate" rows on a line (and so look ahead), "error"; see `apply_gaps`.
      series_id: in a file of several series, the column that says which a row belongs to.
      series: which of them to read.
      blanks: "error", "drop" the row, "ffill" repeats the value before, "interpolate" draws a line between the
        neighbors (and so looks ahead: not across the cutoff of a test), "zero".
      missing: further words or numbers that stand for a blank, such as "ND" or -200.
      encoding, separator: None finds them out; separator " " is any run of blanks.
      decimal: "." or ","; None finds it out.
      header: whether there is a row of names, or how many; None finds out. Without a header the columns are called
        "column 0", …
      skip_rows, skip_footer: lines at the beginning and the end of the file that are none of the table; remarks without
        numbers are found without.
      comment: the sign from which on a line is a comment; lines that begin with "#" are found without.

    Returns:
      A `Series`, whose notes say what was recognized, sorted, filled, skipped or left out, and whose `reading` holds
      the keyword arguments that read such a file the same way again.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: naming row and column: of a blank, a text among numbers, a ragged row, an ambiguous or repeated date;
        or listing the columns or series, if one is not there.

    >>> import io
    >>> file = io.StringIO('date,close,volume\\n2022-05-31,"1,292.68",591.09K\\n2022-05-30,"1,293.92",\\n')
    >>> series = read_series(file, target="close")
    >>> series.columns, series.values.tolist(), series.notes
    (('close',), [[1293.92], [1292.68]], ('rows sorted by date',))
    """
    options = _Options(locals())
    if series is not None and series_id is None:
        raise ValueError(f"series={series!r} needs series_id=…, the column that says which series a row belongs to")
    table = options.read_table()
    if series_id is not None:
        table = select_series(table, series_id, series)
    elif date is None:
        refuse_wide(table)
    return options.read(table)


def read_all_series(
    source: "str | PathLike[str] | IO | pd.DataFrame",
    target: str | int | None = None,
    *,
    series_id: str | int,
    **options: Any,
) -> dict[str, Series]:
    """Read every series of a file that holds several.

    Args:
      source: as `read_series` takes it: the series stand below each other, or each in a row.
      target: the column to predict; None if there is one alone.
      series_id: the column that says which series a row belongs to.
      options: the other arguments of `read_series`, which all series share.

    Returns:
      The series by their names, in the order of the file.

    Raises:
      ValueError: as `read_series`.

    >>> import io
    >>> file = io.StringIO("country,year,value\\nA,2000,1\\nA,2001,2\\nB,2000,3\\nB,2001,4\\n")
    >>> {name: series.column("value").tolist() for name, series in read_all_series(file, "value", series_id=0).items()}
    {'A': [1.0, 2.0], 'B': [3.0, 4.0]}
    """
    defaults = dict(read_series.__kwdefaults__ or {})
    unknown = options.keys() - (defaults.keys() - {"series", "series_id"})
    if unknown:
        raise TypeError(f"read_all_series takes no argument {sorted(unknown)[0]!r}")
    given = {**defaults, **options, "source": source, "target": target, "series_id": series_id}
    shared = _Options(given)
    table = shared.read_table()
    found = {}
    for name, part in split_series(table, series_id).items():
        given["series"] = name
        found[name] = _Options(given).read(part)
    return found


_SAMPLE = 1000


class _Options:
    """The arguments of `read_series`, checked."""

    def __init__(self, given: dict[str, Any]):
        self.given = {name: value for name, value in given.items() if name not in ("source", "target", "columns")}
        self.source, self.target, self.columns = given["source"], given["target"], given.get("columns")
        check_choice("blanks", given["blanks"], POLICIES)
        check_choice("duplicates", given["duplicates"], get_args(Duplicates))
        check_choice("gaps", given["gaps"], GAP_POLICIES)
        if given["decimal"] is not None:
            check_choice("decimal", given["decimal"], (".", ","))
        for name in ("skip_rows", "skip_footer"):
            check_count(name, given[name], least=0)
        if given["header"] is not None and not isinstance(given["header"], bool):
            check_count("header", given["header"], least=0)
        missing = given["missing"]
        self.missing = [missing] if isinstance(missing, str | int | float) else list(missing)
        date = given["date"]
        self.dates = [date] if isinstance(date, str) or (isinstance(date, int) and not isinstance(date, bool)) else []
        if isinstance(date, Sequence) and not isinstance(date, str):
            self.dates = list(date)

    def read_table(self) -> Table:
        """Read the cells."""
        names = ("encoding", "separator", "header", "skip_rows", "skip_footer", "comment")
        texts = self.dates if self.given["series_id"] is None else [self.given["series_id"]]
        return read_table(self.source, missing=self.missing, texts=texts, **{name: self.given[name] for name in names})

    def read(self, table: Table) -> Series:
        """Make a series of a table."""
        given, drop = self.given, self.given["blanks"] == "drop"
        notes = list(table.notes)
        date = given["date"]
        found, said = find_dates(table, date, {name: given[name] for name in ("date_format", "dayfirst", "yearfirst")})
        notes += said
        if given["series_id"] is None and given["duplicates"] == "error" and date is not False:
            _refuse_several(table, found, [] if self.target is None else [table.find(self.target)])
        numbers = NumberColumns(table, given["decimal"], self.missing, found.at if found else ())
        at = _choose(table, self.target, self.columns, found, numbers, notes, given["series_id"])
        values = _values(table, at, found, numbers)
        rows: np.ndarray | range = range(len(table))
        dates = None
        if found is not None:
            notes += found.dates.notes
            rows, dates, values = order_rows(table, found, values, given["duplicates"], drop, notes)
        else:
            if given["duplicates"] != "error" or given["gaps"] != "keep":
                name = "duplicates" if given["duplicates"] != "error" else "gaps"
                raise ValueError(f"{table.name}: {name}={given[name]!r} needs a column of dates, say which with date=…")
        undated = len(table) - len(rows) if drop else 0
        values, kept, filled = fill_blanks(
            values,
            given["blanks"],
            lambda row, k: table.place(int(rows[row]), at[k]),
            lambda row, k: "inf" in table.cell(int(rows[row]), at[k]).casefold(),
        )
        if filled or undated:
            notes.append(f"blanks={given['blanks']!r} applied {filled + undated} times")
        if dates is not None:
            values, dates, told = apply_gaps(values, dates if len(kept) == len(dates) else dates[kept], given["gaps"])
            notes += told
        names = tuple(table.columns[k] for k in at)
        target = names[0] if len(names) == 1 else None
        return Series(
            values,
            names,
            dates=dates,
            target=target if self.target is None else table.columns[table.find(self.target)],
            name=PurePath(table.name).stem if given["series"] is None else str(given["series"]),
            notes=(*notes, *numbers.notes),
            reading=self._reading(table, found, numbers),
        )

    def _reading(self, table: Table, found: DateColumn | None, numbers: NumberColumns) -> dict[str, Any]:
        """Return the arguments that read such a file so again: what was given, and what was found out."""
        reading = {**self.given, **dict(table.keywords), "missing": self.missing, "decimal": numbers.decimal}
        if found is None:
            reading["date"] = False
        else:
            names = [table.columns[k] for k in found.at]
            reading |= {"date": names[0] if len(names) == 1 else names, **found.dates.keywords}
        return reading


def _refuse_several(table: Table, found: DateColumn | None, but: list[int]) -> None:
    """Refuse a table in which several series stand below each other."""
    if found is not None:
        times = [(found.dates.values, found.at)]
    else:
        times = [(years, (k,)) for k in range(len(table.columns)) if (years := years_of(table, k)) is not None]
    for dates, at in times:
        column = id_column(table, dates, [*at, *but])
        if column is not None:
            refuse_long(table, column)


def _choose(
    table: Table,
    target: str | int | None,
    columns: str | int | Sequence[str | int] | None,
    found: DateColumn | None,
    numbers: NumberColumns,
    notes: list[str],
    series_id: str | int | None,
) -> list[int]:
    """Decide which columns to read."""
    wanted = [] if target is None else [table.find(target)]
    if columns is not None and columns != "all":
        listed = [columns] if isinstance(columns, str | int) else list(columns)
        named = [table.find(column) for column in listed]
        return named + [k for k in wanted if k not in named]
    if columns is None and wanted:
        return wanted
    at: list[int] = []
    left_out: list[int] = []
    but = set(found.at if found else ())
    if series_id is not None and str(series_id) in table.columns:
        but.add(table.find(series_id))
    for k in range(len(table.columns)):
        if k in but:
            continue
        values, wrong = numbers.read(k)
        if k == 0 and k not in wanted and _counts_rows(table, values):
            notes.append("the first column, which has no name and counts the rows, is left out")
            continue
        known = np.isfinite(values[:_SAMPLE]).any() and not len(wrong)
        numeric = k in wanted or known or np.isfinite(values).sum() > len(wrong)
        (at if numeric else left_out).append(k)
    if left_out:
        notes.append(f"columns without numbers left out: {', '.join(repr(table.columns[k]) for k in left_out)}")
    return at


def _counts_rows(table: Table, values: np.ndarray) -> bool:
    """Whether the first column is the index that pandas writes."""
    unnamed = table.columns[0] in ("column 0", "Unnamed: 0") and dict(table.keywords).get("header", 1)
    return bool(unnamed) and len(table.columns) > 1 and np.array_equal(values, np.arange(len(values)))


def _bad(table: Table, numbers: NumberColumns) -> list[tuple[int, np.ndarray]]:
    """Return the columns with some numbers, and their rows that hold none."""
    read = [(k, *numbers.read(k)) for k in range(len(table.columns))]
    return [(k, wrong) for k, values, wrong in read if len(wrong) and np.isfinite(values).any()]


def _values(table: Table, at: list[int], found: DateColumn | None, numbers: NumberColumns) -> np.ndarray:
    """Return the values (N, D) of columns; refuse what is no number."""
    if not at:
        some = ((table.place(bad[0], k), numbers.why(int(bad[0]), k)) for k, bad in _bad(table, numbers))
        why = next((f"; {place}: {reason}" for place, reason in some), "")
        names = ", ".join(map(repr, table.columns))
        raise ValueError(f"{table.name} has no column of numbers: columns are {names}{why}")
    block = _side_by_side([numbers.read(k)[0] for k in at])
    values = np.empty((len(table), len(at))) if block is None else block
    for place, k in enumerate(at):
        column = table.columns[k]
        if at.count(k) > 1:
            raise ValueError(f"columns names {column!r} twice")
        if found is not None and k in found.at:
            raise ValueError(f"column {column!r} of {table.name} holds the dates: date=False reads it as numbers")
        column_values, wrong = numbers.read(k)
        if block is None:
            values[:, place] = column_values
        if len(wrong):
            raise ValueError(f"{table.place(wrong[0], k)}: {numbers.why(int(wrong[0]), k)}")
        if k in numbers.units:
            numbers.notes.append(f"the unit {numbers.units[k]!r} of column {column!r} is left out")
    return values


def _side_by_side(columns: list[np.ndarray]) -> np.ndarray | None:
    """Return the array whose columns these are, all of them in order; None if there is none."""
    block = columns[0].base
    if not isinstance(block, np.ndarray) or block.ndim != 2 or block.shape != (len(columns[0]), len(columns)):
        return None
    places = (block[:, k].__array_interface__ for k in range(len(columns)))
    same = all(column.__array_interface__ == place for column, place in zip(columns, places, strict=True))
    return block if same and block.dtype == np.float64 else None
