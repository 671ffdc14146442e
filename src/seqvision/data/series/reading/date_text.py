"""Which reading a column of dates has: one that fits every cell, and the file's order where several do."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from seqvision.data.series.reading.date_fields import Fields, fields_of, fitting_unit, instants
from seqvision.data.series.reading.date_patterns import READINGS, Reading, reading_of

_BLOCK = 1 << 15
_HEAD = 500  # rows that show most of what a column is not
EVIDENCE = 8  # dates whose order may choose between readings


@dataclass(frozen=True, eq=False)
class Dates:
    """A column of dates as read."""

    values: np.ndarray  # (N,) datetime64[ns], or [s] where that does not reach; NaT for blanks
    notes: tuple[str, ...] = ()
    keywords: dict[str, str | bool] = field(default_factory=dict)  # that ask for the same reading


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One reading of a column."""

    reading: Reading
    dates: np.ndarray  # (N,)
    wrong: np.ndarray  # (N,) rows that it does not fit
    given: np.ndarray  # (N,) rows that are not blank
    two_digits: bool = False  # of a year
    offset: bool = False
    span: bool = False


def looks_like_date(cell: str) -> bool:
    """Say whether a cell is written as a date (digits alone, such as a bare year, are a number).

    >>> [looks_like_date(text) for text in ("2013-02-08", "1749-01", "5/31/2022", "2020Q4", "1971", "3.14")]
    [True, True, True, True, False, False]
    """
    text = cell.strip()
    if not 5 <= len(text) <= 80 or not any(sign.isdigit() for sign in text) or text.isdigit():
        return False
    return any(not fields_of(np.array([text], object), reading).wrong[0] for reading in READINGS if not reading.bare)


def parse_dates(
    cells: Sequence[str] | np.ndarray,
    *,
    dayfirst: bool | None = None,
    yearfirst: bool | None = None,
    date_format: str | None = None,
    bare: bool = True,
    place: Callable[[int], str] = str,
) -> Dates:
    """Read a column of dates, all in one form.

    Every reading is tried on all cells. Where several fit that give different dates, the order of the rows decides: the
    one reading in which they rise or fall, or go in equal steps.

    Args:
      cells: N texts; a blank becomes NaT.
      dayfirst: True for dd/mm/yyyy, False for mm/dd/yyyy; None decides by the data.
      yearfirst: whether two-digit years come first (yy-mm-dd).
      date_format: a strptime format, which then every cell must follow; or "s", "ms", "us", "ns" since 1970, "excel",
        "quarter", "half", "week", "fiscal".
      bare: whether digits alone may be dates.
      place: function of a row number that names the cell in errors.

    Returns:
      Times with an offset are turned to UTC, of spans the beginning is taken.

    Raises:
      ValueError: if a cell is no date in the form of the others, or the readings cannot be told apart.

    >>> parse_dates(["30/05/2022", "01/06/2022"]).values.astype("datetime64[D]").astype(str).tolist()
    ['2022-05-30', '2022-06-01']
    """
    texts = np.empty(len(cells), object)
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "S":
        texts = cells
    else:
        texts[:] = cells
    tried = []
    if date_format is not None:
        reading, whole = reading_of(date_format)
        tried = [_try(texts, reading, whole, stop=False, likely=False)]
        fitting = [c for c in tried if not c.wrong.any()]
    else:
        usual, unusual = _wanted(dayfirst, yearfirst, bare)
        fitting = []
        for readings in (usual, unusual):
            tried += [_try(texts, reading) for reading in readings]
            fitting = [c for c in tried if not c.wrong.any()]
            if fitting:
                break
    if (fitting and not fitting[0].given.any()) or not len(texts):
        raise ValueError(f"{place(0)}: there is no date in this column")
    if not fitting:
        raise ValueError(_explain(texts, tried, dayfirst, yearfirst, date_format, place))
    chosen, keywords, notes = _choose(texts, fitting, place)
    if chosen.two_digits:
        known = chosen.dates[~np.isnat(chosen.dates)]
        notes.append(f"two-digit years read as {str(known.min())[:4]} to {str(known.max())[:4]}")
    if chosen.offset:
        notes.append("times with an offset turned to UTC")
    if chosen.span:
        notes.append("of spans of time the beginning is taken")
    plain = chosen.reading.form in ("yyyymmdd", "year")
    if date_format is None and (chosen.reading.unusual or (chosen.reading.bare and not plain)) and not yearfirst:
        notes.append(f"dates read as {chosen.reading.form}")
    keywords = {"date_format": date_format} if date_format is not None else keywords
    for name, value in (("dayfirst", dayfirst), ("yearfirst", yearfirst)):
        if value is not None:
            keywords[name] = value
    return Dates(fitting_unit(chosen.dates), tuple(notes), keywords)


