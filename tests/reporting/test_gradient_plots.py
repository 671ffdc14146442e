import numpy as np

from seqvision.reporting import plot_gradient_flow, save_figure


def test_draws_the_middle_of_the_seeds_and_leaves_out_what_has_no_logarithm(tmp_path):
    lags = np.array([[1.0, 0.1, 0.0], [1.0, 0.3, 0.0], [1.0, 0.2, 0.0]])
    trace = np.array([1.0, 30.0, np.inf, np.nan])
    dead = np.array([[0.0, 0.5], [0.0, 0.7]])
    figure = plot_gradient_flow(
        by_lag={"Elman": lags}, by_depth={"tanh": [0.5, 1.0]}, dead={"relu": dead}, traces={"sgd": trace}, title="all"
    )
    lag, depth, units, training = figure.axes
    np.testing.assert_allclose(line(units, "relu").get_xydata(), [[1, 0.0], [2, 0.6]])
    np.testing.assert_allclose(line(lag, "Elman").get_xydata(), [[0, 1.0], [1, 0.2]])
    np.testing.assert_allclose(line(depth, "tanh").get_xydata(), [[1, 0.5], [2, 1.0]])
    np.testing.assert_allclose(line(training, "sgd").get_xydata(), [[1, 1.0], [2, 30.0]])
    assert [line.get_marker() for line in training.lines][-1] == "x"  # where it ceased to be finite
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["lines: middle of 2 or 3 seeds, bands: lowest to highest"]
    assert lag.get_yscale() == training.get_yscale() == "log"
    assert units.get_yscale() == "linear"
    assert save_figure(figure, tmp_path / "flow.png").stat().st_size > 10_000


def line(axes, name):
    return next(line for line in axes.lines if line.get_label() == name)
