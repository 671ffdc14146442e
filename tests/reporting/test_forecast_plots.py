import numpy as np
import pandas as pd
import pytest

from seqvision.reporting import (
    plot_forecast,
    plot_residuals,
    plot_step_errors,
    save_figure,
)

RNG = np.random.default_rng(0)
Y = RNG.normal(size=100).cumsum() + 50
DATES = np.datetime64("2020-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
F = {"GRU": Y + RNG.normal(size=(3, 100)), "MLP": Y + 1}


BAND = "bands: lowest to highest of 3 seeds"


def figure_texts(figure):
    """The legend below all panels."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


def test_forecast_draws_what_it_was_given(tmp_path):
    naive = np.roll(Y, 1)
    figure = plot_forecast(
        Y, forecasts=F, naive=naive, free_runs=F, naive_free_run=naive, dates=DATES, name="close", unit="USD"
    )
    one_step, zoom, free = figure.axes
    assert figure_texts(figure) == ["truth", "last value", "GRU (mean of 3 seeds)", "MLP", BAND]
    assert one_step.get_ylabel() == "close (USD)"
    for axes, part in ((one_step, slice(None)), (zoom, slice(40, None)), (free, slice(None))):
        drawn = lines(axes)
        np.testing.assert_array_equal(drawn["truth"], Y[part])
        np.testing.assert_array_equal(drawn["last value"], naive[part])
        np.testing.assert_allclose(drawn["GRU (mean of 3 seeds)"], F["GRU"].mean(axis=0)[part])
        band = axes.collections[0].get_paths()[0].vertices[:, 1]
        assert (band.min(), band.max()) == (F["GRU"][:, part].min(), F["GRU"][:, part].max())
    assert save_figure(figure, tmp_path / "forecast.png").stat().st_size > 10_000
    assert (
        len(plot_forecast(Y[:20], forecasts=F | {"GRU": F["GRU"][:, :20], "MLP": Y[:20]}, naive=naive[:20]).axes) == 1
    )


def test_a_forecast_that_runs_away_does_not_hide_the_truth():
    wild = {"Elman": 1e6 * np.arange(100.0)}
    axes = plot_forecast(Y, forecasts=F, naive=Y, free_runs=wild, naive_free_run=Y).axes[-1]
    low, high = axes.get_ylim()
    assert high - low < 6 * np.ptp(Y)
    assert low < Y.min() < Y.max() < high
    # Where it leaves is marked at the edge, and how far it goes is said.
    above, below = axes.lines[-2:]
    assert (above.get_marker(), above.get_xdata(), above.get_ydata()) == ("^", [1], [high])
    assert (below.get_marker(), below.get_xdata(), below.get_ydata()) == ("v", [0], [low])
    assert [text.get_text() for text in axes.texts] == ["▲▼ leaves the picture: Elman (to 9.9e+07)"]
    down = {"GRU": np.stack([Y, Y - np.arange(100) ** 2.0]), "nan": np.where(np.arange(100) < 50, Y, np.nan)}
    axes = plot_forecast(Y, forecasts=F, naive=Y, free_runs=down, naive_free_run=0 * Y - 1e3).axes[-1]
    assert [line.get_marker() for line in axes.lines[-3:]] == ["v", "v", "^"]
    assert axes.texts[0].get_text().startswith("▲▼ leaves the picture: last value (to -1000), GRU (to -4")
    assert axes.texts[0].get_text().endswith(", nan")
    save_figure(plot_residuals(Y, forecasts=wild, naive=np.roll(Y, 1)), "/dev/null")


def test_residuals_are_truth_minus_forecast(tmp_path):
    figure = plot_residuals(Y, forecasts=F, naive=np.roll(Y, 1), dates=DATES, unit="USD")
    assert len(figure.axes) == 6
    assert figure.axes[0].get_title(loc="left").startswith("GRU (mean of 3 seeds): mean ")
    np.testing.assert_allclose(figure.axes[2].lines[1].get_ydata(), -1.0)
    assert "MLP: mean -1, RMSE 1 USD" in figure.axes[2].get_title(loc="left")
    save_figure(figure, tmp_path / "residuals.png")


def test_steps_ahead_have_a_panel_and_every_mode_its_own_naive_forecast():
    figure = plot_forecast(
        Y[:30],
        forecasts={"GRU": Y[:30] + 1},
        naive={"last value": Y[:30] - 1},
        ahead={"GRU": Y[:30] + 5},
        naive_ahead={"AR(5)": Y[:30] - 5, "last value": Y[:30] - 4},
        steps_ahead=24,
        free_runs={"GRU": Y[:30] + 2},
        naive_free_run=Y[:30] - 2,
        naive_name="drift",
        notes={"all steps": "no skill: GRU"},
        title="$a$ and $b$",
    )
    one, ahead, free = figure.axes
    assert one.get_title(loc="left") == "one step ahead, 30 test rows"
    assert ahead.get_title(loc="left") == "24 steps ahead; no skill: GRU"
    assert figure_texts(figure) == ["truth", "last value", "GRU", "AR(5)", "drift"]  # one seed: no band
    assert len({line.get_linestyle() for axes in figure.axes for line in axes.lines[1:2]}) == 3
    np.testing.assert_array_equal(lines(ahead)["last value"], Y[:30] - 4)
    np.testing.assert_array_equal(lines(ahead)["GRU"], Y[:30] + 5)
    np.testing.assert_array_equal(lines(ahead)["AR(5)"], Y[:30] - 5)
    np.testing.assert_array_equal(lines(free)["drift"], Y[:30] - 2)
    save_figure(figure, "/dev/null")


def test_lines_break_where_dates_have_a_gap():
    late = np.where(np.arange(100) < 50, 0, 300) * np.timedelta64(1, "D")
    axes = plot_forecast(Y, forecasts=F, naive=Y, dates=DATES + late, zoom=100).axes[0]
    drawn = lines(axes)["GRU (mean of 3 seeds)"]
    assert len(drawn) == 101
    assert np.flatnonzero(np.isnan(drawn)).tolist() == [50]
    assert not np.isnan(lines(plot_forecast(Y, forecasts=F, naive=Y, dates=DATES, zoom=100).axes[0])["truth"]).any()


def test_a_constant_truth_and_forecasts_beside_it_are_seen():
    ones = np.ones(20)
    axes = plot_forecast(ones, forecasts={"near": ones + 0.02, "far": ones + 9}, naive=ones).axes[0]
    low, high = axes.get_ylim()
    assert low < 1 < 1.02 < high < 2
    assert axes.texts[0].get_text() == "▲▼ leaves the picture: far (to 10)"
    save_figure(plot_residuals(ones, forecasts={"m": ones}, naive=ones), "/dev/null")


def test_errors_by_step_are_those_of_the_table():
    table = pd.DataFrame([[1.0, 2.0, 1e9], [3.0, 4.0, 5.0]], index=["GRU", "last value"], columns=[1, 2, 3])
    figure = plot_step_errors({"24 test rows": table, "free": table / 2}, unit="USD", naive="last value")
    left, right = figure.axes
    assert (left.get_ylabel(), left.get_title(loc="left")) == ("RMSE (USD)", "24 test rows")
    np.testing.assert_array_equal(lines(right)["last value"], [1.5, 2.0, 2.5])
    assert left.get_ylim() == (0, 20)
    assert figure_texts(figure) == ["GRU", "last value"]
    with pytest.raises(ValueError, match="at least one table"):
        plot_step_errors({})


def test_dates_must_fit():
    with pytest.raises(ValueError, match=r"dates has shape \(3,\), expected \(100,\)"):
        plot_forecast(Y, forecasts=F, naive=Y, dates=DATES[:3])