def _wanted(dayfirst: bool | None, yearfirst: bool | None, bare: bool) -> tuple[list[Reading], list[Reading]]:
    """Return the readings that the arguments allow: first the usual ones, then the others."""
    usual: list[Reading] = []
    unusual: list[Reading] = []
    for reading in READINGS:
        two_digits = reading.form in ("yy-mm-dd", "dd-mm-yy", "mm-dd-yy", "yy-dd-mm")
        if reading.bare and not bare:
            continue
        if dayfirst is not None and reading.dayfirst not in (dayfirst, None):
            continue
        if yearfirst is not None and reading.yearfirst not in (yearfirst, None):
            continue
        rare = reading.unusual
        if dayfirst is not None and yearfirst is None and two_digits:
            rare = reading.yearfirst is True
        if reading.unusual and reading.dayfirst == dayfirst is True and yearfirst:
            rare = False
        (unusual if rare else usual).append(reading)
    if dayfirst and yearfirst:  # 2020-05-06 is the 5th of June then
        usual = [reading for reading in usual if reading.form not in ("yyyy-mm-dd", "yy-mm-dd")]
    return usual, unusual


def _try(
    texts: np.ndarray, reading: Reading, whole: bool = False, *, stop: bool = True, likely: bool = True
) -> _Candidate:
    if stop and len(texts) > _HEAD:
        head = _try(texts[:_HEAD], reading, whole, likely=likely)
        if head.wrong.any():
            return head
    bare = reading.bare and likely
    two_digits = any("?P<y>" in pattern for pattern in reading.patterns)
    size = max(1, len(texts)) if two_digits else _BLOCK
    parts: list[_Candidate] = []
    for start in range(0, len(texts), size):
        fields = fields_of(texts[start : start + size], reading, whole=whole, stop=stop)
        parts.append(_put_together(reading, fields, bare, stop))
        if stop and parts[-1].wrong.any():
            return parts[-1]
    if len(parts) == 1:
        return parts[0]
    if len({part.offset for part in parts if part.given.any()}) > 1:
        parts[0].wrong[:] = True  # an offset in some rows alone
    units = {str(part.dates.dtype) for part in parts}
    dates = [part.dates if len(units) == 1 else fitting_unit(part.dates) for part in parts]
    return _Candidate(
        reading,
        fitting_unit(np.concatenate(dates)),
        np.concatenate([part.wrong for part in parts]),
        np.concatenate([part.given for part in parts]),
        offset=any(part.offset for part in parts),
        span=any(part.span for part in parts),
    )


def _put_together(reading: Reading, fields: Fields, bare: bool, stop: bool) -> _Candidate:
    if stop and fields.wrong.any():
        nothing = np.full(len(fields.given), "NaT", "datetime64[s]")
        return _Candidate(reading, nothing, fields.wrong, fields.given)
    offset = fields.offset and bool((fields.parts["z"] != 0)[fields.given].any())
    if "y" not in fields.parts:
        dates, wrong = instants(fields, None, bare)
        return _Candidate(reading, dates, wrong, fields.given, offset=offset, span=fields.span)
    best = None
    for years in _centuries(fields.parts["y"]):
        dates, wrong = instants(fields, years, bare)
        candidate = _Candidate(reading, dates, wrong, fields.given, True, offset, fields.span)
        if best is None or (best.wrong.any() and not wrong.any()):
            best = candidate
        if not wrong.any() and is_ordered(dates[fields.given]):
            return candidate
    assert best is not None
    return best


def _centuries(two: np.ndarray):
    """Yield full years for years of two digits: none after the next, and then what the order of the rows may tell."""
    two = np.where(two < 0, 0, two)
    latest = datetime.date.today().year + 1
    newest = latest - (latest - two) % 100
    yield newest
    yield 1900 + two
    if len(two):
        for first in (two[0], two[-1]):  # the file begins or ends with its oldest year
            for century in (1900, 1800):
                yield century + two + np.where(two < first, 100, 0)
    yield 1800 + two


def is_ordered(dates: np.ndarray) -> bool:
    """Whether dates rise or fall, but for one step in a hundred.

    >>> is_ordered(np.array(["2020-01-03", "2020-01-02", "2020-01-01"], "datetime64[D]"))
    True
    """
    steps = np.diff(dates.astype("datetime64[s]")).astype(np.int64)
    return bool(min((steps < 0).sum(), (steps > 0).sum()) <= len(steps) / 100)


