import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from seqvision import metrics

floats = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)
pairs = st.lists(st.tuples(floats, floats), min_size=2, max_size=30).map(lambda rows: tuple(zip(*rows, strict=True)))


@given(pairs)
def test_equal_scikit_learn(pair):
    y, f = pair
    assert metrics.mae(y, forecast=f) == pytest.approx(sk.mean_absolute_error(y, f), rel=1e-12)
    # Squares of numbers below 1e-150 are 0 there, and a constant that its mean misses by rounding has a variance.
    assert metrics.rmse(y, forecast=f) == pytest.approx(sk.root_mean_squared_error(y, f), rel=1e-12, abs=1e-150)
    if np.ptp(y) > 1e-9 * np.abs(y).max() + 1e-140:
        assert metrics.r2(y, forecast=f) == pytest.approx(sk.r2_score(y, f), rel=1e-9, abs=1e-9)


@given(pairs)
def test_percentages_and_mase_equal_loops(pair):
    y, f = pair
    terms = [0.0 if a == b == 0 else 200 * abs(a - b) / (abs(a) + abs(b)) for a, b in zip(y, f, strict=True)]
    assert metrics.smape(y, forecast=f) == pytest.approx(math.fsum(terms) / len(terms), rel=1e-12)
    assert 0.0 <= metrics.smape(y, forecast=f) <= 200.0 + 1e-9
    if min(map(abs, y)) > 1e-200:  # smaller ones overflow
        terms = [100 * abs((a - b) / a) for a, b in zip(y, f, strict=True)]
        assert metrics.mape(y, forecast=f) == pytest.approx(math.fsum(terms) / len(terms), rel=1e-9)
        if min(map(abs, y)) > 1e-9:  # scikit-learn divides by no less than the rounding unit
            assert metrics.mape(y, forecast=f) == pytest.approx(100 * sk.mean_absolute_percentage_error(y, f), rel=1e-9)


@pytest.mark.parametrize("season", [1, 2, 5])
def test_mase_of_the_naive_forecast_on_its_own_training_rows_is_one(season):
    rows = np.random.default_rng(0).normal(size=40)
    scale = math.fsum(abs(rows[t] - rows[t - season]) for t in range(season, 40)) / (40 - season)
    assert metrics.naive_scale(rows, season) == pytest.approx(scale)
    assert metrics.mase(rows[season:], forecast=rows[:-season], training_rows=rows, season=season) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", [metrics.mae, metrics.rmse, metrics.r2, metrics.mape, metrics.smape])
def test_bad_pairs_are_refused(metric):
    with pytest.raises(ValueError, match=r"\(3,\) but forecast \(3, 1\)"):
        metric(np.ones(3), forecast=np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"forecast holds 1 values that are not finite, the first at \(1,\)"):
        metric(np.ones(2), forecast=[1.0, np.nan])
    with pytest.raises(ValueError, match="empty"):
        metric([], forecast=[])
    with pytest.raises(TypeError, match="real numbers"):
        metric(["a"], forecast=[1.0])
    with pytest.raises(TypeError, match="real numbers"):
        metric(np.array([1, None]), forecast=[1.0, 1.0])


def test_where_a_metric_does_not_exist_it_says_so():
    with pytest.raises(ValueError, match="truth is 0 in 1 of 2 places"):
        metrics.mape([0.0, 1.0], forecast=[1.0, 1.0])
    assert metrics.smape([0.0, 1.0], forecast=[0.0, 1.0]) == 0.0
    assert metrics.smape([0.0], forecast=[1.0]) == 200.0
    with pytest.raises(ValueError, match="exact on the training rows"):
        metrics.mase([1.0], forecast=[2.0], training_rows=[3.0, 3.0])
    with pytest.raises(ValueError, match="needs more than 2 training rows"):
        metrics.naive_scale([1.0, 2.0], season=2)
    with pytest.raises(ValueError, match="season must be an int"):
        metrics.naive_scale([1.0, 2.0], season=0)
    assert metrics.r2([2.0, 2.0], forecast=[2.0, 2.0]) == 1.0
    assert metrics.r2([2.0, 2.0], forecast=[2.0, 3.0]) == 0.0


def test_integers_do_not_wrap_around():
    assert metrics.rmse(np.array([0, 255], np.uint8), forecast=np.array([255, 0], np.uint8)) == 255.0
    assert metrics.mae(np.array([2**31 - 1], np.int32), forecast=np.array([-(2**31)], np.int32)) == 2.0**32 - 1


def test_skill():
    assert metrics.skill(0.75, baseline_error=1.0) == 0.25
    assert metrics.skill(2.0, baseline_error=1.0) == -1.0
    with pytest.raises(ValueError, match="baseline_error"):
        metrics.skill(1.0, baseline_error=0.0)
    with pytest.raises(ValueError, match="error must be"):
        metrics.skill(math.nan, baseline_error=1.0)


@pytest.mark.parametrize("season", [2, 3, 7])
def test_the_scale_of_a_season_in_time_takes_rows_that_are_a_season_apart(season):
    rng = np.random.default_rng(season)
    times = np.flatnonzero(rng.random(80) < 0.7)
    rows = rng.normal(size=len(times))
    at = dict(zip(times.tolist(), rows, strict=True))
    errors = [abs(value - at[time - season]) for time, value in at.items() if time - season in at]
    assert metrics.naive_scale(rows, season, times=times) == pytest.approx(np.mean(errors))
    assert metrics.naive_scale(rows, season, times=np.arange(len(rows))) == metrics.naive_scale(rows, season)
    assert metrics.naive_scale(rows, 1, times=times) == metrics.naive_scale(rows)
    with pytest.raises(ValueError, match="no training row has one a season earlier"):
        metrics.naive_scale(rows, 90, times=times)


@pytest.mark.parametrize("unit", [1e-200, 1e-30, 1.0, 3e5, 1e50])
def test_no_unit_is_too_small_or_too_large(unit):
    y, f = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    assert metrics.rmse(unit * y, forecast=unit * f) == pytest.approx(unit * metrics.rmse(y, forecast=f), rel=1e-12)
    assert metrics.r2(unit * y, forecast=unit * f) == pytest.approx(metrics.r2(y, forecast=f), rel=1e-9)


def test_a_constant_truth_whose_mean_rounds_is_constant():
    assert metrics.r2([0.1] * 3, forecast=[0.1] * 3) == 1
    assert metrics.r2([0.1] * 3, forecast=[0.1, 0.1, 0.2]) == 0
    assert metrics.r2([5.0], forecast=[4.0]) == 0
    assert metrics.rmse([5.0], forecast=[5.0]) == 0
