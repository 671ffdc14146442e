import sys

import numpy as np
import pandas as pd
import pytest

from seqvision.reporting import (
    misclassified_rows,
    plot_confusion,
    plot_forecast,
    plot_losses,
    plot_misclassified,
    plot_residuals,
    prediction_table,
    save_figure,
    write_table,
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


def test_losses_take_seeds_and_turn_logarithmic(tmp_path):
    steep = {"loss": np.geomspace(1, 1e-3, 30)[None] * np.ones((4, 1)), "val_loss": np.ones((4, 30))}
    figure = plot_losses({"GRU": steep, "LSTM": {"loss": np.ones(30)}}, loss="MSE, scaled", title="runs")
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel() == "MSE, scaled"
    assert set(lines(figure.axes[0])) == {"training", "validation"}
    assert set(lines(figure.axes[1])) == {"training"}
    assert plot_losses({"GRU": {"loss": [2.0, np.nan, 1.0]}}).axes[0].get_yscale() == "linear"
    save_figure(plot_losses({str(i): steep for i in range(6)}), tmp_path / "losses.png")
    with pytest.raises(ValueError, match="at least one model"):
        plot_losses({})


def test_residuals_are_truth_minus_forecast(tmp_path):
    figure = plot_residuals(Y, forecasts=F, naive=np.roll(Y, 1), dates=DATES, unit="USD")
    assert len(figure.axes) == 6
    np.testing.assert_allclose(figure.axes[2].lines[1].get_ydata(), -1.0)
    assert "MLP: mean -1, RMSE 1" in figure.axes[2].get_title(loc="left")
    save_figure(figure, tmp_path / "residuals.png")


def test_confusion_shows_counts_and_rates(tmp_path):
    figure = plot_confusion([[8, 2], [0, 5]], ["cat", "dog"], title="net")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["8\n80.0 %", "2\n20.0 %", "·", "5\n100.0 %"]
    save_figure(plot_confusion(np.zeros((30, 30), int)), tmp_path / "confusion.png")
    with pytest.raises(ValueError, match=r"\(C, C\)"):
        plot_confusion([[1, 2]])
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        plot_confusion(np.eye(2, dtype=int), ["a"])


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 8, 8, 1), (5, 8, 8, 3)])
def test_misclassified_examples_come_surest_first(tmp_path, shape):
    images = RNG.random(shape)
    labels, guess, sure = np.array([0, 1, 2, 3, 4]), np.array([0, 2, 2, 0, 0]), np.array([0.9, 0.5, 0.8, 0.7, 0.6])
    assert misclassified_rows(labels, predicted=guess, confidence=sure).tolist() == [3, 4, 1]
    figure = plot_misclassified(images, labels, predicted=guess, confidence=sure, limit=2)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["3 taken for 0\n70 % sure", "4 taken for 0\n60 % sure"]
    save_figure(figure, tmp_path / "wrong.png")
    assert "no mistakes" in plot_misclassified(images, labels, predicted=labels, confidence=sure).get_suptitle()
    with pytest.raises(ValueError, match="differ in length"):
        plot_misclassified(images, labels, predicted=guess[1:], confidence=sure)
    with pytest.raises(ValueError, match="images must be"):
        plot_misclassified(images[0, 0], labels, predicted=guess, confidence=sure)


def test_plots_leave_no_global_state():
    plot_losses({"GRU": {"loss": [1.0, 0.5]}})
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_dates_must_fit():
    with pytest.raises(ValueError, match=r"dates has shape \(3,\), expected \(100,\)"):
        plot_forecast(Y, forecasts=F, naive=Y, dates=DATES[:3])


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
