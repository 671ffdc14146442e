"""A calendar: which dates follow a date."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from seqvision._checks import check_choice, check_count
from seqvision.data.series.calendars.clocks import check_zone, exists_in, in_zone, to_utc
from seqvision.data.series.calendars.exchanges import sessions_between
from seqvision.data.series.time_grid import MonthDay, days_of_months, in_seconds

CalendarKind = Literal["steps", "days", "months", "sessions"]

_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Calendar:
    """Which dates follow a date; plain values, which JSON can hold.

    Attributes:
      kind: "steps" of equal width, "days" of the week, "months", or "sessions" of an exchange.
      step: what lies between two rows, in words.
      seconds: width of a step.
      week: which days have rows, from Monday on.
      months: months, quarters (3) or years (12) between two rows.
      day: of the month: a number (31 is the last day), "first business day" or "last business day".
      exchange: code of the exchange, as the package exchange_calendars has it.
      timezone: of the clock, for steps that jump with it.
      utc: whether dates are in UTC, though the rows go by the clock of the time zone.
      notes: what the dates did not decide, a sentence each.

    >>> Calendar("days", "1 business day", week=(True,) * 5 + (False,) * 2).after("2022-05-27", 2).astype(str)
    array(['2022-05-30', '2022-05-31'], ...)
    >>> Calendar("steps", "1 hour", seconds=3600, timezone="Europe/Paris").after("2024-03-31T01", 2).astype(str)
    array(['2024-03-31T03', '2024-03-31T04'], ...)
    """

    kind: CalendarKind
    step: str
    seconds: float | None = None
    week: tuple[bool, ...] | None = None
    months: int | None = None
    day: MonthDay | None = None
    exchange: str | None = None
    timezone: str | None = None
    utc: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what says no step."""
        check_choice("kind", self.kind, get_args(CalendarKind))
        week = None if self.week is None else tuple(map(bool, self.week))
        needed = {"steps": self.seconds, "days": week, "months": self.months, "sessions": self.exchange}[self.kind]
        if not needed or (week is not None and (len(week) != 7 or not any(week))):
            raise ValueError(f"a calendar of {self.kind!r} needs what its steps are, got {needed!r}")
        if self.timezone is not None:
            check_zone(self.timezone)
        object.__setattr__(self, "week", week)
        object.__setattr__(self, "notes", tuple(self.notes))

    def after(self, last: Any, steps: int) -> np.ndarray:
        """Return the next dates (steps,) after a date.

        Raises:
          ValueError: if the calendar of an exchange does not reach so far.
        """
        steps = check_count("steps", steps)
        date = np.asarray(last, "datetime64").reshape(1)
        start = np.datetime64(in_seconds(date)[0])
        found = {"steps": self._steps, "days": self._days, "months": self._months, "sessions": self._sessions}
        return found[self.kind](start, steps).astype(date.dtype)

    def _steps(self, start: np.datetime64, steps: int) -> np.ndarray:
        assert self.seconds is not None
        width = np.timedelta64(round(self.seconds * 1e9), "ns")
        every = np.arange(1, steps + 1)
        if self.timezone is None:
            return start + every * width
        if self.utc:
            return to_utc(in_zone(np.array([start]), self.timezone)[0] + every * width, self.timezone)
        wall = start + np.arange(1, steps + 200) * width  # what does not exist is less than a day a year
        return wall[exists_in(wall, self.timezone)][:steps]

    def _days(self, start: np.datetime64, steps: int) -> np.ndarray:
        assert self.week is not None
        day = start.astype("datetime64[D]")
        ahead = np.busday_offset(day, np.arange(1, steps + 1), roll="backward", weekmask=self.week)
        return ahead + (start - day)

    def _months(self, start: np.datetime64, steps: int) -> np.ndarray:
        assert self.months is not None
        months = start.astype("datetime64[M]") + self.months * np.arange(1, steps + 1)
        day = start.astype("datetime64[D]")
        number = int((day - start.astype("datetime64[M]").astype("datetime64[D]")).astype(int)) + 1
        return days_of_months(months, number if self.day is None else self.day) + (start - day)

    def _sessions(self, start: np.datetime64, steps: int) -> np.ndarray:
        assert self.exchange is not None
        day = start.astype("datetime64[D]")
        ahead = sessions_between(self.exchange, day, day + (steps * 2 + 30) * _DAY)
        ahead = ahead[ahead > day][:steps]
        if len(ahead) < steps:
            raise ValueError(f"the calendar of {self.exchange} knows {len(ahead)} sessions after {day}, not {steps}")
        return ahead + (start - day)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, without what is not said."""
        return {name: value for name, value in asdict(self).items() if value not in (None, (), False)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "Calendar":
        """Return what `to_dict` described.

        Raises:
          ValueError: if it is none of that.

        >>> calendar = Calendar("months", "1 quarter", months=3, day=31)
        >>> Calendar.from_dict(calendar.to_dict()) == calendar
        True
        """
        try:
            unknown = saved.keys() - {field.name for field in fields(cls)}
            if unknown:
                raise ValueError(f"no field {sorted(unknown)[0]!r}")
            return cls(**saved)
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is no calendar ({error})") from error
