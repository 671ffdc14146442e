"""Reading a series from delimited text, whatever program wrote it."""

from collections.abc import Sequence
from functools import cache
from os import PathLike
from pathlib import PurePath
from typing import IO, Literal

import numpy as np

from seqvision._checks import check_choice
from seqvision.data.series.blank_policies import POLICIES, BlankPolicy, fill_blanks
from seqvision.data.series.reading.date_text import looks_like_date, parse_dates
from seqvision.data.series.reading.number_text import is_blank, parse_numbers
from seqvision.data.series.reading.text_table import Table, read_table
from seqvision.data.series.series import Series, find_column
from seqvision.data.series.time_axis import GapPolicy, apply_gaps

Duplicates = Literal["error", "first", "last", "mean"]


def read_series(
    source: str | PathLike[str] | IO,
    target: str | int | None = None,
    *,
    columns: str | int | Sequence[str | int] | None = None,
    date: str | int | bool | Sequence[str | int] | None = None,
    date_format: str | None = None,
    dayfirst: bool | None = None,
    yearfirst: bool | None = None,
    duplicates: Duplicates = "error",
    series_id: str | int | None = None,
    series: str | int | None = None,
    blanks: BlankPolicy = "error",
    missing: Sequence[str | float] = (),
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    header: bool | int | None = None,
    skip_rows: int = 0,
    skip_footer: int = 0,
    comment: str | None = None,
    gaps: GapPolicy = "keep",
) -> Series:
    """Read a series from delimited text.

    Encoding, separator, header, date column and the order of day and month are found out from the file; where the data
    do not decide, an error asks for the word. Rows are put in the order of their dates. Numbers may have thousands
    commas, the suffixes K, M, B, T, and % (which divides by 100). Only columns that are used are checked for blanks;
    NaN and infinities count as blanks.

    Args:
      source: a path, or an open file.
      target: the column to predict, by name or position (from 0).
      columns: the columns to read, in this order, the target being added if it is missing; None reads the target alone,
        or without a target all columns of numbers; "all" reads all columns of numbers.
      date: the column of dates; None takes the first that looks like one, False reads none and keeps the file's order.
      date_format: strptime format of the dates.
      dayfirst: True for dd/mm/yyyy, False for mm/dd/yyyy, None to decide by the data.
      blanks: "error", "drop" the row, "ffill" repeats the value before, "interpolate" draws a line between the
        neighbors (and so looks ahead: not across the cutoff of a test), "zero".
      encoding, separator, header: None finds them out; separator " " is any run of blanks; without header the columns
        are called "column 0", …
      decimal: "." or ",".
      yearfirst: whether years of two digits come first (yy-mm-dd); None decides by the data.
      gaps: what to do where steps of time have no row: "keep" them and say so, "fill" in rows that repeat the values
        before, "interpolate" rows on a line (and so look ahead), "error"; see `apply_gaps`.
      duplicates, series_id, series, missing, skip_rows, skip_footer, comment: not supported yet.

    Returns:
      A `Series`, whose notes say what was sorted, filled or left out, and whose `reading` holds the keyword arguments
      that read such a file the same way again.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: naming row and column: of a blank, a text among numbers, a ragged row, an ambiguous or repeated date;
        or listing the columns, if one is not there.

    >>> import io
    >>> file = io.StringIO('date,close,volume\\n2022-05-31,"1,292.68",591.09K\\n2022-05-30,"1,293.92",\\n')
    >>> series = read_series(file, target="close")
    >>> series.columns, series.values.tolist(), series.notes
    (('close',), [[1293.92], [1292.68]], ('rows sorted by date',))
    """
    check_choice("blanks", blanks, POLICIES)
    later = {
        "duplicates": (duplicates, "error"),
        "series_id": (series_id, None),
        "series": (series, None),
        "missing": (tuple(missing), ()),
        "skip_rows": (skip_rows, 0),
        "skip_footer": (skip_footer, 0),
        "comment": (comment, None),
    }
    for name, (value, default) in later.items():
        if value != default:
            raise ValueError(f"{name}={value!r} is not supported yet: leave it out")
    if isinstance(date, Sequence) and not isinstance(date, str):
        raise ValueError(f"date={date!r}: several columns are not supported yet")
    decimal = "." if decimal is None else decimal
    table = read_table(source, encoding=encoding, separator=separator, header=header, decimal=decimal)
    date_at = _find_date(table, date)
    parse = cache(lambda k: parse_numbers(table.cells[k], decimal))
    at, notes = _choose(table, target, columns, date_at, parse)
    _check_numbers(table, at, date_at, parse)
    rows, dates = np.arange(len(table.lines)), None
    if date_at is not None:
        rows, dates = _order(table, date_at, dayfirst, yearfirst, date_format, blanks == "drop", notes)
        if (np.diff(rows) < 0).any():
            notes.append("rows sorted by date")
    values = np.stack([parse(k)[0] for k in at], axis=1)[rows]
    values, kept, filled = fill_blanks(values, blanks, lambda row, k: table.place(rows[row], at[k]))
    if len(rows) < len(table.lines) or filled:
        notes.append(f"blanks={blanks!r} applied {filled + len(table.lines) - len(rows)} times")
    days = None if dates is None else dates[kept]
    if days is not None:
        values, days, told = apply_gaps(values, days, gaps)
        notes.extend(told)
    elif gaps != "keep":
        raise ValueError(f"{table.name}: gaps={gaps!r} needs a column of dates, say which with date=…")
    names = tuple(table.columns[k] for k in at)
    chosen = names[0] if len(names) == 1 else None
    if target is not None:
        chosen = table.columns[find_column(table.columns, target, table.name)]
    return Series(
        values,
        names,
        dates=days,
        target=chosen,
        name=PurePath(table.name).stem,
        notes=(*table.notes, *notes),
        reading={
            "date": False if date_at is None else table.columns[date_at],
            "date_format": date_format,
            "dayfirst": dayfirst,
            "blanks": blanks,
            "encoding": encoding,
            "separator": separator,
            "decimal": decimal,
            "header": header,
            "gaps": gaps,
        },
    )


