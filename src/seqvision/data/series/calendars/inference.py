"""Find the calendar of dates from the dates, and say in a line what they do not decide."""

from dataclasses import replace
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.data.series.calendars.calendar import Calendar
from seqvision.data.series.calendars.clocks import check_zone, exists_in
from seqvision.data.series.calendars.exchanges import fitting_exchanges, is_installed, sessions_between
from seqvision.data.series.time_axis import TimeAxis, time_axis
from seqvision.data.series.time_grid import EqualSteps, Months, WorkingDays, in_seconds

_BUSINESS = (True,) * 5 + (False,) * 2
_DAY = 86_400.0
_MOST = 0.05  # share of steps without a row that is an exception still
_BESIDE = 0.005  # share of rows on no day of a calendar
# One zone of each rule by which clocks jump.
_ZONES = (
    "Europe/Paris",
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Pacific/Auckland",
)


def infer_calendar(
    dates: Any,
    *,
    calendar: str | None = None,
    timezone: str | None = None,
    utc: bool = False,
    exchanges: bool = True,
) -> Calendar | None:
    """Find which dates follow those of a series.

    Equal steps, days of the week, months, quarters and years are found; trading days of an exchange where they are
    exactly the dates, by the package exchange_calendars (``pip install "seqvision[calendars]"``); and that a clock
    jumps with a time zone where exactly its hours are left out. What the dates do not decide, the notes of the calendar
    say.

    Args:
      dates: (N,) datetime64, increasing; None gives None.
      calendar: what the dates do not say: "daily", "business" (Monday to Friday) or the code of an exchange, such as
        "XNYS".
      timezone: by whose clock the rows come, such as "Europe/Paris".
      utc: whether the dates are in UTC.
      exchanges: whether to look for an exchange whose trading days these are, which takes a second or two.

    Returns:
      None where no dates follow: without a usual step, or on a day of the month that changes.

    Raises:
      ValueError: if the dates contradict ``calendar`` or ``timezone``.
      ModuleNotFoundError: if an exchange needs a package that is not there.

    >>> found = infer_calendar(np.array(["2022-05-26", "2022-05-27", "2022-05-30", "2022-05-31"], "datetime64[D]"))
    >>> found.step, found.after("2022-06-03", 1).astype(str).tolist(), found.notes
    ('1 business day', ['2022-06-06'], ())
    """
    if timezone is not None:
        check_zone(timezone)
    axis = time_axis(dates)
    if dates is None or axis is None:
        if calendar is not None or timezone is not None:
            name, value = ("calendar", calendar) if calendar is not None else ("timezone", timezone)
            raise ValueError(f"{name}={value!r} needs dates at a usual step: there are none")
        return None
    if timezone is not None and (calendar is not None or not isinstance(axis.grid, EqualSteps)):
        step = axis.grid.step if calendar is None else f"calendar={calendar!r}"
        raise ValueError(f"timezone={timezone!r} is for equal steps of time, but the dates go by {step}: leave it out")
    days = in_seconds(dates).astype("datetime64[D]")
    if calendar is not None:
        return _said(calendar, days, axis)
    if isinstance(axis.grid, Months):
        if axis.grid.day is None:
            return None
        return Calendar("months", axis.grid.step, months=axis.grid.width, day=axis.grid.day)
    if isinstance(axis.grid, WorkingDays):
        return _working_days(days, axis, axis.grid, exchanges)
    assert isinstance(axis.grid, EqualSteps)
    return _equal_steps(in_seconds(dates), axis, axis.grid, timezone, utc)


def _said(calendar: str, days: np.ndarray, axis: TimeAxis) -> Calendar:
    """Return the calendar that was named, if the dates are its."""
    if calendar == "daily":
        return Calendar("steps", "1 day", seconds=_DAY)
    if calendar == "business":
        found, there = Calendar("days", "1 business day", week=_BUSINESS), np.is_busday(days)
    else:
        calendar = calendar.upper()
        found = Calendar("sessions", f"1 session of {calendar}", exchange=calendar)
        there = np.isin(days, sessions_between(calendar, days[0], days[-1]))
    beside = days[~there]
    if len(beside) > max(1, _BESIDE * len(days)) or len(np.unique(days)) < len(days):
        which = f", such as {beside[-1]}" if len(beside) else ": there are several of a day"
        raise ValueError(
            f"calendar={calendar!r} is not that of the data: {len(beside)} of {counted(len(days), 'row')} are on none "
            f"of its days{which}"
        )
    if not len(beside):
        return found
    said = f"{counted(len(beside), 'row')} of the data, the last on {beside[-1]}, on no day of calendar={calendar!r}"
    return replace(found, notes=(said,))


