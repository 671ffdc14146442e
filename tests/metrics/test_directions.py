import numpy as np
import pytest

from seqvision import metrics


def test_directions_equal_a_loop():
    rng = np.random.default_rng(3)
    y, f, last = (rng.integers(0, 4, 200).astype(float) for _ in range(3))
    right = rows = 0
    for a, b, c in zip(y, f, last, strict=True):
        if a == c or b == c:
            continue  # one of them does not move
        rows += 1
        right += (a > c) == (b > c)
    share = metrics.directional_accuracy(y, forecast=f, last_observed=last)
    assert (share.value, share.rows) == (right / rows, rows)
    assert share.low < share.value < share.high
    moves = metrics.count_moves(y, last_observed=last)
    assert moves == (sum(y > last), sum(y < last), sum(y == last))


def test_the_last_value_has_no_direction():
    y = np.array([1.0, 2.0, 1.5])
    share = metrics.directional_accuracy(y[1:], forecast=y[:-1], last_observed=y[:-1])
    assert share.rows == 0
    assert np.isnan(share.value)
    with pytest.raises(ValueError, match="last_observed has shape"):
        metrics.directional_accuracy(y, forecast=y, last_observed=y[:, None])
    with pytest.raises(ValueError, match="nothing is broadcast"):
        metrics.count_moves(y, last_observed=y[:1])
