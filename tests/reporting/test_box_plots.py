"""Pictures with boxes."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from seqvision.reporting import plot_boxes


def test_boxes_stand_around_their_pixels():
    boxes = np.array([[[0.25, 0.5, 0.75, 1.0], [0, 0, 0, 0]]])
    truth = np.array([[[0.0, 0.0, 0.5, 0.5], [0, 0, 0, 0]]])
    figure = plot_boxes(
        np.zeros((1, 8, 16, 1)), boxes, [[1, -1]], scores=[[0.87, 0]], truth=truth, class_names=["a", "b"]
    )
    axes = figure.axes[0]
    drawn = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [(p.get_xy(), p.get_width(), p.get_height(), p.get_linestyle()) for p in drawn] == [
        ((-0.5, -0.5), 8, 4, "--"),
        ((3.5, 3.5), 8, 4, "-"),
    ]
    assert [text.get_text() for text in axes.texts] == ["b .87"]


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"1 images need boxes \(N, K, 4\)"):
        plot_boxes(np.zeros((1, 8, 8)), np.zeros((1, 2, 4)), np.zeros((1, 3)))
