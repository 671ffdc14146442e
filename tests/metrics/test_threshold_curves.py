import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sk

from seqvision import metrics

# Few distinct scores, so that ties are common.
ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 3.0])), min_size=2, max_size=30)
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 100)
PROBABILITIES = RNG.dirichlet(np.ones(4), 100).round(1) + 0.5 * np.eye(4)[LABELS].round(1)


def columns(rows):
    labels, scores = zip(*rows, strict=True)
    assume(0 < sum(labels) < len(labels))
    return np.array(labels), np.array(scores)


@given(ROWS)
def test_roc_equals_scikit_learn(rows):
    y, scores = columns(rows)
    ours = metrics.roc_curve(y, scores=scores)
    for got, expected in zip(ours, sk.roc_curve(y, scores, drop_intermediate=False), strict=False):
        np.testing.assert_allclose(got, expected)
    assert ours.area == pytest.approx(sk.roc_auc_score(y, scores))


@given(ROWS)
def test_roc_area_is_the_chance_that_a_positive_row_scores_higher(rows):
    y, scores = columns(rows)
    above = np.sign(scores[y][:, None] - scores[~y][None, :])  # ties count half
    assert metrics.roc_curve(y, scores=scores).area == pytest.approx((1 + above.mean()) / 2)


@given(ROWS)
def test_precision_recall_equals_scikit_learn(rows):
    y, scores = columns(rows)
    ours = metrics.precision_recall_curve(y, scores=scores)
    precision, recall, thresholds = sk.precision_recall_curve(y, scores)
    np.testing.assert_allclose(ours.precision, precision[::-1])
    np.testing.assert_allclose(ours.recall, recall[::-1])
    np.testing.assert_allclose(ours.thresholds, [np.inf, *thresholds[::-1]])
    assert ours.area == pytest.approx(sk.auc(recall, precision))
    assert ours.average_precision == pytest.approx(sk.average_precision_score(y, scores))
    assert (ours.recall[0], ours.precision[-1]) == (0.0, y.mean())


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_areas_of_classes_equal_scikit_learn(average):
    member = np.eye(4, dtype=bool)[LABELS]
    ours = metrics.class_areas(LABELS, scores=PROBABILITIES)
    np.testing.assert_allclose(ours.roc, sk.roc_auc_score(member, PROBABILITIES, average=None))
    expected = sk.average_precision_score(member, PROBABILITIES, average=None)
    np.testing.assert_allclose(ours.average_precision, expected)
    mean = metrics.class_areas(LABELS, scores=PROBABILITIES, average=average)
    assert mean.roc == pytest.approx(sk.roc_auc_score(member, PROBABILITIES, average=average))
    assert mean.average_precision == pytest.approx(sk.average_precision_score(member, PROBABILITIES, average=average))
    micro = metrics.class_areas(LABELS, scores=PROBABILITIES, average="micro")
    assert micro.roc == pytest.approx(sk.roc_auc_score(member, PROBABILITIES, average="micro"))


def test_a_class_without_rows_has_no_area():
    scores = PROBABILITIES[LABELS != 2]
    areas = metrics.class_areas(LABELS[LABELS != 2], scores=scores)
    assert np.isnan(areas.roc).tolist() == [False, False, True, False]
    mean = metrics.class_areas(LABELS[LABELS != 2], scores=scores, average="macro")
    assert mean.roc == pytest.approx(np.nanmean(areas.roc))
    assert np.isnan(metrics.class_areas([1, 1], scores=[[0.5, 0.5], [0.1, 0.9]]).roc).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.roc_curve([1, 1], scores=[0.1, 0.2]), "2 rows of 1 only"),
        (lambda: metrics.roc_curve([0, 2], scores=[0.1, 0.2]), "labels == the_class"),
        (lambda: metrics.roc_curve([0, 1], scores=[0.1, np.nan]), "scores holds 1 values that are not finite"),
        (lambda: metrics.roc_curve([0, 1, 1], scores=[0.1, 0.2]), "nothing is broadcast"),
        (lambda: metrics.roc_curve([0, 1], scores=[[0.1, 0.9], [0.2, 0.8]]), "for several classes use class_areas"),
        (
            lambda: metrics.precision_recall_curve([0, 0], scores=[0.1, 0.2]),
            "rows of the positive class, got 2 rows of 0",
        ),
        (lambda: metrics.class_areas([0, 1], scores=[0.1, 0.2]), "for one score use roc_curve"),
        (
            lambda: metrics.class_areas([0, 2], scores=[[0.1, 0.9], [0.2, 0.8]]),
            r"integers in \[0, 2\), got int64 from 0 to 2",
        ),
        (lambda: metrics.class_areas([1, 1], scores=[[0.1, 0.9]] * 2, average="macro"), "2 rows of class 1"),
        (lambda: metrics.class_areas([0, 1], scores=[[0.1, 0.9]] * 2, average="mean"), "got 'mean'"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