def _find_date(table: Table, date: str | int | bool | None) -> int | None:
    if date is False:
        return None
    if date is not None and date is not True:
        return find_column(table.columns, date, table.name)
    for k, cells in enumerate(table.cells):
        sample = [cell for cell in cells[:50] if not is_blank(cell)]
        compact = "date" in table.columns[k].casefold() and all(len(cell) == 8 and cell.isdigit() for cell in sample)
        if sample and (compact or all(looks_like_date(cell) for cell in sample)):
            return k
    if date is True:
        raise ValueError(f"{table.name} has no column that looks like dates: name it with date=…")
    return None


def _choose(table: Table, target, columns, date_at: int | None, parse) -> tuple[list[int], list[str]]:
    """Decide which columns to read; return their positions and a note on those left out."""
    wanted = [] if target is None else [find_column(table.columns, target, table.name)]
    if columns is not None and columns != "all":
        listed = [columns] if isinstance(columns, (str, int)) else list(columns)
        found = [find_column(table.columns, column, table.name) for column in listed]
        return found + [k for k in wanted if k not in found], []
    if columns is None and wanted:
        return wanted, []
    at: list[int] = []
    left_out: list[int] = []
    for k in range(len(table.columns)):
        if k != date_at:
            values, wrong = parse(k)
            numeric = k in wanted or np.isfinite(values).sum() > len(wrong)
            (at if numeric else left_out).append(k)
    ignored = ", ".join(repr(table.columns[k]) for k in left_out)
    return at, [f"columns without numbers left out: {ignored}"] if left_out else []


def _check_numbers(table: Table, at: list[int], date_at: int | None, parse) -> None:
    if not at:
        raise ValueError(f"{table.name} has no column of numbers: columns are {', '.join(map(repr, table.columns))}")
    for k in at:
        column = table.columns[k]
        if at.count(k) > 1:
            raise ValueError(f"columns names {column!r} twice")
        if k == date_at:
            raise ValueError(f"column {column!r} of {table.name} holds the dates: date=False reads it as numbers")
        wrong = parse(k)[1]
        if len(wrong):
            cell = table.cells[k][wrong[0]]
            hint = " (decimal and separator say which signs part the digits)" if "," in cell else ""
            raise ValueError(f"{table.place(wrong[0], k)}: {cell!r} is not a number{hint}")


def _order(
    table: Table, date_at: int, dayfirst, yearfirst, date_format, drop: bool, notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in the order of their dates, and these dates."""
    read = parse_dates(
        table.cells[date_at],
        dayfirst=dayfirst,
        yearfirst=yearfirst,
        date_format=date_format,
        place=lambda row: table.place(row, date_at),
    )
    dates = read.values
    notes += read.notes
    missing = np.flatnonzero(np.isnat(dates))
    if len(missing) and not drop:
        raise ValueError(f"{table.place(missing[0], date_at)}: there is no date (blanks='drop' leaves such rows out)")
    rows = np.argsort(dates, kind="stable")[: len(dates) - len(missing)]  # NaT sorts to the end
    ordered = dates[rows]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        first = rows[same[0] : same[0] + 2]
        day = np.datetime_as_string(ordered[same[0]], unit="auto")
        raise ValueError(
            f"{table.place(first[1], date_at)}: the date {day} is already in line {table.lines[first[0]]} "
            f"({len(same)} such rows): remove duplicates, or say date=False to keep the order of the file"
        )
    return rows, ordered
