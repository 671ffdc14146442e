"""From one reading of a column of dates to instants, all rows at once."""

import re
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqvision.data.series.reading.date_patterns import (
    BARE_HOUR,
    BARE_TIME,
    SPAN,
    TIME_FOLLOWS,
    TIMES,
    TIMES_BEFORE,
    WEEKDAY,
    WEEKDAY_FOLLOWS,
    Reading,
)
from seqvision.data.series.reading.date_words import HALVES, MONTHS, WEEKDAYS
from seqvision.data.series.reading.layouts import LONGEST, layouts
from seqvision.data.series.reading.number_text import is_blank

_YEARS = (1000, 2999)  # of dates in digits alone
_EPOCHS = (("E", 1), ("E3", 10**3), ("E6", 10**6), ("E9", 10**9))
Span = tuple[str, int, int]  # a text and where it stands
_NONE = -(1 << 40)


@dataclass
class Fields:
    """The parts of N dates as numbers, `_NONE` where a row has no such part."""

    parts: dict[str, np.ndarray]
    given: np.ndarray  # (N,) rows that are not blank
    wrong: np.ndarray  # (N,) rows that this reading does not fit
    span: bool = False  # each row tells a beginning and an end
    offset: bool = False


@lru_cache(maxsize=4096)
def _match(layout: str, reading: Reading, whole: bool) -> tuple[dict[str, Span], bool] | None:
    """Find the named parts of a layout, (text, from, to) each, and whether it is a span; not to be changed."""
    for end in _ends(layout):
        text = layout[:end].rstrip()
        found = _match_instant(text, reading, whole)
        if found is not None:
            return found, end < len(layout)
    return None


def _ends(layout: str):
    yield len(layout)
    for match in SPAN.finditer(layout):
        rest = layout[match.end() :]
        if re.match(r"0", rest):
            yield match.start()


def _match_instant(text: str, reading: Reading, whole: bool) -> dict[str, Span] | None:
    begin = len(text) - len(text.lstrip())
    if whole:
        return next(filter(None, (_spans(pattern.fullmatch(text, begin)) for pattern in reading.compiled)), None)
    found = _match_day(text, begin, reading)
    weekday = WEEKDAY.match(text, begin) if found is None else None
    if weekday and (named := _spans(weekday)):
        found = _match_day(text, weekday.end(), reading)
        found = None if found is None else named | found
    return found


def _match_day(text: str, begin: int, reading: Reading) -> dict[str, Span] | None:
    """Read a day that a time of day may follow or precede."""
    for pattern in reading.compiled:
        match = pattern.match(text, begin)
        day = _spans(match)
        rest = _rest(text, match.end(), reading) if match and day else None
        if rest is not None:
            return {**day, **rest}
    for before in () if reading.bare else TIMES_BEFORE:
        match = before.match(text, begin)
        days = [_spans(pattern.fullmatch(text, match.end())) for pattern in reading.compiled] if match else []
        if any(days):
            return _spans(match) | next(filter(None, days))
    return None


def _rest(text: str, at: int, reading: Reading) -> dict[str, Span] | None:
    """Read what follows the day: nothing, a weekday, a time of day."""
    weekday = WEEKDAY_FOLLOWS.match(text, at)
    found = _spans(weekday)
    at = weekday.end() if weekday and found else at
    if at == len(text):
        return found
    if reading.bare and ("?P<d>" not in reading.patterns[0] or "?P<H>" in reading.patterns[0]):
        return None
    between = TIME_FOLLOWS.match(text, at)
    if between is None:
        return None
    clocks = (*TIMES, BARE_TIME) if reading.bare or between[0] in ("T", "t") else TIMES
    if between[0] in ("T", "t") or (between[0].isspace() and reading.form == "yyyy-mm-dd"):
        clocks = (*clocks, BARE_HOUR)
    for clock in clocks:
        match = clock.fullmatch(text, between.end())
        if match:
            return found | _spans(match)
    return None


def _spans(match: re.Match | None) -> dict[str, Span]:
    """Return the named parts of a match with their text and place; none if a word is no month or day."""
    if match is None:
        return {}
    parts = {name: text for name, text in match.groupdict().items() if text is not None}
    for name, words in (("b", MONTHS), ("a", WEEKDAYS)):
        if name in parts and parts[name].casefold() not in words:
            return {}
    return {name: (text, *match.span(name)) for name, text in parts.items() if name != "sep"}


