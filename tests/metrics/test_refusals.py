"""What no metric may take in silence, and what it may not stumble over."""

import numpy as np
import pytest

from seqvision import metrics

BOX = [[[0, 0, 1, 1]]]


def detections(**changed):
    given = {"boxes": BOX, "labels": [[0]], "scores": [[0.9]], "num_classes": 1} | changed
    return metrics.score_detections(given.pop("truth_boxes", BOX), given.pop("truth_labels", [[0]]), **given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.mae(np.ma.array([1.0, 9.0], mask=[0, 1]), forecast=[1.0, 1.0]), "truth has a mask, which"),
        (lambda: metrics.mae([[1, 2], [3]], forecast=[1, 2]), "truth is no array: its rows differ in length or kind"),
        (lambda: metrics.rmse([1e200], forecast=[0.0]), r"truth holds 1e\+200, beyond 1e\+60: use another unit"),
        (lambda: metrics.accuracy([[0, 1], [1]], predicted=[0, 1]), "labels is no array"),
        (
            lambda: metrics.confusion_matrix([0], predicted=[0], num_classes=10**6),
            "num_classes must be an int >= 1 and",
        ),
        (lambda: metrics.class_frequencies([0], num_classes=10**12), "num_classes must be an int >= 1 and"),
        (lambda: metrics.class_scores([[np.inf, 0], [0, 1]]), "values that are not finite"),
        (lambda: metrics.log_loss([0], logits=3.0), r"log_loss needs \(B, num_classes\), got shape \(\)"),
        (lambda: metrics.softmax(3.0), r"logits must be \(\.\.\., C\), got a single number"),
        (lambda: metrics.class_areas(["a", "b"], scores=np.eye(2)), r"labels must be integers in \[0, 2\), got <U1"),
        (lambda: metrics.reliability([1], confidence=[0.5], bins=10**9), "bins must be an int >= 1 and"),
        (lambda: metrics.skill("good", baseline_error=1.0), "skill: error must be a number >= 0"),
        (lambda: metrics.skill(np.ma.masked_all(1), baseline_error=1.0), "skill: error must be a number >= 0"),
        (lambda: metrics.skill(b"2", baseline_error=1.0), "skill: error must be a number >= 0"),
        (lambda: metrics.wilson_interval(0.5, 1.5), "0 <= successes <= count"),
        (lambda: metrics.wilson_interval(1, 10**400), "0 <= successes <= count"),
        (
            lambda: metrics.box_iou([[0, 0, 1]], [[0, 0, 1, 1]]),
            r"boxes must be corners \(\.\.\., 4\), got shape \(1, 3\)",
        ),
        (lambda: metrics.box_iou([[0, 0, 1, np.nan]], [[0, 0, 1, 1]]), "boxes holds 1 values that are not finite"),
        (
            lambda: metrics.interpolated_average_precision([1, 0], scores=[0.5], objects=1),
            r"correct has shape \(2,\) but scores \(1,\)",
        ),
        (lambda: metrics.interpolated_average_precision([1], scores=[np.nan], objects=1), "scores holds 1 values"),
        (
            lambda: metrics.interpolated_average_precision([1, 1], scores=[1, 2], objects=1),
            "2 detections are right of 1",
        ),
        (lambda: detections(labels=[[1]]), "labels must be integers below num_classes=1, .* got int64 up to 1"),
        (lambda: detections(truth_labels=[[5]]), "truth_labels must be integers below num_classes=1"),
        (lambda: detections(labels=[[-2]]), "labels must be integers below"),
        (lambda: detections(scores=[[np.nan]]), "scores holds 1 values that are not finite"),
        (lambda: detections(iou=0), "iou must be a number > 0 and <= 1"),
        (lambda: metrics.score_samples([[1.0, 2.0]], shares=[-0.5, 1.5]), "shares"),
        (lambda: metrics.frechet_distance([[np.nan], [1]], [[1], [2]]), "features holds 1 values that are not finite"),
    ],
)
def test_refused_in_our_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.frechet_distance([["a"], ["b"]], [[1], [2]]),
        lambda: metrics.box_iou(np.ones((1, 4)) * 1j, np.ones((1, 4))),
        lambda: metrics.score_sequences([["a"]], written=[["a"]]),
        lambda: metrics.score_samples(np.ones((1, 2)) * 1j, shares=[0.5, 0.5]),
    ],
)
def test_what_is_no_number_is_refused(call):
    with pytest.raises(TypeError, match="must"):
        call()


def test_edges_have_their_values():
    assert metrics.mape([5e-324], forecast=[1.0]) == np.inf
    assert detections(boxes=np.zeros((1, 0, 4)), labels=np.zeros((1, 0), int), scores=np.zeros((1, 0))).mean == 0.0
    assert metrics.box_iou(np.zeros((0, 4)), BOX[0]).shape == (0, 1)
    assert metrics.interpolated_average_precision([], scores=[], objects=2) == 0.0
    assert metrics.mae(np.ma.array([1.0, 2.0]), forecast=[1.0, 3.0]) == 0.5
    assert metrics.frechet_distance([[1e50], [3e50]], [[1e50], [3e50]]) == pytest.approx(0, abs=1e90)
