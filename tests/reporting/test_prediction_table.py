import numpy as np
import pandas as pd
import pytest

from seqvision.reporting import prediction_table, write_table
from seqvision.reporting.style import time_axis

RNG = np.random.default_rng(0)
Y = RNG.normal(size=100).cumsum() + 50
DATES = np.datetime64("2020-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
F = {"GRU": Y + RNG.normal(size=(3, 100)), "MLP": Y + 1}


def test_prediction_table_survives_a_round_trip(tmp_path):
    table = prediction_table(Y, F, dates=DATES, first_row=7)
    write_table(tmp_path / "p.csv", table)
    back = pd.read_csv(tmp_path / "p.csv", parse_dates=["date"])
    assert list(back.columns) == ["row", "date", "truth", "GRU", "MLP"]
    assert back["row"][0] == 7
    assert (back["date"].to_numpy("datetime64[ns]") == DATES).all()
    np.testing.assert_allclose(back["GRU"], F["GRU"].mean(axis=0), rtol=1e-8)
    with pytest.raises(ValueError, match="cannot be called 'truth'"):
        prediction_table(Y, {"truth": Y})
    with pytest.raises(ValueError, match=r"expected \(seeds, 100\)"):
        prediction_table(Y, {"GRU": Y[1:]})


def test_every_step_has_its_line_with_the_row_that_it_is_about():
    f = RNG.normal(size=(3, 100, 24))
    table = prediction_table(Y, {"GRU": f, "one": f[..., :1], "path": Y + 1}, dates=DATES, first_row=7)
    assert list(table.columns) == ["row", "date", "step", "truth", "GRU", "one", "path"]
    assert len(table) == 2400
    fifth = table[table["step"] == 5]
    np.testing.assert_array_equal(fifth["row"], np.arange(7, 107))
    np.testing.assert_array_equal(fifth["date"].to_numpy("datetime64[ns]"), DATES)
    np.testing.assert_array_equal(fifth["truth"], Y)
    np.testing.assert_allclose(fifth["GRU"], f[..., 4].mean(axis=0))
    np.testing.assert_array_equal(fifth["path"], Y + 1)
    assert fifth["one"].isna().all()
    np.testing.assert_allclose(table["one"][:100], f[..., 0].mean(axis=0))


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us"])
def test_dates_that_nanoseconds_cannot_hold_stay_what_they_are(unit):
    dates = np.array(["1500-01-01", "2300-12-31"], f"datetime64[{unit}]")
    table = prediction_table([1.0, 2.0], {"a": [1.0, 2.0]}, dates=dates)
    assert [str(day)[:10] for day in table["date"]] == ["1500-01-01", "2300-12-31"]
    assert time_axis(dates, 0, 2)[0].astype("datetime64[D]").tolist() == dates.astype("datetime64[D]").tolist()
