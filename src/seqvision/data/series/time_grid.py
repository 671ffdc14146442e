"""Grids of time that dates lie on: equal steps, working days, months; found from the dates themselves."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

MonthDay = int | Literal["first business day", "last business day"]

_DAY = np.timedelta64(1, "D")
_BLOCK = 1 << 15
_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class TimeGrid(Protocol):
    """Places on a line of time, numbered from the first date."""

    @property
    def step(self) -> str:
        """What lies between two places, such as "1 hour"."""

    def places(self, dates: np.ndarray) -> np.ndarray:
        """Return the place (N,) int64 next to each date."""

    def dates(self, places: np.ndarray) -> np.ndarray | None:
        """Return the date (N,) of each place; None if months have no day of their own."""


@dataclass(frozen=True)
class EqualSteps:
    """Every so many seconds, minutes, hours, days or weeks."""

    first: np.datetime64
    width: np.timedelta64

    @property
    def step(self) -> str:
        """The width in the largest unit that divides it."""
        seconds = self.width / np.timedelta64(1, "s")
        unit, size = next(((u, s) for u, s in _UNITS if seconds % s == 0), _UNITS[-1])
        return _counted(seconds / size, unit)

    def places(self, dates: np.ndarray) -> np.ndarray:
        """Return the nearest places."""
        return np.rint((dates - self.first) / self.width).astype(np.int64)

    def dates(self, places: np.ndarray) -> np.ndarray:
        """Return the dates."""
        return self.first + places * self.width


@dataclass(frozen=True)
class WorkingDays:
    """Every day but some days of the week."""

    first: np.datetime64
    week: tuple[bool, ...]  # from Monday on

    @property
    def step(self) -> str:
        """Business days, or the days by name."""
        if self.week == (True,) * 5 + (False,) * 2:
            return "1 business day"
        return f"1 day of {' '.join(day for day, on in zip(_WEEK, self.week, strict=True) if on)}"

    def places(self, dates: np.ndarray) -> np.ndarray:
        """Return the places; a day off has that of the working day before."""
        days = np.busday_offset(dates.astype("datetime64[D]"), 0, roll="backward", weekmask=self.week)
        start = np.busday_offset(self.first.astype("datetime64[D]"), 0, roll="backward", weekmask=self.week)
        return np.asarray(np.busday_count(start, days, weekmask=self.week), np.int64)

    def dates(self, places: np.ndarray) -> np.ndarray:
        """Return the dates, at the time of day of the first."""
        day = self.first.astype("datetime64[D]")
        return np.busday_offset(day, places, roll="backward", weekmask=self.week) + (self.first - day)


@dataclass(frozen=True)
class Months:
    """Every so many months, on one day of the month."""

    first: np.datetime64
    width: int
    day: MonthDay | None  # 31: the last day of the month

    @property
    def step(self) -> str:
        """Months, quarters or years."""
        if self.width % 12 == 0:
            return _counted(self.width // 12, "year")
        return "1 quarter" if self.width == 3 else _counted(self.width, "month")

    def places(self, dates: np.ndarray) -> np.ndarray:
        """Return the places; a month between two has that of the one before."""
        months = dates.astype("datetime64[M]") - self.first.astype("datetime64[M]")
        return months.astype(np.int64) // self.width

    def dates(self, places: np.ndarray) -> np.ndarray | None:
        """Return the dates, at the time of day of the first."""
        if self.day is None:
            return None
        months = self.first.astype("datetime64[M]") + places * self.width
        return days_of_months(months, self.day) + (self.first - self.first.astype("datetime64[D]"))


def find_grid(dates: np.ndarray) -> TimeGrid | None:
    """Return the grid that most of the dates (N,), in order, are steps of; None if there is none, or under two dates.

    Days of the week without rows are days off: both days of a weekend at once, others after eight weeks. Months may be
    met on the same day, the last day, or the first or last business day.

    >>> dates = np.array(["2022-01-31", "2022-02-28", "2022-04-30"], "datetime64[D]")
    >>> grid = find_grid(dates)
    >>> grid.step, grid.places(dates).tolist(), grid.dates(np.array([2])).astype("datetime64[D]").tolist()
    ('1 month', [0, 1, 3], [datetime.date(2022, 3, 31)])
    """
    if len(dates) < 2:
        return None
    dates = in_seconds(dates)
    even = is_even(dates)
    steps = np.diff(dates[:2] if even else dates)  # of which one stands for all then
    steps_passed = len(dates) - 1
    months = _find_months(dates) if dates[-1] - dates[0] >= 28 * _DAY * steps_passed else None
    if months is not None and months.day is not None:
        return months
    width = _commonest(steps)
    if (steps == width).mean() < 0.5:
        width = np.sort(steps)[len(steps) // 2]
        if (np.abs(steps - width) <= width / 10).mean() < 0.5:
            return months
    if width == _DAY:
        week = _find_week(dates)
        if not all(week):
            return WorkingDays(dates[0], week)
    return EqualSteps(dates[0], width)


def is_even(dates: np.ndarray) -> bool:
    """Whether all steps between dates (N,) are equal, all rows at once."""
    ticks = dates.view(np.int64)
    whole = len(ticks) > 1 and int(ticks[-1]) - int(ticks[0]) == (int(ticks[1]) - int(ticks[0])) * (len(ticks) - 1)
    blocks = range(0, len(ticks) - 1, _BLOCK) if whole else ()
    return bool(whole) and all(
        (np.diff(ticks[start : start + _BLOCK + 1]) == ticks[1] - ticks[0]).all() for start in blocks
    )


def in_seconds(dates: np.ndarray) -> np.ndarray:
    """Return dates whose unit is a second or finer."""
    return dates.astype("datetime64[s]") if np.datetime_data(dates.dtype)[0] in "YMWDhm" else dates


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" + ("" if number == 1 else "s")


def _commonest(values: np.ndarray) -> np.timedelta64:
    if (values == values[0]).mean() > 0.5:
        return values[0]
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[counts.argmax()]


def _find_months(dates: np.ndarray) -> Months | None:
    months = dates.astype("datetime64[M]")
    steps = np.diff(months).astype(np.int64)
    width = int(_commonest(steps).astype(np.int64))
    if (steps < 1).any() or (steps == width).mean() < 0.5:
        return None
    days = dates.astype("datetime64[D]")
    number = int((days - months).astype(np.int64).max()) + 1
    candidates: tuple[Any, ...] = (31, "last business day", "first business day", number)
    same_hour = len(np.unique(dates - days)) == 1
    fits = [day for day in candidates if same_hour and (days_of_months(months, day) == days).all()]
    return Months(dates[0], width, fits[0] if fits else None)


def days_of_months(months: np.ndarray, day: int | str) -> np.ndarray:
    """Return one day of each month; a month that is too short gives its last."""
    start, after = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    if day == "first business day":
        return np.busday_offset(start, 0, roll="forward")
    if day == "last business day":
        return np.busday_offset(after, -1, roll="forward")
    return np.minimum(start + np.timedelta64(int(day) - 1, "D"), after - _DAY)


def _find_week(dates: np.ndarray) -> tuple[bool, ...]:
    """Say which days of the week have rows, from Monday on; rows on fewer than a twentieth of them are exceptions."""
    days = np.unique(dates.astype("datetime64[D]")).astype(np.int64) + 3  # 1970-01-01 was a Thursday
    rows = np.bincount(days % 7, minlength=7)
    passed = np.bincount(np.arange(days[0], days[-1] + 1) % 7, minlength=7)
    off = (rows <= 0.05 * rows.max()) & (passed > 0)
    weekend = np.arange(7) >= 5
    sure = off & ((passed >= 8) | (weekend & off[5:].all()))
    return tuple(bool(on) for on in ~sure)