def fields_of(texts: np.ndarray, reading: Reading, *, whole: bool = False, stop: bool = True) -> Fields:
    """Take the parts of every date apart.

    Args:
      texts: (N,) texts as objects.
      reading: how to read them.
      whole: the pattern describes the whole text; else a time of day may follow.
      stop: give up at the first kind of text that does not fit.
    """
    size = len(texts)
    fields = Fields({}, np.ones(size, bool), np.zeros(size, bool))
    short = texts.dtype.kind == "S" and texts.dtype.itemsize <= LONGEST
    long = np.zeros(size, bool) if short else np.fromiter(map(len, texts), np.int64, size) > LONGEST
    if long.any():
        fields.wrong |= long
        if stop:
            return fields
        texts = np.where(long, "???", texts.astype(object))
    known: dict[str, tuple | None] = {}
    for layout, rows, read in layouts(texts):
        if layout not in known:
            known[layout] = () if is_blank(layout) else _match(layout, reading, whole)
        found = known[layout]
        if found == ():
            fields.given[rows] = False
        elif found is None:
            fields.wrong[rows] = True
            if stop:
                return fields
        else:
            spans, is_span = found
            fields.span |= is_span
            _fill(fields, spans, rows, read)
    if "z" in fields.parts:
        fields.offset = True
        fields.wrong |= fields.given & (fields.parts["z"] == _NONE)  # an offset here, none there
    return fields


def _fill(fields: Fields, spans, rows: np.ndarray | slice, read) -> None:
    def put(name: str, values) -> None:
        if name not in fields.parts:
            fields.parts[name] = np.full(len(fields.given), _NONE, np.int64)
        fields.parts[name][rows] = values

    for name, (text, start, end) in spans.items():
        word = " ".join(text.casefold().split())
        if name == "b":
            put("m", MONTHS[word])
        elif name == "a":
            put("a", WEEKDAYS[word])
        elif name == "p":
            put("p", HALVES[word])
        elif name in ("f", "x"):
            put(name, read((start, end)).astype(np.int64) * 10 ** (9 - (end - start)) if end - start <= 9 else 0)
        elif name == "z":
            put("z", _offset(text, start, read))
        elif name == "next":
            put("next", read((start, end)))
            put("digits", end - start)
        else:
            put(name, read((start, end)))


def _offset(text: str, start: int, read):
    """Seconds east of Greenwich."""
    match = re.search(r"([+-])(00):?(00)?$", text)
    if not match:
        return 0
    hours, minutes = match.span(2), match.span(3)
    east = read((start + hours[0], start + hours[1])) * 3600
    if match[3]:
        east = east + read((start + minutes[0], start + minutes[1])) * 60
    return east if match[1] == "+" else -east


