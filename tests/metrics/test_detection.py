"""Overlap and average precision, by hand and beside a loop over thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.metrics import box_iou, interpolated_average_precision, score_detections


def test_overlaps_by_hand():
    boxes = [[0, 0, 4, 4], [0, 0, 4, 2], [1, 1, 1, 3]]
    others = [[2, 2, 6, 6], [0, 0, 4, 4], [4, 0, 8, 4]]
    expected = [[4 / 28, 1, 0], [0, 0.5, 0], [0, 0, 0]]
    np.testing.assert_allclose(box_iou(boxes, others), expected)
    assert box_iou(np.zeros((0, 4)), others).shape == (0, 3)


def test_average_precision_by_hand():
    assert interpolated_average_precision([True, True], scores=[0.9, 0.8], objects=2) == 1
    assert interpolated_average_precision([False, True], scores=[0.9, 0.8], objects=1) == 0.5
    assert interpolated_average_precision([True], scores=[0.9], objects=4) == 0.25
    assert interpolated_average_precision([], scores=[], objects=3) == 0
    # Precision 1, 1/2, 2/3, 2/4, 3/5: at the three recalls the best from there on is 1, 2/3 and 3/5.
    right, sure = [True, False, True, False, True], [0.9, 0.8, 0.7, 0.6, 0.5]
    assert interpolated_average_precision(right, scores=sure, objects=3) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert interpolated_average_precision(right[::-1], scores=sure[::-1], objects=3) == pytest.approx(
        (1 + 2 / 3 + 3 / 5) / 3
    )
    with pytest.raises(ValueError, match="objects must be at least 1, got 0"):
        interpolated_average_precision([], scores=[], objects=0)


@given(
    right=st.lists(st.booleans(), min_size=1, max_size=12),
    missed=st.integers(0, 3),
)
def test_average_precision_is_the_area_under_the_envelope(right, missed):
    objects = max(1, sum(right) + missed)
    points = [(sum(right[:k]) / objects, sum(right[:k]) / k) for k in range(1, len(right) + 1)]
    area, before = 0.0, 0.0
    for recall, _ in points:
        area += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    scores = np.linspace(1, 0, len(right))
    assert interpolated_average_precision(right, scores=scores, objects=objects) == pytest.approx(area)


A, B, FAR = [0, 0, 4, 4], [10, 10, 14, 14], [20, 20, 24, 24]
NEAR = [0, 0, 4, 2.5]  # overlaps A by 10 of 16


def judge(truth, found, **options):
    """Score one image: truth [(box, label)], found [(box, label, score)]."""
    pad = [([0, 0, 0, 0], -1)]
    truth, found = truth or pad, found or [(*pad[0], 0.0)]
    return score_detections(
        [[t[0] for t in truth]],
        [[t[1] for t in truth]],
        boxes=[[f[0] for f in found]],
        labels=[[f[1] for f in found]],
        scores=[[f[2] for f in found]],
        **{"num_classes": 2, **options},
    )


def test_mean_average_precision_by_hand():
    scores = judge([(A, 0), (B, 1), (FAR, 1)], [(NEAR, 0, 0.9), (B, 1, 0.6), (A, 1, 0.8)])
    np.testing.assert_allclose(scores.per_class, [1, 0.25])
    assert scores.mean == pytest.approx(0.625)
    assert scores.recall == pytest.approx(2 / 3)
    assert scores.objects.tolist() == [1, 2]


def test_an_object_is_found_once_by_its_surest_detection():
    twice = judge([(A, 0)], [(A, 0, 0.5), (NEAR, 0, 0.9)])
    assert (twice.mean, twice.recall) == (1, 1)
    before = judge([(A, 0), (B, 0)], [(A, 0, 0.9), (A, 0, 0.8), (B, 0, 0.7)])
    assert before.mean == pytest.approx((1 + 2 / 3) / 2)


def test_overlap_and_class_must_be_right():
    assert judge([(A, 0)], [(NEAR, 0, 0.9)], iou=0.7).mean == 0
    assert judge([(A, 0)], [(A, 1, 0.9)]).mean == 0
    nothing = judge([(A, 0)], [])
    assert (nothing.mean, nothing.recall) == (0, 0)
    empty = judge([], [(A, 0, 0.9)])
    assert np.isnan(empty.mean)
    assert np.isnan(empty.per_class).all()


def test_objects_of_one_image_are_not_found_in_another():
    scores = score_detections(
        [[A], [B]], [[0], [0]], boxes=[[B], [A]], labels=[[0], [0]], scores=[[0.9], [0.8]], num_classes=1
    )
    assert scores.mean == 0


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"boxes must be \(N, M, 4\)"):
        score_detections([A], [0], boxes=[A], labels=[0], scores=[0.5, 0.5], num_classes=1)
    with pytest.raises(ValueError, match="1 images have objects and 2 detections"):
        score_detections([[A]], [[0]], boxes=[[A], [A]], labels=[[0], [0]], scores=[[0.5], [0.5]], num_classes=1)
