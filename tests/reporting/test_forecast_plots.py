import numpy as np
import pytest

from seqvision.reporting import (
    plot_forecast,
    plot_residuals,
    save_figure,
)

RNG = np.random.default_rng(0)
Y = RNG.normal(size=100).cumsum() + 50
DATES = np.datetime64("2020-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
F = {"GRU": Y + RNG.normal(size=(3, 100)), "MLP": Y + 1}


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


def test_forecast_draws_what_it_was_given(tmp_path):
    naive = np.roll(Y, 1)
    figure = plot_forecast(
        Y, forecasts=F, naive=naive, free_runs=F, naive_free_run=naive, dates=DATES, name="close", unit="USD"
    )
    one_step, zoom, free = figure.axes
    assert one_step.get_ylabel() == "close (USD)"
    for axes, part in ((one_step, slice(None)), (zoom, slice(40, None)), (free, slice(None))):
        drawn = lines(axes)
        np.testing.assert_array_equal(drawn["truth"], Y[part])
        np.testing.assert_array_equal(drawn["last value"], naive[part])
        np.testing.assert_allclose(drawn["GRU"], F["GRU"].mean(axis=0)[part])
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
    save_figure(plot_residuals(Y, forecasts=wild, naive=np.roll(Y, 1)), "/dev/null")


def test_residuals_are_truth_minus_forecast(tmp_path):
    figure = plot_residuals(Y, forecasts=F, naive=np.roll(Y, 1), dates=DATES, unit="USD")
    assert len(figure.axes) == 6
    np.testing.assert_allclose(figure.axes[2].lines[1].get_ydata(), -1.0)
    assert "MLP: mean -1, RMSE 1" in figure.axes[2].get_title(loc="left")
    save_figure(figure, tmp_path / "residuals.png")


def test_dates_must_fit():
    with pytest.raises(ValueError, match=r"dates has shape \(3,\), expected \(100,\)"):
        plot_forecast(Y, forecasts=F, naive=Y, dates=DATES[:3])