def instants(fields: Fields, years: np.ndarray | None, bare: bool) -> tuple[np.ndarray, np.ndarray]:
    """Put the parts together.

    Args:
      fields: of `fields_of`.
      years: (N,) full years where the dates have two digits alone.
      bare: the dates are digits alone, whose years must be likely.

    Returns:
      seconds: (N,) datetime64[s], NaT where a row is blank or wrong; or datetime64[ns] if there are fractions.
      wrong: (N,) rows that are no date, such as the 30th of February.
    """
    size = len(fields.given)

    def part(name: str, default: int) -> np.ndarray:
        values = fields.parts.get(name)
        return np.asarray(default) if values is None else np.where(values == _NONE, default, values)

    wrong = fields.wrong.copy()
    nanoseconds = part("f", 0)
    since = next((unit for unit in _EPOCHS if unit[0] in fields.parts), None)
    if since is not None:
        ticks = part(since[0], 0)
        seconds = ticks // since[1]
        nanoseconds = nanoseconds + ticks % since[1] * (10**9 // since[1])
        if bare:
            wrong |= (seconds < 631152000) | (seconds > time.time() + 2 * 365 * 86400)  # 1990 to the year after next
    elif "X" in fields.parts:
        days = part("X", 0)
        fraction = np.rint(part("x", 0) * 86400 / 10**9).astype(np.int64)
        seconds = (days - 25569) * 86400 + fraction
        wrong |= (days < 18000) | (days > 80000) if bare else days < 61  # Excel's 1900 has a 29th of February
    else:
        years = np.broadcast_to(part("Y", 1970), size) if years is None else years
        if bare:
            wrong |= (years < _YEARS[0]) | (years > _YEARS[1])
        days, bad = _days(fields, part, years)
        wrong |= bad
        hours, minutes, secs = part("H", 0), part("M", 0), part("S", 0)
        if "p" in fields.parts:
            wrong |= (part("p", -1) >= 0) & ((hours < 1) | (hours > 12))
            hours = np.where(part("p", -1) >= 0, hours % 12 + part("p", 0), hours)
        wrong |= (minutes > 59) | (secs > 59) | (hours > 24) | ((hours == 24) & (minutes + secs + nanoseconds > 0))
        seconds = days * 86400 + hours * 3600 + minutes * 60 + secs
        if "z" in fields.parts:
            seconds = seconds - part("z", 0)
            wrong |= np.abs(part("z", 0)) > 15 * 3600
        if "a" in fields.parts:
            weekday = part("a", 0)
            wrong |= (weekday > 0) & ((days + 3) % 7 + 1 != weekday)
    wrong &= fields.given
    dates = np.where(wrong | ~fields.given, np.iinfo(np.int64).min, seconds).astype("datetime64[s]")
    if nanoseconds.any():
        dates = fitting_unit(dates)
        if dates.dtype == np.dtype("datetime64[ns]"):
            dates = dates + nanoseconds.astype("timedelta64[ns]")
    return dates, wrong


def _days(fields: Fields, part, years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970, and which of them there are not."""
    if "w" in fields.parts:
        week, day = part("w", 1), part("u", 1)
        fourth = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + 3
        monday = fourth - (fourth + 3) % 7
        days = monday + (week - 1) * 7 + day - 1
        thursday = (monday + (week - 1) * 7 + 3).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        return days, (week < 1) | (day < 1) | (day > 7) | (thursday != years)
    month, day = part("m", 1), part("d", 1)
    wrong = np.zeros(len(years), bool)
    if "q" in fields.parts or "h" in fields.parts:
        pieces, months = (part("q", 1), 3) if "q" in fields.parts else (part("h", 1), 6)
        wrong |= (pieces < 1) | (pieces > 12 // months)
        month = (pieces - 1) * months + 1
    if "next" in fields.parts:
        wrong |= part("next", -1) != np.where(part("digits", 2) == 2, (years + 1) % 100, years + 1)
    wrong |= (month < 1) | (month > 12) | (day < 1)
    if "j" in fields.parts:
        first = (years - 1970).astype("datetime64[Y]")
        days = first.astype("datetime64[D]") + (part("j", 1) - 1).astype("timedelta64[D]")
        return days.astype(np.int64), wrong | (days.astype("datetime64[Y]") != first) | (part("j", 1) < 1)
    months = (years - 1970) * 12 + month - 1
    since = int(months.min()) if len(months) else 0
    every = np.arange(since, int(months.max()) + 2 if len(months) else 1)
    starts = every.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    lengths = np.diff(starts)
    return starts[months - since] + day - 1, wrong | (day > lengths[months - since])


def fitting_unit(dates: np.ndarray) -> np.ndarray:
    """Return dates as datetime64[ns] if that unit reaches all of them (1678 to 2261), else as datetime64[s].

    >>> [str(fitting_unit(np.array([day], "datetime64[D]")).dtype) for day in ("2020-01-01", "1500-01-01")]
    ['datetime64[ns]', 'datetime64[s]']
    """
    if dates.dtype == np.dtype("datetime64[ns]"):
        return dates
    if dates.dtype.kind != "M":
        dates = dates.astype("datetime64[us]")
    blank = np.isnat(dates)
    known = dates[~blank] if blank.any() else dates
    ends = np.array([known.min(), known.max()] if len(known) else [], dates.dtype).astype("datetime64[Y]")
    inside = not len(ends) or (ends[0] >= np.datetime64("1678") and ends[1] <= np.datetime64("2261"))
    if not inside or np.datetime_data(dates.dtype) != ("s", 1) or len(known) < len(dates):
        return dates.astype("datetime64[ns]" if inside else "datetime64[s]")
    return (dates.view(np.int64) * 10**9).view("datetime64[ns]")
