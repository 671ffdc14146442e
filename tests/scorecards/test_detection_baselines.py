"""Detectors that learn nothing."""

import numpy as np
import pytest

from seqvision.metrics import score_detections
from seqvision.scorecards import connected_pixels, mean_box


def test_the_mean_box_is_said_of_every_image():
    boxes = [[[0, 0, 0.2, 0.4], [0.2, 0.2, 0.4, 0.8]], [[0.1, 0.4, 0.9, 0.6], [0, 0, 0, 0]]]
    found = mean_box(boxes, [[1, 2], [2, -1]], 3)
    np.testing.assert_allclose(found.boxes, np.tile([0.1, 0.2, 0.5, 0.6], (3, 1, 1)))
    assert found.labels.tolist() == [[2], [2], [2]]
    with pytest.raises(ValueError, match="must hold at least one object"):
        mean_box([[[0, 0, 0, 0]]], [[-1]], 3)


def test_heaps_of_pixels_are_found_and_noise_is_not():
    images = np.zeros((2, 10, 20, 1))
    images[0, 1:5, 2:4] = 0.8
    images[0, 5, 4] = 0.8  # touches by a corner
    images[0, 8, 15] = 1.0  # a single pixel
    images[1, 2:9, 10:20] = 0.6
    images[1, 2:9, 0:3] = 0.4
    found = connected_pixels(images, lambda pixels: (pixels.size, pixels.max()), threshold=0.5, smallest=2, limit=3)
    np.testing.assert_allclose(found.boxes[0, 0], [2 / 20, 1 / 10, 5 / 20, 6 / 10])
    np.testing.assert_allclose(found.boxes[1, 0], [10 / 20, 2 / 10, 1, 9 / 10])
    assert found.labels.tolist() == [[15, -1, -1], [70, -1, -1]]
    np.testing.assert_allclose(found.scores[:, 0], [0.8, 0.6])
    perfect = score_detections(
        found.boxes[1:],
        [[70, -1, -1]],
        boxes=found.boxes[1:],
        labels=found.labels[1:],
        scores=found.scores[1:],
        num_classes=71,
    )
    assert perfect.mean == 1
    with pytest.raises(ValueError, match=r"images must be \(N, H, W, 1\)"):
        connected_pixels(images[..., 0], lambda pixels: (0, 0.0), threshold=0.5)
