import numpy as np
import pytest

from seqvision.reporting import misclassified_rows, plot_confusion, plot_misclassified, save_figure


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
    images = np.random.default_rng(0).random(shape)
    labels, guess, sure = np.array([0, 1, 2, 3, 4]), np.array([0, 2, 2, 0, 0]), np.array([0.9, 0.5, 0.8, 0.7, 0.6])
    assert misclassified_rows(labels, predicted=guess, confidence=sure).tolist() == [3, 4, 1]
    figure = plot_misclassified(images, labels, predicted=guess, confidence=sure, limit=2)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["3 taken for 0\n70 % sure", "4 taken for 0\n60 % sure"]
    save_figure(figure, tmp_path / "wrong.png")
    one = plot_misclassified(images[:1], labels[:1], predicted=1 - labels[:1], confidence=sure[:1])
    assert "1 of 1 mistake on 1 row, " in one.get_suptitle()
    assert "no mistakes" in plot_misclassified(images, labels, predicted=labels, confidence=sure).get_suptitle()
    with pytest.raises(ValueError, match="differ in length"):
        plot_misclassified(images, labels, predicted=guess[1:], confidence=sure)
    with pytest.raises(ValueError, match="images must be"):
        plot_misclassified(images[0, 0], labels, predicted=guess, confidence=sure)
