"""The readings that a date can have: each a set of patterns that name its parts."""

import re
from dataclasses import dataclass, replace
from functools import cache

from seqvision.data.series.reading.date_words import HALVES


def _words(words) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


# Patterns read texts in which every digit is written as 0.
_Y, _y, _m, _d = "(?P<Y>0000)", "(?P<y>00)", "(?P<m>00?)", "(?P<d>00?)"
_b = r"(?P<b>[^\W\d_]{2,})\.?"
_SEP, _SAME = r"(?P<sep>[ ]?[-/.][ ]?|[ ])", "(?P=sep)"
_TH = r"(?:st|nd|rd|th|er|º|°|\.)?"
_GAP = r"(?:[ ]?[-/., ][ ]?|,[ ]|[ ]?(?:de|del|of)[ ]|)"
_HALF = _words(HALVES)
_ZONE = r"(?:[ ]?(?P<z>Z|UTC|GMT|(?:UTC|GMT)?[+-]00(?::?00)?))?"
_CLOCK = r"(?P<H>00?)[:.](?P<M>00)(?:[:.](?P<S>00)(?:[.,](?P<f>0{1,9}))?)?"
TIMES = tuple(
    re.compile(f"(?:{pattern}){_ZONE}", re.IGNORECASE)
    for pattern in (
        rf"{_CLOCK}[ ]?(?P<p>{_HALF})?",
        rf"(?P<H>00?)[ -]?(?P<p>{_HALF})",
        rf"(?P<p>{_HALF})[ ]?{_CLOCK}",
        r"(?P<H>00?)[ ]?(?:h|Uhr|時|时|点|시)[ ]?(?:(?P<M>00)(?:[ ]?(?:m|min|分|분))?)?"
        r"(?:[ ]?(?P<S>00)[ ]?(?:s|秒|초))?",
    )
)
BARE_TIME = re.compile(r"(?P<H>00)(?P<M>00)(?:(?P<S>00)(?:\.(?P<f>0{1,9}))?)?" + _ZONE, re.IGNORECASE)
BARE_HOUR = re.compile("(?P<H>00)" + _ZONE, re.IGNORECASE)
TIMES_BEFORE = tuple(re.compile(time.pattern + r",?[ ]+", re.IGNORECASE) for time in TIMES)
TIME_FOLLOWS = re.compile(
    r"(?:T|,?[ ]+(?:(?:um|at|à|a las|às|alle|kl\.?)[ ]+)?|,|_|(?<=0)[ ]?-[ ]?|:|(?<=[日일]))", re.IGNORECASE
)
WEEKDAY = re.compile(r"(?P<a>[^\W\d_]+(?:-feira)?)\.?,?[ ]*")
WEEKDAY_FOLLOWS = re.compile(r",?[ ]*[(（]?(?P<a>[^\W\d_]+(?:-feira)?)\.?[)）]?,?")
SPAN = re.compile(r"[ ]+(?:-|–|—|/|to|bis|until)[ ]+|(?<=0)[–—](?=0)|(?<=[Z0])/(?=0000-)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """One way to read dates."""

    form: str  # for people
    patterns: tuple[str, ...]
    dayfirst: bool | None = None
    yearfirst: bool | None = None
    date_format: str | None = None  # where no order of day, month and year tells it apart
    unusual: bool = False  # looked at only where no usual reading fits every cell
    bare: bool = False  # digits alone, which may be a number: only in columns that seem to hold dates

    @property
    def compiled(self) -> tuple[re.Pattern, ...]:
        """The patterns, compiled once."""
        return _compiled(self.patterns)

    @property
    def keywords(self) -> dict[str, str | bool]:
        """The arguments that ask for this reading."""
        given = {"date_format": self.date_format, "dayfirst": self.dayfirst, "yearfirst": self.yearfirst}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def remedy(self) -> str:
        """The arguments, as one types them."""
        return next((f"{name}={value!r}" for name, value in self.keywords.items()), "date_format=…")


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern, ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _three(first: str, second: str, third: str) -> str:
    return f"{first}{_SEP}{second}{_SAME}{third}"


READINGS = (
    Reading(
        "yyyy-mm-dd",
        (
            _three(_Y, _m, _d) + r"\.?(?!0)",
            rf"{_Y}[ ]?年[ ]?{_m}[ ]?月[ ]?{_d}[ ]?[日号號]",
            rf"{_Y}[ ]?년[ ]?{_m}[ ]?월[ ]?{_d}[ ]?일",
        ),
    ),
    Reading("yyyy-dd-mm", (_three(_Y, _d, _m) + "(?!0)",), dayfirst=True, yearfirst=True, unusual=True),
    Reading(
        "dd/mm/yyyy",
        (_three(_d, _m, _Y) + r"\.?(?!0)", rf"(?:ngày )?{_d} (?:tháng|thg) {_m},? (?:năm )?{_Y}"),
        dayfirst=True,
    ),
    Reading("mm/dd/yyyy", (_three(_m, _d, _Y) + "(?!0)",), False),
    Reading("yy-mm-dd", (_three(_y, _m, _d) + "(?!0)",), yearfirst=True),
    Reading("dd-mm-yy", (_three(_d, _m, _y) + r"\.?(?!0)",), True, False),
    Reading("mm-dd-yy", (_three(_m, _d, _y) + "(?!0)",), False, False),
    Reading("yy-dd-mm", (_three(_y, _d, _m) + "(?!0)",), True, True, unusual=True),
    Reading(
        "day, name of month, year",
        (
            rf"{_d}{_TH}{_GAP}{_b}{_GAP}{_Y}(?!0)(?:[ ]?г\.?)?",
            rf"{_b}{_GAP}{_d}{_TH},?{_GAP}{_Y}(?!0)",
            rf"{_Y}{_GAP}{_b}{_GAP}{_d}(?!0)",
        ),
    ),
    Reading(
        "day, name of month, yy",
        (rf"{_d}{_TH}{_GAP}{_b}{_GAP}'?{_y}(?!0)", rf"{_b}[. ]+{_d}{_TH}, ?'?{_y}(?!0)"),
        yearfirst=False,
    ),
    Reading("yy, name of month, day", (rf"{_y}{_GAP}{_b}{_GAP}{_d}(?!0)",), yearfirst=True),
    Reading(
        "year and month",
        (
            rf"{_Y}[ ]?[-/][ ]?{_m}(?!0)",
            rf"{_Y}[ ]?M[ ]?{_m}(?!0)",
            rf"{_m}[ ]?[-/][ ]?{_Y}(?!0)",
            rf"{_b}{_GAP}{_Y}(?!0)",
            rf"{_Y}{_GAP}{_b}",
            rf"{_Y}[ ]?年[ ]?{_m}[ ]?月(?:份|分)?",
            rf"{_Y}[ ]?년[ ]?{_m}[ ]?월",
            rf"(?:tháng|thg) {_m}[ /-]{_Y}",
        ),
        date_format="%Y-%m",
    ),
    Reading("name of month and yy", (rf"{_b}(?:[ ]?[-/ ][ ]?|[ ]?'){_y}(?!0)",), date_format="%b-%y"),
    Reading("fiscal year", (rf"(?:FY[ ]?)?{_Y}[ ]?[-/–][ ]?(?P<next>0000|00)(?!0)",), date_format="fiscal"),
    Reading(
        "year and quarter",
        (
            rf"{_Y}[ ]?[-/:. ]?[ ]?[QTK](?P<q>0)(?!0)",
            rf"[QT](?P<q>0)[ ]?[-/:. ]?[ ]?{_Y}(?!0)",
            rf"(?P<q>0)[. ]?[ ]?(?:Q|T|Quartal|trimestre)[ ]?[-/ ]?[ ]?{_Y}(?!0)",
            rf"{_Y}[ ]?年[ ]?第?(?P<q>0)[ ]?季度?",
        ),
        date_format="quarter",
    ),
    Reading("year and half", (rf"{_Y}[ ]?[- ]?[HS](?P<h>0)(?!0)", rf"[HS](?P<h>0)[ -]{_Y}(?!0)"), date_format="half"),
    Reading("year and week", (rf"{_Y}[ ]?-?[ ]?W[ ]?(?P<w>00)(?:-?(?P<u>0))?(?!0)",), date_format="week"),
    Reading("yyyymmdd", (r"(?P<Y>0000)(?P<m>00)(?P<d>00)(?!0)",), date_format="%Y%m%d", bare=True),
    Reading(
        "yyyymmddhhmm",
        (r"(?P<Y>0000)(?P<m>00)(?P<d>00)(?P<H>00)(?:(?P<M>00)(?P<S>00)?)?(?!0)",),
        date_format="%Y%m%d%H%M",
        bare=True,
    ),
    Reading("yyyymm", (r"(?P<Y>0000)(?P<m>00)(?!0)",), date_format="%Y%m", bare=True),
    Reading("yymmdd", (r"(?P<y>00)(?P<m>00)(?P<d>00)(?!0)",), date_format="%y%m%d", bare=True),
    Reading("year", (r"(?P<Y>0000)(?!0)(?:\.0)?年?",), date_format="%Y", bare=True),
    Reading("seconds since 1970", (r"(?P<E>0{9,10})(?:\.(?P<f>0{1,9}))?(?!0)",), date_format="s", bare=True),
    Reading("milliseconds since 1970", (r"(?P<E3>0{12,13})(?:\.0+)?(?!0)",), date_format="ms", bare=True),
    Reading("microseconds since 1970", (r"(?P<E6>0{15,16})(?:\.0+)?(?!0)",), date_format="us", bare=True),
    Reading("nanoseconds since 1970", (r"(?P<E9>0{18,19})(?!0)",), date_format="ns", bare=True),
    Reading("ddmmyyyy", (r"(?P<d>00)(?P<m>00)(?P<Y>0000)(?!0)",), date_format="%d%m%Y", bare=True, unusual=True),
    Reading("mmddyyyy", (r"(?P<m>00)(?P<d>00)(?P<Y>0000)(?!0)",), date_format="%m%d%Y", bare=True, unusual=True),
    Reading("ddmmyy", (r"(?P<d>00)(?P<m>00)(?P<y>00)(?!0)",), date_format="%d%m%y", bare=True, unusual=True),
    Reading("days of Excel", (r"(?P<X>00000)(?:\.(?P<x>0+))?(?!0)",), date_format="excel", bare=True, unusual=True),
)  # fmt: skip

_DIRECTIVES = {
    "Y": _Y, "y": _y, "m": _m, "d": _d, "e": _d, "H": "(?P<H>00?)", "I": "(?P<H>00?)", "M": "(?P<M>00?)",
    "S": "(?P<S>00?)", "f": "(?P<f>0{1,9})", "p": f"(?P<p>{_HALF})", "b": _b, "B": _b, "j": "(?P<j>0{1,3})",
    "a": r"(?P<a>[^\W\d_]+)\.?", "A": r"(?P<a>[^\W\d_]+)",
    "z": "(?P<z>Z|[+-]00:?00)", "Z": "(?P<z>UTC|GMT|Z)", "%": "%",
}  # fmt: skip
_ANY_NUMBER = {  # where a word says what the numbers are, they need not be likely dates
    "s": r"(?P<E>0{1,12})(?:\.(?P<f>0{1,9}))?",
    "ms": r"(?P<E3>0{1,15})(?:\.0+)?",
    "us": r"(?P<E6>0{1,18})(?:\.0+)?",
    "ns": r"(?P<E9>0{1,18}|0{19})",
    "excel": r"(?P<X>0{1,6})(?:\.(?P<x>0+))?",
}
_SHORT = {"%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%F": "%Y-%m-%d"}


def reading_of(date_format: str) -> tuple[Reading, bool]:
    """Return the reading that a strptime format (or "s", "ms", "us", "ns", "excel", "quarter", …) asks for.

    The second result says whether the format describes the whole text; else a time of day may follow.

    Raises:
      ValueError: if the format is none.

    >>> reading_of("%d.%m.%Y")[0].form, reading_of("ms")[0].form
    ('%d.%m.%Y', 'milliseconds since 1970')
    """
    for reading in READINGS:
        if reading.date_format == date_format:
            patterns = (_ANY_NUMBER[date_format],) if date_format in _ANY_NUMBER else reading.patterns
            return replace(reading, patterns=patterns), False
    expanded = date_format
    for short, long in _SHORT.items():
        expanded = expanded.replace(short, long)
    if "%" not in expanded:
        words = sorted({r.date_format for r in READINGS if r.date_format and "%" not in r.date_format})
        raise ValueError(
            f"date_format must be a strptime format such as '%d/%m/%Y' or one of {words}, got {date_format!r}"
        )
    pattern = ""
    seen: set[str] = set()
    parts = [part for part in re.split(r"(%.?)", expanded) if part]
    for at, part in enumerate(parts):
        if not part.startswith("%"):
            pattern += re.escape(re.sub("[0-9]", "0", part)).replace(r"\ ", "[ ]+")
            continue
        piece = _DIRECTIVES.get(part[1:])
        groups = set(re.findall(r"\?P<(\w+)>", piece or ""))
        if piece is None or groups & seen:
            known = ", ".join(f"%{sign}" for sign in _DIRECTIVES)
            raise ValueError(f"date_format {date_format!r}: {part!r} is not known or stands twice; there are {known}")
        if any(beside.startswith("%") for beside in (*parts[max(at - 1, 0) : at], *parts[at + 1 : at + 2])):
            piece = piece.replace("00?", "00")  # digits without a sign between them have a fixed width
        pattern, seen = pattern + piece, seen | groups
    if not seen & {"Y", "y"}:
        raise ValueError(f"date_format {date_format!r} has no year (%Y or %y)")
    return Reading(date_format, (pattern,), date_format=date_format), True
