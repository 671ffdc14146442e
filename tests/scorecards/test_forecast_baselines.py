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


def obvious_season(values, times, origin, steps, season):
    """Look for the same time one, two, … seasons back among the rows before the origin, a value at a time."""
    seen = dict(zip(times[:origin], values[:origin], strict=True))
    known = [*times, *range(times[-1] + 1, times[-1] + steps + 1)]
    forecasts = []
    for step in range(steps):
        back = known[origin + step] - season
        while back not in seen and back >= times[0]:
            back -= season
        forecasts.append(seen.get(back, values[origin - 1]))
    return forecasts


@given(st.sets(st.integers(0, 59), min_size=20), st.integers(1, 9), st.integers(1, 12), st.data())
def test_a_season_of_time_equals_the_obvious_search(places, season, steps, data):
    times = sorted(places)
    values = SERIES[: len(times)]
    origins = [t for t in range(1, len(times) + 1) if times[t - 1] - times[0] + 1 >= season]
    origin = data.draw(st.sampled_from(origins))
    ours = scorecards.seasonal_naive(values, [origin], steps, season=season, times=times)[0]
    np.testing.assert_array_equal(ours, obvious_season(values, times, origin, steps, season))
    corrupted = values.copy()
    corrupted[origin:] = 1e9
    again = scorecards.seasonal_naive(corrupted, [origin], steps, season=season, times=times)[0]
    np.testing.assert_array_equal(ours, again)


def test_without_gaps_a_season_of_time_is_one_of_rows():
    rows = scorecards.seasonal_naive(SERIES, range(7, 61), 20, season=7)
    np.testing.assert_array_equal(rows, scorecards.seasonal_naive(SERIES, range(7, 61), 20, season=7, times=range(60)))


def test_seven_hours_missing_a_week_cost_a_seasonal_forecast_nothing():
    whole = np.arange(24 * 7 * 8)
    hours = whole[(whole % 168 < 50) | (whole % 168 >= 57)]
    y = 5 * np.sin(2 * np.pi * hours / 24) + 10
    cutoff = len(y) - 300
    settings = {"forecasts": {"mine": y[cutoff:] + 1}, "season": 24}
    by_time = scorecards.score_forecasts(y, cutoff, times=hours, **settings).one_step.loc["season of 24"]
    assert by_time["rmse"] < 1e-9
    assert scorecards.score_forecasts(y, cutoff, **settings).one_step.loc["season of 24", "rmse"] > 2.0
    ahead = scorecards.seasonal_naive(y, np.arange(cutoff, len(y) - 60), 60, season=24, times=hours)
    np.testing.assert_allclose(ahead, np.lib.stride_tricks.sliding_window_view(y, 60)[cutoff:-1], atol=1e-9)


@pytest.mark.parametrize("times", [range(59), np.arange(60)[::-1], np.arange(60.0), np.zeros((60, 1), int)])
def test_times_are_whole_numbers_that_never_fall(times):
    with pytest.raises(ValueError, match="times must be whole numbers"):
        scorecards.seasonal_naive(SERIES, [50], season=7, times=times)


def test_a_season_needs_one_of_history_in_time():
    with pytest.raises(ValueError, match="origin 3 has 3 steps of history, a season needs 7"):
        scorecards.seasonal_naive(SERIES, [3], season=7, times=range(60))
    assert scorecards.seasonal_naive(SERIES, [3], season=7, times=range(0, 600, 10))[0, 0] == SERIES[2]
