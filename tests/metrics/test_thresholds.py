"""Thresholds against every threshold there is, scored by scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from seqvision.metrics import check_goal, choose_threshold

RNG = np.random.default_rng(0)


def rows(seed, count=60, digits=2):
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.3
    return labels.astype(int), np.round(np.clip(rng.normal(0.35 + 0.25 * labels, 0.2), 0, 1), digits)  # with ties


def every_cut(scores):
    distinct = np.unique(scores)
    return (distinct + np.concatenate([[0.0], distinct[:-1]])) / 2


@pytest.mark.parametrize("seed", range(6))
def test_the_chosen_threshold_is_the_best_of_all(seed):
    labels, scores = rows(seed)
    cuts = every_cut(scores)
    called = [(scores >= cut).astype(int) for cut in cuts]
    for goal, measure in [("f1", sk.f1_score), ("balanced_accuracy", sk.balanced_accuracy_score)]:
        values = np.array([measure(labels, one) for one in called])
        found = choose_threshold(labels, scores=scores, goal=goal)
        assert found.reached == pytest.approx(values.max())
        assert measure(labels, (scores >= found.value).astype(int)) == pytest.approx(values.max())
        best = cuts[values > values.max() - 1e-12]
        assert abs(found.value - 0.5) == pytest.approx(np.abs(best - 0.5).min())
    for least in (0.5, 0.9, 1.0):
        found = choose_threshold(labels, scores=scores, goal=f"recall={least}")
        recall = np.array([sk.recall_score(labels, one) for one in called])
        assert found.value == pytest.approx(cuts[recall >= least].max())
        assert found.reached == pytest.approx(recall[recall >= least].min())
    precision = np.array([sk.precision_score(labels, one) for one in called])
    least = round(float(np.quantile(precision, 0.6)), 3)
    found = choose_threshold(labels, scores=scores, goal=f"precision={least}")
    assert found.value == pytest.approx(cuts[precision >= least].min())


def test_classes_that_are_apart_are_parted_in_the_middle():
    found = choose_threshold([0, 0, 1, 1], scores=[0.0, 0.2, 0.6, 1.0], goal="f1")
    assert found == (0.4, 1.0)


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ("recall", "needs the share to reach, such as recall=0.9"),
        ("f1=0.9", "takes no share"),
        ("accuracy", "is for f1, balanced_accuracy, recall=0.9 or precision=0.9, got 'accuracy'"),
        ("recall=2", "above 0 and at most 1"),
        ("precision=nan", "above 0 and at most 1"),
        ("precision=high", "above 0 and at most 1"),
    ],
)
def test_goals_that_cannot_be_are_refused(goal, says):
    with pytest.raises(ValueError, match=says):
        choose_threshold([1, 0, 1, 0], scores=[0.1, 0.1, 0.2, 0.3], goal=goal)


def test_a_precision_that_none_reaches_is_come_near():
    """The best is .5: of the two highest rows one is positive, and of all four two are."""
    assert choose_threshold([1, 0, 1, 0], scores=[0.1, 0.1, 0.2, 0.3], goal="precision=1") == (0.05, 0.5)


def test_rows_of_one_class_choose_nothing():
    assert check_goal("precision=0.25") == ("precision", 0.25)
    with pytest.raises(ValueError, match="rows of both classes"):
        choose_threshold([1, 1], scores=[0.1, 0.2], goal="f1")
