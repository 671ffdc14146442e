import numpy as np
import pytest

from seqvision.metrics import precision_recall_curve, reliability, roc_curve
from seqvision.reporting import plot_losses, plot_reliability, plot_threshold_curves, save_figure

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 200)
SCORES = LABELS + RNG.normal(size=200)


def test_curves_of_two_classifiers(tmp_path):
    curves = {
        name: (roc_curve(LABELS, scores=scores), precision_recall_curve(LABELS, scores=scores))
        for name, scores in {"net": SCORES, "coin": RNG.normal(size=200)}.items()
    }
    figure = plot_threshold_curves(curves, title="curves")
    left, right = figure.axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), curves["net"][0].true_positive_rate)
    np.testing.assert_array_equal(right.lines[1].get_ydata(), curves["coin"][1].precision)
    assert right.lines[2].get_label() == f"a guess, {LABELS.mean():.3f}"
    save_figure(figure, tmp_path / "curves.png")
    with pytest.raises(ValueError, match="at least one name"):
        plot_threshold_curves({})


def test_reliability_draws_bins_that_have_rows(tmp_path):
    confidence = RNG.uniform(0.5, 1.0, 300)
    right = RNG.uniform(size=300) < confidence
    diagrams = {f"net {n}": reliability(right, confidence=confidence, bins=10) for n in range(5)}
    figure = plot_reliability(diagrams)
    above = figure.axes[0]
    assert len(above.patches) == 5
    assert above.patches[0].get_x() == pytest.approx(0.5)
    assert above.patches[0].get_height() == pytest.approx(np.mean(right[confidence <= 0.6]))
    assert sum(axes.get_visible() for axes in figure.axes) == 10
    save_figure(figure, tmp_path / "reliability.png")
    with pytest.raises(ValueError, match="at least one name"):
        plot_reliability({})


def test_metrics_have_panels_of_their_own_below_the_loss(tmp_path):
    history = {"loss": np.ones((2, 3)), "accuracy": np.full((2, 3), 0.5), "val_accuracy": np.full((2, 3), 0.4)}
    figure = plot_losses({"a": history, "b": history}, metrics=("accuracy",))
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["loss", "", "accuracy", ""]
    assert [line.get_label() for line in figure.axes[3].lines] == ["training", "validation"]
    assert figure.axes[2].lines[1].get_ydata().tolist() == [0.4, 0.4, 0.4]
    save_figure(figure, tmp_path / "losses.png")
