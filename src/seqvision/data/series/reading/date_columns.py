"""Which columns of a table tell the time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqvision.data.series.reading.date_fields import fitting_unit
from seqvision.data.series.reading.date_patterns import TIMES
from seqvision.data.series.reading.date_text import Dates, looks_like_date, parse_dates
from seqvision.data.series.reading.date_words import is_date_name, is_year_name, plain
from seqvision.data.series.reading.header import is_number
from seqvision.data.series.reading.number_text import is_blank
from seqvision.data.series.reading.table import Table

_SAMPLE = 50
_PARTS = {
    "year": "year yr yyyy jahr ano annee anno 年 năm nam",
    "quarter": "quarter qtr q quartal trimestre trim",
    "month": "month mon mm mo monat mes mois mese 月 thang",
    "day": "day dd dy dom tag dia jour giorno 日 ngay",
    "hour": "hour hr hh hours stunde hora heure ora 时 時 gio",
    "minute": "minute min mi mn minutes minuten minuto",
    "second": "second sec ss seconds sekunde segundo",
}
_ROLES = {word: role for role, words in _PARTS.items() for word in words.split()}
_YEAR = re.compile(r"(?<![0-9])(?:1[5-9]|2[01])[0-9]{2}(?![0-9])")
_YEARS = re.compile(r"(?:1[5-9]|2[01])[0-9]{2}(?:\.[0-9]+)?")
_COMPACT = {8, 12, 14}  # digits of days and times that are hardly numbers


@dataclass(frozen=True, eq=False)
class DateColumn:
    """The columns of dates, and the dates."""

    at: tuple[int, ...]
    dates: Dates


def find_dates(
    table: Table, date: str | int | bool | Sequence[str | int] | None, options: dict[str, Any]
) -> tuple[DateColumn | None, list[str]]:
    """Find and read the dates of a table.

    Args:
      table: where to look.
      date: the column, or several (date and time; year, month, day, hour …); None and True find the column, False reads
        none.
      options: date_format, dayfirst, yearfirst, as `parse_dates` takes them.

    Returns:
      The dates, None if there are none; and a note if a column may hold some.

    Raises:
      ValueError: as `parse_dates`; or if a column seems to hold dates and is not understood.
    """
    if date is False:
        return None, []
    if date is not None and date is not True:
        named = [date] if isinstance(date, str | int) else list(date)
        at = tuple(table.find(column) for column in named)
        if not at or len(set(at)) < len(at):
            raise ValueError(f"date={date!r} must name one column, or several different ones")
        return _read(table, at, options), []
    day = next((k for k in range(len(table.columns)) if _looks_like_dates(table, k)), None)
    if day is not None:
        return _with_time(table, day, options), []
    day = next(_compact_columns(table), None)
    if day is not None:
        found = _with_time(table, day, options)
        return (found if is_date_name(table.columns[day]) else _noted(table, found)), []
    parts = _part_columns(table) or next(((k,) for k in range(len(table.columns)) if _is_years(table, k)), ())
    if parts:
        return _noted(table, _read(table, parts, options)), []
    if date is True:
        raise ValueError(f"{table.name} has no column that looks like dates: name it with date=…")
    return None, _unknown(table)


def _noted(table: Table, found: DateColumn) -> DateColumn:
    names = ", ".join(repr(table.columns[k]) for k in found.at)
    note = f"dates are those of column{'s' if len(found.at) > 1 else ''} {names}"
    return replace(found, dates=replace(found.dates, notes=(note, *found.dates.notes)))


def _read(table: Table, at: tuple[int, ...], options: dict[str, Any]) -> DateColumn:
    if len(at) == 1:
        return DateColumn(at, _read_one(table, at[0], options))
    texts = _joined(table, at)
    return DateColumn(at, parse_dates(texts, place=lambda row: table.place(row, at[0]), **options))


def _read_one(table: Table, column: int, options: dict[str, Any]) -> Dates:
    cells = table.cells[column]
    if cells.dtype.kind == "M":
        return Dates(
            fitting_unit(cells if cells.dtype == np.dtype("datetime64[ns]") else cells.astype("datetime64[us]"))
        )
    texts = cells if cells.dtype.kind == "S" else table.texts(column)
    return parse_dates(texts, place=lambda row: table.place(row, column), **options)


def _sample(table: Table, column: int) -> list[str]:
    cells = table.cells[column]
    if cells.dtype.kind == "M":
        return []
    return [cell.strip() for cell in table.texts(column, 20 * _SAMPLE) if not is_blank(cell)][:_SAMPLE]


def _looks_like_dates(table: Table, column: int) -> bool:
    """Whether the most of a column's first cells are written as dates."""
    cells = table.cells[column]
    if cells.dtype.kind == "M":
        return True
    if cells.dtype.kind not in "OS":
        return False
    sample = _sample(table, column)
    return bool(sample) and sum(map(looks_like_date, sample)) > len(sample) / 2


