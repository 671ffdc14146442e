import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqvision.data import apply_gaps, infer_calendar, time_axis

FREQUENCIES = {
    "h": "1 hour",
    "15min": "15 minutes",
    "s": "1 second",
    "7h": "7 hours",
    "D": "1 day",
    "B": "1 business day",
    "C-sun-thu": "1 day of Mon Tue Wed Thu Sun",
    "W-FRI": "1 week",
    "14D": "2 weeks",
    "MS": "1 month",
    "ME": "1 month",
    "BME": "1 month",
    "BMS": "1 month",
    "QS": "1 quarter",
    "QE": "1 quarter",
    "YS": "1 year",
    "YE-JUN": "1 year",
    "2YS": "2 years",
}


def ranged(frequency, rows, start="2019-03-01"):
    if frequency == "C-sun-thu":
        return pd.bdate_range(start, periods=rows, freq="C", weekmask="Sun Mon Tue Wed Thu")
    return pd.date_range(start, periods=rows, freq=frequency)


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_calendar_without_gaps_is_regular(frequency):
    dates = ranged(frequency, 60)
    axis = time_axis(dates.to_numpy())
    assert (axis.grid.step, axis.text, axis.times.tolist()) == (FREQUENCIES[frequency], "", list(range(60)))
    kept = apply_gaps(np.zeros((60, 1)), dates.to_numpy(), "error")
    assert kept[2] == ()
    ahead = infer_calendar(dates.to_numpy()).after(dates.to_numpy()[-1], 7)
    np.testing.assert_array_equal(ahead, ranged(frequency, 67)[60:].to_numpy())


@pytest.mark.parametrize("frequency", FREQUENCIES)
@given(data=st.data())
def test_gaps_are_counted_and_filled_as_pandas_does(frequency, data):
    whole = ranged(frequency, 100)
    gone = data.draw(st.sets(st.integers(1, 98), max_size=20))
    rows = np.array([row for row in range(100) if row not in gone])
    values = np.random.default_rng(len(gone)).normal(size=(len(rows), 2))
    dates = whole[rows].to_numpy()
    axis = time_axis(dates)
    assume(axis is not None and axis.grid.step == FREQUENCIES[frequency])
    assert (axis.times == rows).all()
    runs = np.diff(rows) - 1
    assert (axis.gaps, axis.missing, axis.longest, axis.off) == ((runs > 0).sum(), len(gone), runs.max(), 0)
    frame = pd.DataFrame(values, whole[rows]).reindex(whole)
    for policy, expected in (("fill", frame.ffill()), ("interpolate", frame.interpolate("linear"))):
        filled, there, notes = apply_gaps(values, dates, policy)
        np.testing.assert_array_equal(there, whole.to_numpy())
        np.testing.assert_allclose(filled, expected.to_numpy(), rtol=1e-12, atol=1e-12)
        assert len(notes) == bool(gone)
    kept, there, notes = apply_gaps(values, dates)
    assert kept is values
    assert there is dates
    assert len(notes) == bool(gone)
    if gone:
        assert FREQUENCIES[frequency] in notes[0]
        with pytest.raises(ValueError, match=f"by {FREQUENCIES[frequency]}: .* say gaps='keep', 'fill' or 'interp"):
            apply_gaps(values, dates, "error")


@pytest.mark.parametrize("frequency", ["h", "D", "B", "W-FRI", "ME", "QE", "YS"])
def test_fill_equals_asfreq(frequency):
    whole = ranged(frequency, 80)
    frame = pd.DataFrame({"x": np.arange(80.0) ** 2}, whole).drop(whole[[5, 6, 7, 30, 61]])
    filled = apply_gaps(frame.to_numpy(), frame.index.to_numpy(), "fill")[0]
    np.testing.assert_array_equal(filled, frame.asfreq(frequency, method="ffill").to_numpy())


def test_holidays_are_gaps_of_business_days_and_one_special_saturday_is_beside_them():
    days = pd.bdate_range("2021-01-01", "2021-12-31").drop(["2021-05-31", "2021-12-24"])
    text = time_axis(days.to_numpy()).text
    assert text == "time goes by 1 business day: 2 gaps, 2 steps missing, the longest 1 step after 2021-05-28"
    odd = days.append(pd.DatetimeIndex(["2021-11-06"])).sort_values().to_numpy()
    axis = time_axis(odd)
    assert (axis.grid.step, axis.off, axis.gaps) == ("1 business day", 1, 2)
    with pytest.raises(ValueError, match=r"1 row beside .* gaps='fill' needs rows at equal steps: say gaps='keep'"):
        apply_gaps(np.zeros((len(odd), 1)), odd, "fill")


def test_a_few_days_are_no_week_unless_a_weekend_lies_between():
    names = {
        "2021-06-07 2021-06-08 2021-06-09": "1 day",
        "2021-06-03 2021-06-04 2021-06-07 2021-06-08": "1 business day",
        "2021-06-01 2021-06-02 2021-06-04 2021-06-05 2021-06-06": "1 day",
    }
    for days, name in names.items():
        assert time_axis(np.array(days.split(), "datetime64[D]")).grid.step == name


@pytest.mark.parametrize("unit", ["D", "h", "s", "ms", "ns"])
def test_any_unit_of_dates_will_do(unit):
    dates = np.array(["1500-01-01", "1500-01-02", "1500-01-05"] if unit in "Ds" else ["2000-01-01", "2000-01-02"])
    axis = time_axis(dates.astype(f"datetime64[{unit}]"))
    assert axis.times[-1] in (1, 4)


def test_jitter_keeps_its_places_and_chance_has_none():
    rng = np.random.default_rng(0)
    whole = pd.date_range("2020-01-01", periods=50, freq="h").to_numpy()
    rough = whole + rng.integers(-120, 120, 50).astype("timedelta64[s]")
    axis = time_axis(rough)
    assert axis.times.tolist() == list(range(50))
    assert axis.off > 40
    chance = whole[0] + np.cumsum(rng.exponential(3600.0, 50)).astype("timedelta64[s]")
    assert time_axis(chance) is None
    values, _, notes = apply_gaps(np.zeros((50, 1)), chance)
    assert len(values) == 50
    assert "no usual step" in notes[0]
    for policy in ("fill", "interpolate", "error"):
        with pytest.raises(ValueError, match=r"time has no usual step: .* cannot be, say gaps='keep'"):
            apply_gaps(values, chance, policy)
    with pytest.raises(ValueError, match="gaps must be one of 'keep'"):
        apply_gaps(values, chance, "drop")


def test_months_without_a_day_of_their_own_have_places_and_are_not_filled():
    days = np.array(["2020-01-13", "2020-02-12", "2020-03-17", "2020-05-14", "2020-06-11"], "datetime64[D]")
    axis = time_axis(days)
    assert (axis.grid.step, axis.times.tolist()) == ("1 month", [0, 1, 2, 4, 5])
    with pytest.raises(ValueError, match="needs rows at equal steps"):
        apply_gaps(np.zeros((5, 1)), days, "fill")


def test_a_wrong_year_makes_no_billion_rows():
    seconds = np.concatenate([np.arange(50), [10**9]]).astype("datetime64[s]")
    with pytest.raises(ValueError, match="would make 1000000001 rows: say gaps='keep'"):
        apply_gaps(np.zeros((51, 1)), seconds, "fill")


def test_series_without_an_axis():
    assert time_axis(None) is None
    assert time_axis(np.array(["2020-01-01"], "datetime64[D]")) is None
    one = np.array(["2020-01-01"], "datetime64[D]")
    assert apply_gaps(np.ones((1, 1)), one, "fill")[2] == ()
