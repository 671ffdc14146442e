import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import Calendar, infer_calendar, load_goog
from seqvision.data.series.calendars import exchanges

STEPS = ["D", "B", "W-MON", "W-SUN", "h", "15min", "30s", "4h", "MS", "ME", "BMS", "BME", "QS", "QE", "QE-NOV", "BQE"]
STEPS += ["YS", "YE", "YE-JUN", "2MS", "3D"]
has_exchanges = pytest.mark.skipif(
    importlib.util.find_spec("exchange_calendars") is None, reason="needs the package exchange_calendars"
)


def ahead(calendar, dates, steps):
    """Return the next dates, from what is left of the calendar in JSON."""
    kept = Calendar.from_dict(json.loads(json.dumps(calendar.to_dict(), allow_nan=False)))
    assert kept == calendar
    return kept.after(dates[-1], steps)


@pytest.mark.parametrize("frequency", STEPS)
@given(start=st.dates(pd.Timestamp("1980-01-01").date(), pd.Timestamp("2030-01-01").date()), rows=st.integers(30, 90))
def test_dates_ahead_are_those_of_pandas(frequency, start, rows):
    whole = pd.date_range(start, periods=rows + 40, freq=frequency).to_numpy()
    calendar = infer_calendar(whole[:rows])
    assert calendar.notes == ()
    np.testing.assert_array_equal(ahead(calendar, whole[:rows], 40), whole[rows:])
    assert ahead(calendar, whole[:rows], 40).dtype == whole.dtype


@given(day=st.integers(1, 31), start=st.integers(1, 12), every=st.sampled_from([1, 3, 6, 12]), rows=st.integers(13, 40))
def test_months_on_one_day_go_on_that_day_or_the_last(day, start, every, rows):
    first = pd.Timestamp(2019, start, 1)
    whole = [first + pd.DateOffset(months=every * n) for n in range(rows + 9)]
    whole = pd.DatetimeIndex([m.replace(day=min(day, m.days_in_month)) for m in whole]).to_numpy()
    days = pd.DatetimeIndex(whole[:rows]).day
    if day in days:  # else no row has shown which day it is
        np.testing.assert_array_equal(ahead(infer_calendar(whole[:rows]), whole[:rows], 9), whole[rows:])


@pytest.mark.parametrize("zone", ["Europe/Paris", "Europe/London", "America/New_York", "Australia/Sydney"])
@given(shift=st.integers(0, 8000), rows=st.integers(50, 300), minutes=st.sampled_from([60, 30, 15]))
def test_a_clock_that_jumps_skips_in_spring_and_repeats_no_hour(zone, shift, rows, minutes):
    start = pd.Timestamp("2022-01-01", tz="UTC") + pd.Timedelta(hours=shift)
    whole = pd.date_range(start, periods=rows + 9000, freq=f"{minutes}min").tz_convert(zone).tz_localize(None)
    whole = whole[~whole.duplicated()].sort_values().to_numpy()
    calendar = infer_calendar(whole[:rows], timezone=zone)
    np.testing.assert_array_equal(ahead(calendar, whole[:rows], len(whole) - rows), whole[rows:])


def test_a_clock_is_found_where_exactly_its_hours_are_left_out():
    utc = pd.date_range("2020-01-01", "2024-03-31T00:00", freq="h", tz="UTC")
    for zone in ("Europe/Paris", "America/New_York"):
        wall = utc.tz_convert(zone).tz_localize(None)
        wall = wall[~wall.duplicated()].sort_values().to_numpy()
        calendar = infer_calendar(wall)
        assert calendar.timezone == zone
        (note,) = calendar.notes
        assert note == f"the hours without a row are those that clocks skip in {zone}: dates ahead skip them too"
        assert infer_calendar(np.delete(wall, 700)).timezone is None
    with pytest.raises(
        ValueError, match=r"timezone='Europe/Paris' is not that of the data: its clocks never show 2020-03-29T02:00"
    ):
        infer_calendar(utc.tz_localize(None).to_numpy(), timezone="Europe/Paris")


def test_days_of_a_clock_that_are_kept_in_utc_move_with_it():
    local = pd.date_range("2024-01-01", "2024-12-31", freq="D", tz="Europe/Paris")
    utc = local.tz_convert("UTC").tz_localize(None).to_numpy()
    calendar = infer_calendar(utc[:60], timezone="Europe/Paris", utc=True)
    np.testing.assert_array_equal(ahead(calendar, utc[:60], len(utc) - 60), utc[60:])
    (note,) = infer_calendar(utc[:200], utc=True).notes
    assert "rows beside the steps of 1 day: dates go on from the last row (if a clock jumped, say timezone=" in note
    hours = pd.date_range("2024-03-30", periods=60, freq="h").to_numpy()
    assert infer_calendar(hours, timezone="Europe/Paris", utc=True).timezone is None  # equal in UTC


