"""Scenes of digits: where the objects are, that they do not overlap, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import digit_scenes


def blocks(k=6):
    """Images of one light rectangle each, whose label is its height."""
    images = np.zeros((k, 8, 8, 1), np.float32)
    for n in range(k):
        images[n, 1 : 2 + n, 2:7] = 1
    return images, np.arange(k) + 1


@given(seed=st.integers(0, 1000), most=st.integers(1, 5), noise=st.sampled_from([0.0, 0.3]))
def test_boxes_hold_the_ink_and_nothing_overlaps(seed, most, noise):
    images, labels = blocks()
    scenes = digit_scenes(images, labels, 4, size=40, most=most, sides=(8, 16), noise=noise, seed=seed)
    assert scenes.images.min() >= 0
    assert scenes.images.max() <= 1
    corners = scenes.boxes * 40
    np.testing.assert_allclose(corners, np.round(corners), atol=1e-5)
    assert np.all(scenes.labels[:, 0] >= 1)
    for picture, boxes, names in zip(scenes.images, np.round(corners).astype(int), scenes.labels, strict=True):
        covered = np.zeros((40, 40), int)
        for (x0, y0, x1, y1), name in zip(boxes, names, strict=True):
            assert (name == -1) == (x0 == x1 == y0 == y1 == 0)
            assert name == -1 or 8 <= max(x1 - x0, y1 - y0) <= 16
            covered[y0:y1, x0:x1] += 1
        assert covered.max() == 1
        if not noise:
            np.testing.assert_allclose(picture[..., 0], covered, atol=1e-6)  # a light rectangle fills its box


def test_a_seed_gives_the_same_scenes_and_another_others():
    one, two, three = (digit_scenes(*blocks(), 3, seed=seed).images for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert np.any(one != three)


def test_a_crowded_scene_leaves_objects_out():
    scenes = digit_scenes(*blocks(), 20, size=20, most=6, sides=(16, 20))
    assert np.all((scenes.labels >= 0).sum(1) < 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sides": (20, 10)}, "sides must be 1 <= shortest <= longest <= size"),
        ({"size": 10}, r"got \(14, 28\) and size 10"),
        ({"images": np.zeros((6, 8, 8, 1))}, "has no pixel above 0.2"),
        ({"images": np.zeros((6, 8, 8))}, r"images must be \(K, h, w, 1\)"),
        ({"count": 0}, "count must be"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    images, labels = blocks()
    arguments = {"images": images, "labels": labels, "count": 2} | change
    with pytest.raises(ValueError, match=message):
        digit_scenes(**arguments)