def _is_regular(dates: np.ndarray) -> bool:
    """Whether dates go in equal steps, of time or of months."""
    if len(np.unique(np.diff(dates.astype("datetime64[s]")))) <= 1:
        return True
    months = dates.astype("datetime64[M]")
    into = dates.astype("datetime64[s]") - months.astype("datetime64[s]")
    ends = (months + 1).astype("datetime64[D]") - dates.astype("datetime64[D]")
    steps = np.unique(np.diff(months.astype(np.int64)))
    usual = len(steps) == 1 and (12 % abs(steps[0]) == 0 or steps[0] % 12 == 0)
    return usual and (len(np.unique(into)) == 1 or len(np.unique(ends)) == 1)


def _choose(texts: np.ndarray, fitting: list[_Candidate], place) -> tuple[_Candidate, dict, list[str]]:
    """Return the reading that is right, the arguments that tell it from others, and a note if the order decided."""
    different: list[_Candidate] = []
    for candidate in fitting:
        if not any(np.array_equal(candidate.dates, other.dates, equal_nan=True) for other in different):
            different.append(candidate)
    if len(different) == 1:
        common = (c.reading.keywords.items() for c in fitting)
        return different[0], dict(set.intersection(*map(set, common))), []
    given = different[0].given
    if len(np.unique(texts[given])) >= EVIDENCE:
        ordered = [c for c in different if is_ordered(c.dates[given])]
        if len(ordered) > 1:
            ordered = [c for c in ordered if _is_regular(c.dates[given])]
        if len(ordered) == 1:
            reading = ordered[0].reading
            return ordered[0], reading.keywords, [f"dates read as {reading.form}, as the order of the rows tells"]
    rows = np.flatnonzero(given)[:1000]
    row = next((at for at in rows if len({c.dates[at] for c in different}) == len(different)), rows[0])
    meant = " or ".join(f"{c.reading.remedy} ({c.reading.form}: {str(c.dates[row])[:10]})" for c in different)
    raise ValueError(f"{place(int(row))}: the data do not show which date {_text(texts, row)!r} is: say {meant}")


def _text(texts: np.ndarray, row: int) -> str:
    text = texts[row]
    return (text.decode("ascii", "replace") if isinstance(text, bytes) else text).strip()


def _explain(texts, tried: list[_Candidate], dayfirst, yearfirst, date_format, place) -> str:
    """Say which cell is no date, and why."""
    if date_format is not None:
        row = int(np.argmax(tried[0].wrong))
        return f"{place(row)}: {_text(texts, row)!r} is not a date of the form {date_format!r}"
    full = {c.reading.form: _try(texts, c.reading, stop=False) for c in tried if not c.reading.unusual}
    best = min(full.values(), key=lambda c: (c.wrong.sum(), -int(np.argmax(c.wrong))))
    row = int(np.argmax(best.wrong))
    every = [_try(texts, reading, stop=False) for reading in READINGS if not reading.unusual]
    other = next((c for c in every if not c.wrong.any()), None)
    if other is not None and (dayfirst is not None or yearfirst is not None):
        name, value = ("dayfirst", dayfirst) if dayfirst is not None else ("yearfirst", yearfirst)
        if other.reading.dayfirst not in (dayfirst, None) or dayfirst is None:
            pass
        else:
            name, value = "yearfirst", yearfirst
        return f"{place(row)}: {_text(texts, row)!r} contradicts {name}={value}: leave {name} out"
    for first, second in (("dd/mm/yyyy", "mm/dd/yyyy"), ("dd-mm-yy", "mm-dd-yy")):
        if first in full and second in full:
            days = np.flatnonzero(full[second].wrong & ~full[first].wrong)
            months = np.flatnonzero(full[first].wrong & ~full[second].wrong)
            if len(days) and len(months) and not (full[first].wrong & full[second].wrong).any():
                day, month = _text(texts, days[0]), _text(texts, months[0])
                return (
                    f"{place(int(days[0]))}: {day!r} has the day first, but {month!r} of row {months[0]} the month: "
                    "write all dates in one form"
                )
    like = next((text for k in range(min(row, 100)) if (text := _text(texts, k)).strip("- ")), None)
    return f"{place(row)}: {_text(texts, row)!r} is not a date" + (f" of the form {like!r}" if like is not None else "")
