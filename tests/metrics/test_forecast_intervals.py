import numpy as np
import pytest

from seqvision.metrics import conformal_quantiles, interval_coverage, interval_score, least_rows


def test_a_quantile_is_the_one_that_splits_rows_as_the_proof_does():
    """With n residuals and one more, all exchangeable, the interval holds for at least level of their n + 1 orders."""
    rng = np.random.default_rng(0)
    for n in (1, 3, 4, 18, 19, 20, 37, 99):
        for level in (0.5, 0.8, 0.9, 0.95, 1 / 3):
            sizes = rng.permutation(np.arange(1.0, n + 2))  # the (n + 1)-th is the one to come
            held = []
            for at in range(n + 1):
                (width,) = conformal_quantiles(np.delete(sizes, at) * rng.choice([-1, 1], n), levels=[level])
                held.append(sizes[at] <= width)
            assert level - 1e-9 <= np.mean(held) <= level + 1 / (n + 1) + 1e-9 or np.isinf(width)
            assert np.isinf(width) == (n < least_rows(level))


def test_coverage_of_exchangeable_rows_is_the_nominal_one():
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(400):
        residuals, fresh = rng.standard_t(3, 50), rng.standard_t(3, 50)
        widths = conformal_quantiles(residuals, levels=(0.8, 0.95))
        inside.append([interval_coverage(fresh, lower=np.full(50, -w), upper=np.full(50, w)) for w in widths])
    np.testing.assert_allclose(np.mean(inside, axis=0), (0.8, 0.95), atol=0.02)


def test_the_score_is_that_of_a_loop():
    rng = np.random.default_rng(2)
    y, low = rng.normal(size=30), rng.normal(size=30) - 1
    high = low + rng.random(30)
    total = 0.0
    for truth, lower, upper in zip(y, low, high, strict=True):
        total += upper - lower
        if truth < lower:
            total += 2 / 0.05 * (lower - truth)
        if truth > upper:
            total += 2 / 0.05 * (truth - upper)
    assert interval_score(y, lower=low, upper=high, level=0.95) == pytest.approx(total / 30)


def test_the_best_constant_interval_is_that_between_quantiles():
    """The score is proper: of all constant ends the quantiles of the truth cost least."""
    y = np.random.default_rng(3).gamma(2.0, size=20_000)

    def cost(low, high):
        return interval_score(y, lower=np.full(len(y), low), upper=np.full(len(y), high), level=0.8)

    low, high = np.quantile(y, (0.1, 0.9))
    best = cost(low, high)
    for shift in (-0.3, -0.1, 0.1, 0.3):
        assert best < cost(low + shift, high)
        assert best < cost(low, high + shift)


def test_what_is_not_finite_lies_infinitely_far():
    assert conformal_quantiles([np.nan, 1.0, 2.0, np.inf], levels=(0.4, 0.8)).tolist() == [2.0, np.inf]
    assert np.isinf(conformal_quantiles([], levels=[0.8])).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conformal_quantiles([[1.0]], levels=[0.8]), "one step at a time"),
        (lambda: conformal_quantiles([1.0], levels=[1.0]), "level must be a number > 0 and < 1, got 1.0"),
        (lambda: interval_coverage([1.0], lower=[2.0], upper=[1.0]), "must not lie above"),
        (lambda: interval_coverage([1.0], lower=[np.nan], upper=[1.0]), "nor be NaN"),
        (lambda: interval_coverage([1.0], lower=[[0.0]], upper=[2.0]), "truth has shape"),
        (lambda: interval_score([1.0], lower=[0.0], upper=[2.0], level=80), "level must be"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
