"""How a file of numbers over time is read: the arguments of `seqvision.data.read_series`, as settings and flags."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from seqvision._checks import check_count
from seqvision.pipelines.settings import check_settings


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is read; what is None is found out from the file.

    Each field is an argument of `seqvision.data.read_series` and a flag: ``date_format="%d.%m.%Y"`` is
    ``--date-format %d.%m.%Y``, ``date=False`` is ``--date False`` or ``--no-date``, ``dayfirst=True`` is
    ``--dayfirst True`` or ``--dayfirst``.

    >>> Reading(date=["Date", "Time"], missing="ND").given()
    {'date': ('Date', 'Time'), 'missing': ('ND',)}
    """

    date: tuple[str | int, ...] | str | int | bool | None = None
    """column of dates, or several (date and time; year, month, day); by default the first that looks like one; False
    reads none and keeps the order of the file"""
    date_format: str | None = None
    """format of the dates, as of strptime"""
    dayfirst: bool | None = None
    """whether dates are dd/mm/yyyy; by default the data decide"""
    yearfirst: bool | None = None
    """whether dates are yy/mm/dd; by default the data decide"""
    duplicates: Literal["error", "first", "last", "mean"] | None = None
    """what to do with rows of the same date; an error by default"""
    gaps: Literal["keep", "fill", "interpolate", "error"] | None = None
    """what to do where steps of time have no row; by default they are kept and said"""
    series_id: str | int | None = None
    """column that says which series a row belongs to, in a file with several below each other"""
    series: str | int | None = None
    """which of them"""
    blanks: Literal["error", "drop", "ffill", "interpolate", "zero"] | None = None
    """what to do with blank cells; an error by default"""
    missing: tuple[str | int | float, ...] | None = None
    """further words or numbers that stand for a blank"""
    encoding: str | None = None
    """encoding of the file"""
    separator: str | None = None
    """sign between columns; " " is any run of blanks"""
    decimal: str | None = None
    """decimal sign"""
    header: bool | int | None = None
    """whether there is a row of names, or how many"""
    skip_rows: int | None = None
    """lines before the table"""
    skip_footer: int | None = None
    """lines after it"""
    comment: str | None = None
    """sign with which a line begins that is none of the table"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read."""
        date = self.date
        if isinstance(date, tuple | list) and len(date) == 1:
            date = date[0]
        if isinstance(date, str) and date.casefold() in ("false", "true"):  # as a command line gives them
            date = date.casefold() == "true"
        object.__setattr__(self, "date", date)
        if self.separator == r"\t":
            object.__setattr__(self, "separator", "\t")
        check_settings(self)
        if self.missing is not None:
            object.__setattr__(self, "missing", tuple(map(_number, self.missing)))
        if self.date == ():
            raise ValueError("date names no column: give one or several, or date=False for none")
        for name in ("skip_rows", "skip_footer"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), least=0)

    def given(self) -> dict[str, Any]:
        """Return the keyword arguments of `seqvision.data.read_series` that are said."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(Reading)}
        return {name: value for name, value in values.items() if value is not None}


def _number(word: str | int | float) -> str | int | float:
    """Take a word that is written as a number for the number, however a file writes it.

    >>> [_number(word) for word in ("-200", "-99.9", "ND", "007", "inf")]
    [-200, -99.9, 'ND', '007', 'inf']
    """
    for kind in (int, float):
        try:
            if str(kind(word)) == word and math.isfinite(kind(word)):
                return kind(word)
        except ValueError:
            continue
    return word


READING = frozenset(field.name for field in dataclasses.fields(Reading))