@has_exchanges
def test_trading_days_are_found_where_the_dates_are_exactly_those_of_an_exchange():
    dates = load_goog().dates
    calendar = infer_calendar(dates[:900])
    assert (calendar.exchange, calendar.notes) == ("XNYS", ())
    np.testing.assert_array_equal(ahead(calendar, dates[:900], len(dates) - 900), dates[900:])
    # One row less, and no exchange has these days: it is said what is not known.
    (note,) = infer_calendar(np.delete(dates[:900], 500)).notes
    assert "business days of the data without a row: holidays ahead are not known, dates are Monday to Friday" in note
    assert "say calendar=…, such as 'XNYS'" in note
    named = infer_calendar(np.delete(dates[:900], 500), calendar="XNYS")
    assert (named.exchange, named.notes) == ("XNYS", ())
    np.testing.assert_array_equal(named.after("2008-12-23", 3).astype(str), ["2008-12-24", "2008-12-26", "2008-12-29"])
    # A few days around one holiday are those of many exchanges.
    few = pd.bdate_range("2023-12-18", "2024-01-05").drop(["2023-12-25", "2024-01-01"]).to_numpy()
    (note,) = infer_calendar(few).notes
    assert "more: say calendar='XNYS', if it is that one" in note
    with pytest.raises(
        ValueError, match=r"calendar='XLON' is not that of the data: .* rows are on none of its days, such as"
    ):
        infer_calendar(pd.date_range("2020-01-01", periods=90).to_numpy(), calendar="XLON")
    with pytest.raises(ValueError, match="there is no 'XNYZ'; did you mean XN"):
        infer_calendar(dates, calendar="XNYZ")


def test_without_the_package_it_is_said_what_would_help(monkeypatch):
    monkeypatch.setattr(exchanges, "find_spec", lambda name: None)
    dates = load_goog().dates
    calendar = infer_calendar(dates)
    assert calendar.kind == "days"
    assert calendar.notes == (
        "37 business days of the data without a row: holidays ahead are not known, dates are Monday to Friday "
        '(pip install "seqvision[calendars]" finds those of an exchange)',
    )
    monkeypatch.setitem(__import__("sys").modules, "exchange_calendars", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "seqvision\[calendars\]"'):
        infer_calendar(dates, calendar="XNYS")


def test_what_the_dates_do_not_decide_is_said():
    def dates(text):
        return np.array(text.split(), "datetime64[D]")

    (note,) = infer_calendar(dates("2024-01-01 2024-01-02 2024-01-03 2024-01-04")).notes
    assert "pass no weekend: dates go on every day; calendar='business' leaves weekends out" in note
    ahead = infer_calendar(dates("2024-01-03 2024-01-04 2024-01-05"), calendar="business").after("2024-01-05", 1)
    assert ahead.astype(str).tolist() == ["2024-01-08"]
    assert infer_calendar(dates("2024-01-03 2024-01-04 2024-01-05"), calendar="daily").step == "1 day"
    # Hours of trading: nights are left out, the dates ahead are not.
    hours = np.concatenate(
        [np.datetime64(day, "h") + np.arange(10, 17) for day in pd.bdate_range("2024-01-01", "2024-02-01")]
    )
    (note,) = infer_calendar(hours).notes
    assert "% of the steps of 1 hour have no row: the dates ahead leave none out" in note
    assert infer_calendar(dates("2020-01-13 2020-02-12 2020-03-17 2020-05-14")) is None  # no day of the month
    assert infer_calendar(None) is None
    with pytest.raises(ValueError, match="calendar='daily' needs dates at a usual step: there are none"):
        infer_calendar(None, calendar="daily")
    with pytest.raises(
        ValueError, match="timezone='Europe/Paris' is for equal steps of time, but the dates go by 1 month"
    ):
        infer_calendar(dates("2020-01-31 2020-02-29 2020-03-31"), timezone="Europe/Paris")
    with pytest.raises(ValueError, match="timezone: 'Mars/X' is unknown: say one such as 'Europe/Paris'"):
        infer_calendar(hours, timezone="Mars/X")
    with pytest.raises(ValueError, match="timezone: 'Europe/Pari' is unknown; did you mean Europe/Paris"):
        infer_calendar(hours, timezone="Europe/Pari")


@pytest.mark.parametrize("wrong", [{}, {"kind": "steps", "step": "?"}, {"kind": "moon", "step": ""}, None, {"kin": 1}])
def test_what_is_no_calendar_is_refused(wrong):
    with pytest.raises(ValueError, match="this is no calendar"):
        Calendar.from_dict(wrong)


@has_exchanges
def test_dates_ahead_need_no_second_calendar_of_the_exchange(monkeypatch):
    dates, made = load_goog().dates, []
    package = exchanges.import_exchanges()
    make = package.get_calendar
    monkeypatch.setattr(package, "get_calendar", lambda name, **span: (made.append(name), make(name, **span))[1])
    monkeypatch.setattr(exchanges, "_known", {})
    following = infer_calendar(dates).after(dates[-1], 5)
    assert made == ["XNYS"]
    monkeypatch.setattr(exchanges, "_known", {})
    exact = exchanges.sessions_between("XNYS", dates[-1], dates[-1] + np.timedelta64(20, "D"))[1:6]
    np.testing.assert_array_equal(following.astype("datetime64[D]"), exact)
