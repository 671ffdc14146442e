import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from seqvision import metrics

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 200)
LOGITS = RNG.normal(size=(200, 4)) + 1.5 * np.eye(4)[LABELS]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_equal_scikit_learn(rows):
    y, p = (np.array(column) for column in zip(*rows, strict=True))
    assert metrics.accuracy(y, predicted=p).value == sk.accuracy_score(y, p)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(y, predicted=p, num_classes=4), sk.confusion_matrix(y, p, labels=range(4))
    )


def test_log_loss_equals_scikit_learn_and_is_stable():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = sk.log_loss(LABELS, p)
    assert metrics.log_loss(LABELS, logits=LOGITS) == pytest.approx(expected, rel=1e-12)
    assert metrics.log_loss(LABELS, logits=LOGITS + 1e3) == pytest.approx(expected, rel=1e-9)
    assert metrics.log_loss(LABELS, probabilities=p) == pytest.approx(expected, rel=1e-12)
    assert metrics.log_loss([0], logits=[[-2000.0, 2000.0]]) == 4000.0
    assert metrics.log_loss([0], probabilities=[[0.0, 1.0]]) == np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy(LABELS, predicted=LOGITS), TypeError, "argmax"),
        (lambda: metrics.accuracy(LABELS, predicted=LABELS[:, None]), ValueError, r"must be \(B,\)"),
        (lambda: metrics.accuracy(LABELS, predicted=LABELS[1:]), ValueError, "nothing is broadcast"),
        (
            lambda: metrics.confusion_matrix([0, 4], predicted=[0, 1], num_classes=4),
            ValueError,
            r"labels\[1\] is 4, outside \[0, 4\)",
        ),
        (
            lambda: metrics.confusion_matrix([0, 1], predicted=[0, -1], num_classes=4),
            ValueError,
            r"predicted\[1\] is -1",
        ),
        (lambda: metrics.log_loss(LABELS), ValueError, "either logits or probabilities"),
        (lambda: metrics.log_loss(LABELS, probabilities=LOGITS), ValueError, "sum to 1"),
        (lambda: metrics.log_loss(LABELS[1:], logits=LOGITS), ValueError, "one label a row"),
        (lambda: metrics.log_loss([0], logits=[1.0]), ValueError, r"needs \(B, num_classes\)"),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
