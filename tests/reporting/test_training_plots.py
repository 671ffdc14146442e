import sys

import numpy as np
import pytest

from seqvision.reporting import plot_epoch_curves, plot_losses, save_figure


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines}


def legend(figure):
    return [text.get_text() for entry in figure.legends for text in entry.get_texts()]


def test_losses_take_seeds_and_turn_logarithmic(tmp_path):
    steep = {"loss": np.geomspace(1, 1e-3, 30)[None] * np.ones((4, 1)), "val_loss": np.ones((4, 30))}
    figure = plot_losses({"GRU": steep, "LSTM": {"loss": np.ones(30)}}, loss="MSE, scaled", title="runs")
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel() == "MSE, scaled"
    assert set(lines(figure.axes[0])) == {"training", "validation"}
    assert set(lines(figure.axes[1])) == {"training"}
    assert legend(figure) == ["lines: mean of 4 seeds, bands: lowest to highest"]
    assert not legend(plot_losses({"GRU": {"loss": [2.0, 1.0]}}))
    assert plot_losses({"GRU": {"loss": [2.0, np.nan, 1.0]}}).axes[0].get_yscale() == "linear"
    save_figure(plot_losses({str(i): steep for i in range(6)}), tmp_path / "losses.png")
    with pytest.raises(ValueError, match="at least one model"):
        plot_losses({})


def test_bands_of_epoch_curves_say_what_they_are():
    figure = plot_epoch_curves({"rules": {"sgd": np.ones((5, 3)), "adam": np.ones((3, 3))}})
    assert legend(figure) == ["lines: middle of 3 or 5 seeds, bands: lowest to highest"]


def test_plots_leave_no_global_state():
    plot_losses({"GRU": {"loss": [1.0, 0.5]}})
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_one_epoch_is_a_point_that_is_seen():
    figure = plot_losses({"GRU": {"loss": [[1.0], [2.0]]}, "LSTM": {"loss": [1.0, 0.5]}})
    assert [axes.lines[0].get_marker() for axes in figure.axes] == ["o", "None"]