def _working_days(days: np.ndarray, axis: TimeAxis, grid: WorkingDays, look: bool) -> Calendar:
    """Return the exchange whose days these are, if one alone is; else the days of the week."""
    found = Calendar("days", grid.step, week=grid.week)
    if grid.week != _BUSINESS or not axis.missing:
        return found
    missing = f"{counted(axis.missing, 'business day')} of the data without a row"
    if not look:
        return replace(found, notes=(f"{missing}: holidays ahead are not known, dates are Monday to Friday",))
    if not is_installed():
        hint = 'pip install "seqvision[calendars]" finds those of an exchange'
        return replace(found, notes=(f"{missing}: holidays ahead are not known, dates are Monday to Friday ({hint})",))
    exchanges = [] if axis.off else fitting_exchanges(days)
    if len(exchanges) == 1:
        return Calendar("sessions", f"1 session of {exchanges[0]}", exchange=exchanges[0])
    if exchanges:
        others = f"and of {counted(len(exchanges) - 1, 'exchange')} more"
        why = f"they are those of {exchanges[0]} {others}: say calendar={exchanges[0]!r}, if it is that one"
    else:
        why = "no exchange has exactly these: say calendar=…, such as 'XNYS', if it is one"
    return replace(found, notes=(f"{missing}: holidays ahead are not known, dates are Monday to Friday; {why}",))


def _equal_steps(dates: np.ndarray, axis: TimeAxis, grid: EqualSteps, timezone: str | None, utc: bool) -> Calendar:
    seconds = float(grid.width / np.timedelta64(1, "s"))
    notes = []
    week = np.unique((dates.astype("datetime64[D]").astype(np.int64) + 3) % 7)
    if seconds == _DAY and week.max() < 5 and not axis.missing and len(dates) < 6:
        notes.append("the data pass no weekend: dates go on every day; calendar='business' leaves weekends out")
    share = axis.missing / (axis.missing + len(dates))
    if timezone is None and not utc and axis.gaps > 0 and axis.missing <= _MOST * len(dates) and seconds < _DAY:
        timezone = _clock(dates, axis)
        if timezone is not None:
            notes.append(f"the hours without a row are those that clocks skip in {timezone}: dates ahead skip them too")
    elif share > _MOST:
        notes.append(f"{100 * share:.0f} % of the steps of {grid.step} have no row: the dates ahead leave none out")
    if axis.off and timezone is None:
        notes.append(
            f"{counted(axis.off, 'row')} beside the steps of {grid.step}: dates go on from the last row"
            + (" (if a clock jumped, say timezone=…, such as 'Europe/Paris')" if seconds % 3600 == 0 else "")
        )
    if timezone is not None and not utc:
        wrong = dates[~exists_in(dates, timezone)]
        if len(wrong):
            raise ValueError(
                f"timezone={timezone!r} is not that of the data: its clocks never show {str(wrong[0])[:16]} "
                f"({counted(len(wrong), 'such row')})"
            )
    zone = timezone if not utc or seconds % _DAY == 0 else None  # shorter steps are equal in UTC
    in_utc = utc and zone is not None
    return Calendar("steps", grid.step, seconds=seconds, timezone=zone, utc=in_utc, notes=tuple(notes))


def _clock(dates: np.ndarray, axis: TimeAxis) -> str | None:
    """Return a zone in which exactly the steps without a row are those that its clocks skip."""
    every = axis.grid.dates(np.arange(axis.times[-1] + 1))
    if every is None or axis.off:
        return None
    without = np.ones(len(every), bool)
    without[axis.times] = False
    return next((zone for zone in _ZONES if (exists_in(every, zone) == ~without).all()), None)
