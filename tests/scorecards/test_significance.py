import numpy as np
import pytest
from scipy import stats

from seqvision import scorecards
from seqvision.scorecards import mcnemar, paired_difference, welch_difference


def test_diebold_mariano_on_one_step_is_a_corrected_t_test():
    rng = np.random.default_rng(0)
    a, b = rng.exponential(size=50), rng.exponential(size=50) + 0.3
    # With horizon 1 the correction turns the population variance into the sample's: the paired t-test.
    theirs = stats.ttest_rel(a, b)
    ours = scorecards.diebold_mariano(a, other_losses=b)
    assert ours == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert scorecards.diebold_mariano(b, other_losses=a).statistic == -ours.statistic
    assert scorecards.diebold_mariano(a, other_losses=a) == (0.0, 1.0)


def test_diebold_mariano_with_overlap_equals_a_loop():
    rng = np.random.default_rng(1)
    d = np.convolve(rng.normal(size=80), np.ones(4), "valid") + 0.5
    n, h, mean = len(d), 4, d.mean()
    autocovariance = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(h)]
    variance = (autocovariance[0] + 2 * sum(autocovariance[1:])) / n
    expected = mean / variance**0.5 * ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    assert scorecards.diebold_mariano(d, other_losses=np.zeros(n), horizon=h).statistic == pytest.approx(expected)
    with pytest.raises(ValueError, match="B > horizon 4"):
        scorecards.diebold_mariano(d[:4], other_losses=d[1:5], horizon=4)


def diebold_p(losses):
    return scorecards.diebold_mariano(losses[0], other_losses=losses[1]).p_value


def test_diebold_mariano_keeps_its_level():
    rng = np.random.default_rng(2)
    rejected = np.mean([diebold_p(rng.normal(size=(2, 100)) ** 2) < 0.05 for _ in range(600)])
    assert 0.02 < rejected < 0.09


def test_differences_of_seeds_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for size in (2, 3, 10):
        a, b = rng.normal(size=(2, size))
        slow = stats.ttest_rel(a, b)
        quick = paired_difference(a, other_scores=b, level=0.9)
        assert quick.difference == pytest.approx(a.mean() - b.mean())
        assert (quick.low, quick.high) == pytest.approx(slow.confidence_interval(0.9))
        assert quick.p_value == pytest.approx(slow.pvalue)
        other = rng.normal(size=size + 2)
        slow = stats.ttest_ind(a, other, equal_var=False)
        quick = welch_difference(a, other_scores=other)
        assert (quick.low, quick.high) == pytest.approx(slow.confidence_interval(0.95))
        assert quick.p_value == pytest.approx(slow.pvalue)


def test_differences_without_a_spread():
    assert paired_difference([1.0, 2.0], other_scores=[0.5, 1.5])[:4] == (0.5, 0.5, 0.5, 0.0)
    assert paired_difference([1.0, 2.0], other_scores=[1.0, 2.0])[:4] == (0.0, 0.0, 0.0, 1.0)
    assert welch_difference([1.0, 1.0], other_scores=[1.0, 1.0]).p_value == 1.0
    with pytest.raises(ValueError, match="S >= 2"):
        paired_difference([1.0], other_scores=[2.0])
    with pytest.raises(ValueError, match="at least 2 seeds each"):
        welch_difference([1.0], other_scores=[2.0, 3.0])
    with pytest.raises(ValueError, match="level must be a number > 0 and < 1"):
        paired_difference([1.0, 2.0], other_scores=[2.0, 4.0], level=95)


def test_mcnemar_is_the_binomial_test_of_scipy():
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.random((2, 40)) < rng.random((2, 1))
        first, other = int((a & ~b).sum()), int((b & ~a).sum())
        quick = mcnemar(a, other_right=b)
        slow = stats.binomtest(first, first + other, 0.5).pvalue if first + other else 1.0
        assert quick.p_value == pytest.approx(slow)
        assert np.sign(quick.statistic) == np.sign(other - first)
    with pytest.raises(ValueError, match="True and False"):
        mcnemar([1, 0], other_right=[1, 1])
