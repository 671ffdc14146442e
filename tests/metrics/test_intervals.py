import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seqvision import metrics, scorecards


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy(rows):
    right, n = rows
    share = metrics.wilson_interval(right, n)
    theirs = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert share.value == right / n
    assert (share.low, share.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0.0 <= share.low <= share.value <= share.high <= 1.0


def test_wilson_of_no_rows_and_of_nonsense():
    assert np.isnan(metrics.wilson_interval(0, 0)[:3]).all()
    for right, n in [(3, 2), (-1, 2), (0, -1)]:
        with pytest.raises(ValueError, match="0 <= successes <= count"):
            metrics.wilson_interval(right, n)


def test_directions_equal_a_loop():
    rng = np.random.default_rng(3)
    y, f, last = (rng.integers(0, 4, 200).astype(float) for _ in range(3))
    right = rows = 0
    for a, b, c in zip(y, f, last, strict=True):
        if a == c or b == c:
            continue  # one of them does not move
        rows += 1
        right += (a > c) == (b > c)
    share = metrics.directional_accuracy(y, f, last)
    assert (share.value, share.rows) == (right / rows, rows)
    assert share.low < share.value < share.high
    moves = metrics.count_moves(y, last)
    assert moves == (sum(y > last), sum(y < last), sum(y == last))


def test_the_last_value_has_no_direction():
    y = np.array([1.0, 2.0, 1.5])
    share = metrics.directional_accuracy(y[1:], y[:-1], y[:-1])
    assert share.rows == 0
    assert np.isnan(share.value)
    with pytest.raises(ValueError, match="last_observed has shape"):
        metrics.directional_accuracy(y, y, y[:, None])
    with pytest.raises(ValueError, match="nothing is broadcast"):
        metrics.count_moves(y, y[:1])


def test_diebold_mariano_on_one_step_is_a_corrected_t_test():
    rng = np.random.default_rng(0)
    a, b = rng.exponential(size=50), rng.exponential(size=50) + 0.3
    # With horizon 1 the correction turns the population variance into the sample's: the paired t-test.
    theirs = stats.ttest_rel(a, b)
    ours = scorecards.diebold_mariano(a, b)
    assert ours == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert scorecards.diebold_mariano(b, a).statistic == -ours.statistic
    assert scorecards.diebold_mariano(a, a) == (0.0, 1.0)


def test_diebold_mariano_with_overlap_equals_a_loop():
    rng = np.random.default_rng(1)
    d = np.convolve(rng.normal(size=80), np.ones(4), "valid") + 0.5
    n, h, mean = len(d), 4, d.mean()
    autocovariance = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(h)]
    variance = (autocovariance[0] + 2 * sum(autocovariance[1:])) / n
    expected = mean / variance**0.5 * ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    assert scorecards.diebold_mariano(d, np.zeros(n), horizon=h).statistic == pytest.approx(expected)
    with pytest.raises(ValueError, match="B > horizon 4"):
        scorecards.diebold_mariano(d[:4], d[1:5], horizon=4)


def test_diebold_mariano_keeps_its_level():
    rng = np.random.default_rng(2)
    rejected = np.mean([scorecards.diebold_mariano(*rng.normal(size=(2, 100)) ** 2).p_value < 0.05 for _ in range(600)])
    assert 0.02 < rejected < 0.09
