import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from seqvision import metrics

COUNTS = st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=3, max_size=3).filter(np.any)


def rows_of(counts):
    """Turn counts back into labels and predictions."""
    truth, given_ = np.nonzero(counts)
    times = np.asarray(counts)[truth, given_]
    return np.repeat(truth, times), np.repeat(given_, times)


@given(COUNTS)
def test_scores_of_classes_equal_scikit_learn(counts):
    y, p = rows_of(counts)
    ours = metrics.class_scores(metrics.confusion_matrix(y, predicted=p, num_classes=3))
    options = {"labels": [0, 1, 2], "zero_division": 0}
    precision, recall, f1, support = sk.precision_recall_fscore_support(y, p, **options)
    np.testing.assert_allclose(ours.precision, precision)
    np.testing.assert_allclose(ours.recall, recall)
    np.testing.assert_allclose(ours.f1, f1)
    np.testing.assert_allclose(ours.prevalence, support / len(y))
    for k in range(3):  # specificity is the recall of all that is not the class
        assert ours.specificity[k] == pytest.approx(sk.recall_score(y != k, p != k, zero_division=0))
        assert ours.detection_rate[k] == pytest.approx(np.mean((y == k) & (p == k)))


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
@given(counts=COUNTS)
def test_averages_equal_scikit_learn(average, counts):
    y, p = rows_of(counts)
    ours = metrics.class_scores(counts, average=average)
    labels = [0, 1, 2] if average == "micro" else np.unique(y)  # a mean over classes leaves out those without rows
    expected = sk.precision_recall_fscore_support(y, p, labels=labels, average=average, zero_division=0)
    np.testing.assert_allclose([ours.precision, ours.recall, ours.f1], expected[:3])
    if average == "micro":
        assert ours.recall == ours.precision == pytest.approx(metrics.accuracy(y, predicted=p).value)


def test_classes_without_rows_count_in_no_mean():
    y, p = np.array([0, 1, 2, 0]), np.eye(4)[[0, 1, 2, 0]]
    counts = metrics.confusion_matrix(y, predicted=p.argmax(1), num_classes=4)
    assert metrics.class_scores(counts, average="macro").f1 == 1
    assert metrics.class_areas(y, scores=p, average="macro").roc == 1
    wrong = metrics.class_scores(metrics.confusion_matrix(y, predicted=[3, 1, 2, 0], num_classes=4), average="macro")
    assert wrong.recall == pytest.approx((0.5 + 1 + 1) / 3)
    assert metrics.class_scores(metrics.confusion_matrix([1], predicted=[1], num_classes=3), average="macro").f1 == 1


@given(
    st.lists(st.tuples(st.integers(0, 3), st.tuples(*[st.integers(0, 2)] * 4)), min_size=1, max_size=20),
    st.integers(1, 4),
)
def test_top_k_equals_scikit_learn_and_lower_classes_win_ties(rows, k):
    y, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], float)
    # scikit-learn takes the last of equal scores first, argmax and this library the first: mirror the classes.
    expected = sk.top_k_accuracy_score(3 - y, scores[:, ::-1], k=k, labels=range(4)) if k < 4 else 1.0
    assert metrics.top_k_accuracy(y, scores=scores, k=k).value == pytest.approx(expected)
    assert metrics.top_k_accuracy(y, scores=scores, k=1).value == np.mean(scores.argmax(axis=1) == y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.class_scores([[1, 2, 3]]), r"\(C, C\) counts.*shape \(1, 3\)"),
        (lambda: metrics.class_scores([[0, 0], [0, 0]]), "at least one row"),
        (lambda: metrics.class_scores([[1, -1], [0, 0]]), "counts >= 0"),
        (lambda: metrics.class_scores(np.eye(2), average="mean"), "'macro', 'weighted', 'micro', got 'mean'"),
        (
            lambda: metrics.top_k_accuracy([0], scores=[[1.0, 2.0]], k=3),
            "k must be at most the number of classes, 2, got 3",
        ),
        (lambda: metrics.top_k_accuracy([0], scores=[[1.0, 2.0]], k=0), "k must be an int >= 1"),
        (lambda: metrics.top_k_accuracy([2], scores=[[1.0, 2.0]], k=1), r"labels\[0\] is 2, outside \[0, 2\)"),
        (lambda: metrics.top_k_accuracy([0, 1], scores=[[1.0, 2.0]], k=1), "nothing is broadcast"),
        (lambda: metrics.top_k_accuracy([0], scores=[1.0, 2.0], k=1), r"scores must be \(B, num_classes\)"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
