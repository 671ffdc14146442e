"""Clocks of time zones: which local times there are, and what they are in UTC."""

import numpy as np

from seqvision._checks import did_you_mean


def check_zone(name: str) -> None:
    """Refuse what is no time zone.

    >>> check_zone("Europe/Pari")
    Traceback (most recent call last):
    ValueError: timezone: 'Europe/Pari' is unknown; did you mean Europe/Paris?
    """
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError, TypeError):  # there is none of that name
        raise ValueError(f"timezone: {name!r} is unknown{_hint(str(name), available_timezones())}") from None


def exists_in(wall: np.ndarray, zone: str) -> np.ndarray:
    """Say which local times (N,) a clock shows: in spring it leaves some out.

    >>> exists_in(np.array(["2024-03-31T01", "2024-03-31T02", "2024-03-31T03"], "datetime64[h]"), "Europe/Paris")
    array([ True, False,  True])
    """
    import pandas as pd

    every = np.ones(len(wall), bool)
    return ~np.asarray(pd.DatetimeIndex(wall).tz_localize(zone, ambiguous=every, nonexistent="NaT").isna())


def in_zone(dates: np.ndarray, zone: str) -> np.ndarray:
    """Return the local times (N,) of dates in UTC."""
    import pandas as pd

    return pd.DatetimeIndex(dates).tz_localize("UTC").tz_convert(zone).tz_localize(None).to_numpy()


def to_utc(wall: np.ndarray, zone: str) -> np.ndarray:
    """Return local times (N,) in UTC: of two that a clock shows the earlier, of one that it leaves out the next.

    >>> to_utc(np.array(["2024-03-31T00"], "datetime64[h]"), "Europe/Paris").astype("datetime64[h]").astype(str)
    array(['2024-03-30T23'], ...)
    """
    import pandas as pd

    local = pd.DatetimeIndex(wall).tz_localize(zone, ambiguous=np.ones(len(wall), bool), nonexistent="shift_forward")
    return local.tz_convert("UTC").tz_localize(None).to_numpy()


def _hint(name: str, known: set[str]) -> str:
    near = did_you_mean(name, known)
    return near if near.startswith(";") else ": say one such as 'Europe/Paris'"