def _compact_columns(table: Table):
    """Yield columns of digits that are dates: by name, or because no number is written so."""
    for k, name in enumerate(table.columns):
        sample = _sample(table, k)
        if not sample or not all(re.fullmatch(r"[0-9]{5,19}(?:\.[0-9]+)?", cell) for cell in sample):
            continue
        lengths = {len(cell.split(".")[0]) for cell in sample}
        if not is_date_name(name) and not (lengths <= _COMPACT and len(lengths) == 1 and len(set(sample)) > 2):
            continue
        try:
            parse_dates(sample)
        except ValueError as error:
            if "do not show" not in str(error) or not is_date_name(name):
                continue
        yield k


def years_of(table: Table, column: int) -> np.ndarray | None:
    """Return the years (N,) of a column that by its name holds some, as datetime64[Y]; None if it does not."""
    name = table.columns[column]
    if table.cells[column].dtype.kind == "M" or not (is_year_name(name) or is_date_name(name)):
        return None
    texts = [cell.strip() for cell in table.texts(column) if not is_blank(cell)]
    if len(texts) < max(2, len(table)) or not all(re.fullmatch("[12][0-9]{3}", text) for text in texts):
        return None
    return np.array(texts, "datetime64[Y]")


def _is_years(table: Table, column: int) -> bool:
    """Whether a column holds one year a row, rising or falling."""
    years = years_of(table, column)
    steps = np.zeros(1, int) if years is None else np.diff(years).astype(int)
    return bool((steps > 0).all() or (steps < 0).all())


def _role(name: str) -> str | None:
    return _ROLES.get(plain(name.strip()))


def _part_columns(table: Table) -> tuple[int, ...]:
    """Return the columns of year, month, day, hour …, if there are such by name."""
    roles: dict[str, int] = {}
    for k, name in enumerate(table.columns):
        role = _role(name)
        if role is not None and role not in roles:
            roles[role] = k
    if "month" not in roles:
        return (roles["year"], roles["quarter"]) if {"year", "quarter"} <= roles.keys() else ()
    at = []
    for role in _PARTS:
        if role not in roles and role != "quarter":
            break
        if role != "quarter":
            at.append(roles[role])
    return tuple(at) if len(at) >= 2 else ()


def _with_time(table: Table, day: int, options: dict[str, Any]) -> DateColumn:
    """Read a column of days with the one of times of day beside it, if there is one."""
    found = _read(table, (day,), options)
    values = found.dates.values
    if _tells_times(values[:1000]) or _tells_times(values):
        return found
    known = values[~np.isnat(values)]
    for k, name in enumerate(table.columns):
        sample = _sample(table, k)
        if k == day or not sample or not (is_date_name(name) or _role(name) in ("hour",)):
            continue
        clock = all((":" in cell or cell.count(".") == 2) and _is_clock(cell) for cell in sample)
        hours = _role(name) == "hour" and all(re.fullmatch("[0-9]{1,2}", cell) for cell in sample)
        digits = is_date_name(name) and all(re.fullmatch("[0-9]{3,6}", cell) for cell in sample)
        if (clock or hours or digits) and len(set(sample)) > 1 and len(np.unique(known)) < len(known):
            return _noted(table, _read(table, (day, k), options))
    return found


