from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision import scorecards

SERIES = np.random.default_rng(0).normal(size=60).cumsum() + 100.0
AR = scorecards.fit_autoregression(SERIES[:40], order=3)
BASELINES = {
    "last value": scorecards.last_value,
    "drift": scorecards.drift,
    "season": partial(scorecards.seasonal_naive, season=7),
    "zero": scorecards.constant,
    "AR": AR,
}


def obvious(name, history, steps):
    """Forecast from one history by the definition, a value at a time."""
    rows = list(history)
    for _ in range(steps):
        if name == "last value":
            rows.append(history[-1])
        elif name == "drift":
            rows.append(rows[-1] + (history[-1] - history[0]) / (len(history) - 1))
        elif name == "season":
            rows.append(rows[-7])
        elif name == "zero":
            rows.append(0.0)
        else:
            rows.append(AR.intercept + sum(c * rows[-1 - i] for i, c in enumerate(AR.coefficients)))
    return rows[len(history) :]


@pytest.mark.parametrize("name", BASELINES)
@given(origins=st.lists(st.integers(7, 60), min_size=1, max_size=5), steps=st.integers(1, 20))
def test_equal_the_obvious_loop_in_both_modes(name, origins, steps):
    ours = BASELINES[name](SERIES, origins, steps)
    assert ours.shape == (len(origins), steps)
    np.testing.assert_allclose(ours, [obvious(name, SERIES[:t], steps) for t in origins], rtol=1e-10)


@pytest.mark.parametrize("name", BASELINES)
def test_read_nothing_from_the_origin_on(name):
    t = 30
    corrupted = SERIES.copy()
    corrupted[t:] = 1e9
    np.testing.assert_array_equal(BASELINES[name](SERIES, [t], 10), BASELINES[name](corrupted, [t], 10))


@pytest.mark.parametrize("level", [0.0, 1e6])
def test_autoregression_finds_the_process_that_made_the_rows(level):
    rows = [level + 1.0, level, level - 2.0]
    for _ in range(60):
        rows.append(level + 1.2 * (rows[-1] - level) - 0.6 * (rows[-2] - level) + 0.25 * (rows[-3] - level))
    fit = scorecards.fit_autoregression(rows, order=3)
    np.testing.assert_allclose(fit.coefficients, [1.2, -0.6, 0.25], rtol=1e-5)
    assert fit.intercept == pytest.approx(0.15 * level, abs=1e-4 + 1e-5 * level)


def test_autoregression_minimizes_the_training_error():
    lags = np.lib.stride_tricks.sliding_window_view(SERIES[:40], 3)[:-1, ::-1]

    def error(intercept, coefficients):
        return np.sum((SERIES[3:40] - intercept - lags @ np.asarray(coefficients)) ** 2)

    best = error(AR.intercept, AR.coefficients)
    for i in range(3):
        for nudge in (-1e-3, 1e-3):
            other = np.array(AR.coefficients)
            other[i] += nudge
            assert error(AR.intercept, other) > best
    assert hash(AR) == hash(scorecards.fit_autoregression(SERIES[:40], order=3))


def test_autoregression_of_a_constant_stays_there():
    fit = scorecards.fit_autoregression(np.full(20, 5.0), order=2)
    np.testing.assert_allclose(fit([5.0, 5.0], [2], 4), 5.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scorecards.last_value(SERIES, [0]), "origin 0 has 0 rows of history, this baseline needs 1"),
        (lambda: scorecards.drift(SERIES, [1]), "needs 2"),
        (lambda: scorecards.seasonal_naive(SERIES, [6], season=7), "needs 7"),
        (lambda: scorecards.last_value(SERIES, [61]), "beyond the series of 60 rows"),
        (lambda: scorecards.last_value(SERIES, [-1]), "origin -1"),
        (lambda: scorecards.last_value(SERIES, [1.0]), "row numbers"),
        (lambda: scorecards.last_value(SERIES, 5), "row numbers"),
        (lambda: scorecards.last_value(SERIES, [5], 0), "steps must be an int >= 1"),
        (lambda: scorecards.last_value(SERIES[:, None], [5]), r"one series \(N,\), got shape \(60, 1\)"),
        (lambda: scorecards.fit_autoregression(SERIES[:6], order=3), "at least 7 training rows, got 6"),
        (lambda: scorecards.fit_autoregression(SERIES, order=True), "order must be an int"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_default_baselines_depend_on_the_kind_of_series():
    assert list(scorecards.default_baselines(SERIES, season=7)) == ["last value", "drift", "season of 7", "AR(5)"]
    returns = scorecards.default_baselines(SERIES, returns=True, order=2)
    assert list(returns) == ["zero return", "training mean", "AR(2)"]
    np.testing.assert_array_equal(returns["zero return"](SERIES, [50], 3), 0.0)
    np.testing.assert_allclose(returns["training mean"](SERIES, [50], 3), SERIES.mean())
