"""Trading days of exchanges, by the package exchange_calendars: an extra."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from seqvision._checks import did_you_mean

_WELL_KNOWN = ("XNYS", "XLON", "XETR", "XPAR", "XTKS", "XHKG", "XSHG", "XASX", "XTSE")  # of several that are alike
_AHEAD = np.timedelta64(730, "D")
_FIRST_LOOK = np.timedelta64(400, "D")  # in which most exchanges have a holiday that another has not
_known: dict[str, tuple[np.datetime64, np.datetime64, np.ndarray]] = {}  # exchange -> first and last day, trading days


def is_installed() -> bool:
    """Whether calendars of exchanges can be asked."""
    return find_spec("exchange_calendars") is not None


def sessions_between(exchange: str, first: np.datetime64, last: np.datetime64) -> np.ndarray:
    """Return the trading days of an exchange in [first, last], datetime64[D].

    Raises:
      ModuleNotFoundError: naming the extra.
      ValueError: if there is no such exchange, or its calendar does not reach so far.
    """
    import_exchanges()
    exchange = exchange.upper()
    first, last = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    begin, end, known = _known.get(exchange, (last, first, None))
    if known is not None and begin <= first and last <= end:
        return known[(known >= first) & (known <= last)]
    found = _sessions(exchange, str(first), str(last))
    _known[exchange] = first, last, found
    return found


def import_exchanges() -> Any:
    """Return the package exchange_calendars.

    Raises:
      ModuleNotFoundError: naming the extra.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import exchange_calendars
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'trading days need the package exchange_calendars: pip install "seqvision[calendars]"'
        ) from None
    return exchange_calendars


def fitting_exchanges(days: np.ndarray) -> list[str]:
    """Return the exchanges whose trading days from the first to the last day are exactly these days (N,).

    Those that go on alike for two years are one, under the best known name.
    """
    days = days.astype("datetime64[D]")
    ahead: dict[bytes, list[str]] = {}
    for name, closed in _holidays(days.tobytes(), str(days[0]), str(days[-1] + _AHEAD)):
        every = np.arange(days[0], days[-1] + _AHEAD)
        trading = every[np.is_busday(every, holidays=np.array(closed, "datetime64[D]"))]
        if (trading[trading <= days[-1]].tolist()) == days.tolist():
            ahead.setdefault(trading[trading > days[-1]].tobytes(), []).append(name)
    fits = [min(names, key=lambda name: (name not in _WELL_KNOWN, name)) for names in ahead.values()]
    if len(fits) == 1:  # once more, with all that its whole calendar knows
        fits = [name for name in fits if _sessions_of(name, days).tolist() == days.tolist()]
    return sorted(fits, key=lambda name: (name not in _WELL_KNOWN, name))


def _sessions_of(exchange: str, days: np.ndarray) -> np.ndarray:
    """Return the trading days from the first to the last day, and know those after it, which are asked for next."""
    with suppress(ValueError):  # not all calendars reach so far
        sessions_between(exchange, days[0], days[-1] + _FIRST_LOOK)
    return sessions_between(exchange, days[0], days[-1])


def _sessions(exchange: str, first: str, last: str) -> np.ndarray:
    exchanges = import_exchanges()
    names = exchanges.get_calendar_names()
    if exchange not in names:
        near = did_you_mean(exchange, names)
        hint = near if near.startswith(";") else ": say 'daily', 'business' or the code of an exchange, such as 'XNYS'"
        raise ValueError(f"calendar: there is no {exchange!r}{hint}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = exchanges.get_calendar(exchange, start=first, end=last).sessions
    except Exception as error:  # each calendar has bounds of its own
        raise ValueError(f"calendar: {exchange} does not reach from {first} to {last} ({error})") from error
    return found.to_numpy().astype("datetime64[D]")


@lru_cache(maxsize=8)
def _holidays(days: bytes, first: str, last: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the exchanges that trade from Monday to Friday and may have these days, each with its closed days.

    To make whole calendars takes long: of most it is enough to see one holiday, of the others the days on which they
    are closed.
    """
    with warnings.catch_warnings():  # of pandas, about how these calendars ask it
        warnings.simplefilter("ignore")
        return list(_closed(np.frombuffer(days, "datetime64[D]"), first, last))


def _closed(days: np.ndarray, first: str, last: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    import pandas as pd

    traded, soon = frozenset(days.tolist()), str(min(days[-1], days[0] + _FIRST_LOOK))
    known = set(import_exchanges().get_calendar_names(include_aliases=False))
    for kind in _subclasses(import_exchanges().ExchangeCalendar):
        try:
            calendar = kind.__new__(kind)
            if calendar.name not in known or calendar.weekmask != "1111100":
                continue
            rule = calendar.regular_holidays
            if rule is not None and any(_is_traded(one, traded, first, soon) for one in _quick_first(rule.rules)):
                continue
            regular = [] if rule is None else list(rule.holidays(first, last))
            more = [pd.Timestamp(day).tz_localize(None) for day in calendar.adhoc_holidays]
            closed = pd.DatetimeIndex([*regular, *more])
        except Exception:  # a calendar that cannot say so is none of those that fit
            continue
        yield calendar.name, tuple(closed.strftime("%Y-%m-%d"))


def _quick_first(rules: Any) -> list[Any]:
    """Return holidays, those of pandas' own kind before those of the moon, which take a thousand times as long."""
    return sorted(rules, key=lambda rule: not type(rule).__module__.startswith("pandas."))


def _is_traded(rule: Any, traded: frozenset[Any], first: str, last: str) -> bool:
    """Whether a day of a holiday is one of those on which there was trading."""
    import pandas as pd

    return any(day.date() in traded for day in rule.dates(pd.Timestamp(first), pd.Timestamp(last)))


def _subclasses(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)