def _tells_times(dates: np.ndarray) -> bool:
    known = dates[~np.isnat(dates)]
    return bool((known.astype("datetime64[D]") != known).any())


def _is_clock(cell: str) -> bool:
    return any(time.fullmatch(re.sub("[0-9]", "0", cell)) for time in TIMES)


def _joined(table: Table, at: tuple[int, ...]) -> np.ndarray:
    """Join columns to one of texts that can be read as dates."""
    columns = [[cell.strip() for cell in table.texts(k)] for k in at]
    samples = [[cell for cell in column[:1000] if not is_blank(cell)] for column in columns]
    numeric = [bool(sample) and all(re.fullmatch(r"[0-9]+(?:\.0)?", cell) for cell in sample) for sample in samples]
    roles = [role for k in at if (role := _role(table.columns[k])) is not None]
    if len(set(roles)) < len(at):
        roles = (
            [role for role in _PARTS if role != "quarter"][: len(at)]
            if all(numeric) and len(samples[0][0]) <= 4
            else []
        )
    texts = np.empty(len(table), object)
    if roles and "year" in roles:
        texts[:] = [_day_text(dict(zip(roles, row, strict=True))) for row in zip(*columns, strict=True)]
    else:
        rest = [[_time_text(cell) for cell in column] if k else column for k, column in enumerate(columns)]
        texts[:] = [
            "" if is_blank(row[0]) else " ".join(part for part in row if part) for row in zip(*rest, strict=True)
        ]
    return texts


def _day_text(parts: dict[str, str]) -> str:
    if any(is_blank(part) for part in parts.values()):
        return ""
    parts = {role: part.removesuffix(".0") for role, part in parts.items()}
    if "quarter" in parts:
        return f"{parts['year']}-Q{parts['quarter'].upper().removeprefix('Q')}"
    if not parts.get("month", "1").isdigit():
        day = f"{parts.get('day', '1')} {parts['month']} {parts['year']}"
    else:
        day = f"{parts['year']}-{parts.get('month', '1')}" + (f"-{parts['day']}" if "day" in parts else "")
    if "hour" not in parts:
        return day
    clock = [parts["hour"], *(parts[role].zfill(2) for role in ("minute", "second") if role in parts)]
    return f"{day} {':'.join(clock if len(clock) > 1 else [*clock, '00'])}"


def _time_text(cell: str) -> str:
    """Write a time of day with colons: 9, 930, 093000."""
    digits = cell.removesuffix(".0")
    if not digits.isdigit() or len(digits) > 6:
        return cell
    if len(digits) <= 2:
        return f"{digits}:00"
    digits = digits.zfill(4 if len(digits) <= 4 else 6)
    return ":".join(re.findall("..", digits))


def _unknown(table: Table) -> list[str]:
    """Refuse a column that by its name speaks of time in a way that is not understood; note others that may."""
    notes = []
    for k, name in enumerate(table.columns):
        sample = _sample(table, k)
        if (is_year_name(name) or is_date_name(name)) and all(map(_YEARS.fullmatch, sample)) and sample:
            years = f"column {name!r} seems to hold years, such as {sample[0]}, that are not read as dates"
            notes.append(f"{years}: the order of the file is kept")
        if table.cells[k].dtype.kind not in "OS":
            continue
        if not sample or sum(map(is_number, sample)) >= len(sample) / 2:
            continue
        what = (
            f"column {name!r} of {table.name} seems to hold dates that are not understood, such as {sample[0][:40]!r}"
        )
        if is_date_name(name) and any(re.search("[0-9]", cell) for cell in sample):
            raise ValueError(
                f"{what}: say date={name!r} with date_format=…, or date=False to keep the order of the file"
            )
        if sum(bool(_YEAR.search(cell)) for cell in sample) > 0.9 * len(sample):
            notes.append(f"{what}: the order of the file is kept")
    return notes
