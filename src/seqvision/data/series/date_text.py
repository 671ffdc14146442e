"""Dates as exports write them: ISO, day first or month first, with month names."""

import re
from itertools import product

import numpy as np

from seqvision.data.series.number_text import is_blank

_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_YEAR_FIRST = re.compile(rf"\d{{4}}(?:([-/.])\d{{1,2}}\1\d{{1,2}}{_TIME}|[-/]\d{{1,2}})", re.IGNORECASE | re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}", re.IGNORECASE | re.ASCII)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NAMED = re.compile(
    rf"(?:{_MONTH}[ -]\d{{1,2}},? \d{{4}}|\d{{1,2}}[ -]{_MONTH}[ -](?:\d{{4}}|\d{{2}})){_TIME}",
    re.IGNORECASE | re.ASCII,
)
_TIMES = ("", *(f"{gap}{time}" for time, gap in product(("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p"), " T")))
_NAMED_DAYS = (
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%B %d %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %y",
)


def looks_like_date(cell: str) -> bool:
    """Say whether a cell is written as a date (a bare year is a number).

    >>> [looks_like_date(text) for text in ("2013-02-08", "1749-01", "5/31/2022", "Jan 03, 2022", "1971", "3.14")]
    [True, True, True, True, False, False]
    """
    text = cell.strip()
    return any(pattern.fullmatch(text) for pattern in (_YEAR_FIRST, _YEAR_LAST, _NAMED))


def parse_dates(cells, *, dayfirst: bool | None = None, date_format: str | None = None, place=str) -> np.ndarray:
    """Read a column of dates, all in one form.

    Args:
      cells: N texts; a blank becomes NaT.
      dayfirst: True for dd/mm/yyyy, False for mm/dd/yyyy; None decides by the data (a component above 12).
      date_format: a strptime format, which then every cell must follow.
      place: function of a row number that names the cell in errors.

    Returns:
      (N,) datetime64[ns]; times with an offset are turned to UTC.

    Raises:
      ValueError: if a cell is no date in the form of the others, or day and month cannot be told apart.

    >>> parse_dates(["30/05/2022", "01/06/2022"]).astype("datetime64[D]").astype(str).tolist()
    ['2022-05-30', '2022-06-01']
    """
    texts = ["" if is_blank(cell) else cell.strip() for cell in cells]
    given = [i for i, text in enumerate(texts) if text]
    if not given:
        raise ValueError(f"{place(0)}: there is no date in this column")
    first = texts[given[0]]
    if date_format is not None:
        formats: list[str] = [date_format]
    elif _YEAR_LAST.fullmatch(first):
        formats = _year_last_formats(texts, given, dayfirst, place)
    elif _NAMED.fullmatch(first):
        formats = [day + time for day, time in product(_NAMED_DAYS, _TIMES)]
    else:
        days = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y/%m", "%Y%m%d")
        formats = ["ISO8601", *(day + time for day, time in product(days, _TIMES))]
    fits = [form for form in formats if not np.isnat(_convert([first], form)[0])] or formats[:1]
    if len(fits) > 1:  # May is a month's whole name and its first letters: only the other rows can tell
        fits = [form for form in fits if not np.isnat(_convert(texts, form)[given]).any()] or fits
    dates = _convert(texts, fits[0])
    for i in given:
        if np.isnat(dates[i]):
            raise ValueError(
                f"{place(i)}: {texts[i]!r} is not a date" + (f" of the form {first!r}" if texts[i] != first else "")
            )
    return dates


def _convert(texts: list[str], form: str) -> np.ndarray:
    import pandas as pd

    parsed = pd.to_datetime(pd.Series(texts, dtype=object), format=form, errors="coerce", utc=True)
    return parsed.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")


def _year_last_formats(texts, given, dayfirst, place) -> list[str]:
    matches = {i: match for i in given if (match := _YEAR_LAST.fullmatch(texts[i]))}
    day_rows = [i for i, match in matches.items() if int(match[1]) > 12]
    month_rows = [i for i, match in matches.items() if int(match[3]) > 12]
    if day_rows and month_rows:
        raise ValueError(
            f"{place(day_rows[0])}: {texts[day_rows[0]]!r} has the day first, but {texts[month_rows[0]]!r} of row "
            f"{month_rows[0]} the month: write all dates in one form"
        )
    decided = True if day_rows else False if month_rows else None
    if decided is not None and dayfirst is not None and decided != dayfirst:
        row = (day_rows or month_rows)[0]
        raise ValueError(f"{place(row)}: {texts[row]!r} contradicts dayfirst={dayfirst}: leave dayfirst out")
    if decided is None and dayfirst is None and any(int(match[1]) != int(match[3]) for match in matches.values()):
        raise ValueError(
            f"{place(given[0])}: the data do not show whether {texts[given[0]]!r} has the day or the month first: "
            "say dayfirst=True (dd/mm/yyyy) or dayfirst=False (mm/dd/yyyy)"
        )
    mark, year = matches[given[0]][2], "%Y" if len(matches[given[0]][4]) == 4 else "%y"
    order = ("%d", "%m") if decided or (decided is None and dayfirst) else ("%m", "%d")
    return [mark.join((*order, year)) + time for time in _TIMES]
