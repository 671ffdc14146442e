"""Naive forecasts from the history alone: what any model must beat before its error means something.

Every baseline is a function ``baseline(series, origins, steps) -> (B, steps)``: for each origin t it forecasts the rows
t, t+1, … t+steps-1 from the rows before t. The two ways to judge a forecaster are two calls of it:

  one step ahead   origins = every test row, steps = 1              all true past values are known each time
  free-running     origins = [first test row], steps = all of them  its own forecasts take the place of the truth
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_series, check_times
from seqvision._checks import check_count, check_flag, counted

Baseline = Callable[[ArrayLike, ArrayLike, int], NDArray[np.float64]]


def last_value(series: ArrayLike, origins: ArrayLike, steps: int = 1) -> NDArray[np.float64]:
    """Repeat the last value seen: the forecast of a random walk.

    Args:
      series: (N,), time order; only rows before an origin are read for it.
      origins: (B,) ints, the first row forecast each time, 1 <= origin <= N.
      steps: rows to forecast from each origin, >= 1.

    Returns:
      (B, steps).

    Raises:
      ValueError: if an origin has too little history or lies outside the series (as every baseline of this module).

    >>> last_value([1.0, 3.0, 2.0], origins=[1, 3], steps=2)
    array([[1., 1.],
           [2., 2.]])
    """
    y, t = _check(series, origins, steps, needed=1)
    return np.repeat(y[t - 1, None], steps, axis=1)


def drift(series: ArrayLike, origins: ArrayLike, steps: int = 1) -> NDArray[np.float64]:
    """Continue the straight line from the first value to the last: the last value plus the mean change so far.

    Args:
      series: (N,).
      origins: (B,), each >= 2.
      steps: rows to forecast from each origin.

    >>> drift([1.0, 5.0, 3.0], origins=[3], steps=2)
    array([[4., 5.]])
    """
    y, t = _check(series, origins, steps, needed=2)
    slope = (y[t - 1] - y[0]) / (t - 1)
    return y[t - 1, None] + slope[:, None] * np.arange(1, steps + 1)[None, :]


def seasonal_naive(
    series: ArrayLike, origins: ArrayLike, steps: int = 1, *, season: int, times: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Repeat the last season: the value one season back, and again when steps go beyond a season.

    With ``times`` a season is one of time, whatever rows are missing: the value of the same time one season earlier or,
    where that time has no row or is not known yet, of as many seasons earlier as it takes; the last value where that
    time was never seen.

    Args:
      series: (N,).
      origins: (B,), each >= season; with times, each a season after the first row.
      steps: rows to forecast from each origin.
      season: rows in a season, for instance 12 for months, 24 for hours; with times, steps of time.
      times: (N,) or longer, whole numbers that never fall: when each row is, in steps of time, as
        ``seqvision.data.time_axis`` finds them; None where rows follow each other at equal steps. Rows after the last
        are taken to be a step apart.

    >>> seasonal_naive([1.0, 2.0, 3.0, 4.0], origins=[4], steps=3, season=2)
    array([[3., 4., 3.]])
    >>> seasonal_naive([1.0, 2.0, 1.0, 2.0, 2.0], origins=[4], season=2, times=[0, 1, 2, 3, 5])
    array([[2.]])
    """
    season = check_count("season", season)
    y, t = _check(series, origins, steps, needed=season if times is None else 1)
    if times is None:
        return y[t[:, None] - season + (np.arange(steps) % season)[None, :]]
    known = check_times(times, len(y))
    early = known[t - 1] - known[0] + 1 < season
    if early.any():
        at = int(t[early.argmax()])
        raise ValueError(f"origin {at} has {known[at - 1] - known[0] + 1} steps of history, a season needs {season}")
    known = np.concatenate([known, known[-1] + np.arange(1, steps + 1)])[: len(y) + steps]
    row = t[:, None] + np.arange(steps)[None, :]
    wanted, last = known[row], np.broadcast_to(t[:, None] - 1, row.shape)
    wanted = wanted - season * np.maximum(1, -(-(wanted - known[last]) // season))
    found, wanted, last = last.flatten(), wanted.ravel(), last.ravel()
    left = np.arange(len(found))
    while len(left := left[wanted[left] >= known[0]]):
        at = np.minimum(np.searchsorted(known, wanted[left], side="right") - 1, last[left])
        met = known[at] == wanted[left]
        found[left[met]] = at[met]
        left = left[~met]
        wanted[left] -= season
    return y[found].reshape(row.shape)


def constant(series: ArrayLike, origins: ArrayLike, steps: int = 1, *, value: float = 0.0) -> NDArray[np.float64]:
    """Forecast one number always: 0 for a series of returns ("the price stays"), or the mean of the training rows.

    >>> constant([0.1, -0.2], origins=[2], steps=2)
    array([[0., 0.]])
    """
    _, t = _check(series, origins, steps, needed=0)
    return np.full((len(t), steps), float(value))


@dataclass(frozen=True)
class AutoRegression:
    """y_t = intercept + sum_i coefficients[i] y_{t-1-i}, the newest value first."""

    intercept: float
    coefficients: tuple[float, ...]  # (p,)

    def __call__(self, series: ArrayLike, origins: ArrayLike, steps: int = 1) -> NDArray[np.float64]:
        """Forecast ``steps`` rows from each origin, feeding forecasts back: a baseline like the functions above."""
        order = len(self.coefficients)
        y, t = _check(series, origins, steps, needed=order)
        lags = y[t[:, None] - 1 - np.arange(order)[None, :]]
        forecasts = np.empty((len(t), steps))
        weights = np.asarray(self.coefficients)
        with np.errstate(over="ignore", invalid="ignore"):  # an explosive fit runs off to infinity
            for k in range(steps):
                forecasts[:, k] = self.intercept + lags @ weights
                lags = np.concatenate([forecasts[:, k : k + 1], lags[:, :-1]], axis=1)
        return forecasts


def fit_autoregression(training_rows: ArrayLike, order: int) -> AutoRegression:
    """Fit a linear autoregression with intercept by least squares on the training rows, and on nothing else.

    Args:
      training_rows: (N,) with N >= 2 order + 1, so that there are at least as many equations as unknowns.
      order: lags, p >= 1.

    Returns:
      A baseline: call it as ``fit(series, origins, steps)``. Collinear lags take the solution of least norm.

    >>> fit = fit_autoregression(0.5 ** np.arange(12), order=1)
    >>> np.round(fit([8.0], origins=[1], steps=3), 6)
    array([[4., 2., 1.]])
    """
    order = check_count("order", order)
    y = as_series("training_rows", training_rows)
    if len(y) < 2 * order + 1:
        raise ValueError(f"order {order} needs at least {2 * order + 1} training rows, got {len(y)}: use fewer lags")
    lags = np.lib.stride_tricks.sliding_window_view(y, order)[:-1, ::-1]
    # Centered and scaled, the normal equations of a price series far from 0 keep their digits.
    center, scale = y.mean(), y.std() or 1.0
    design = np.column_stack([np.ones(len(lags)), (lags - center) / scale])
    solution = np.linalg.lstsq(design, (y[order:] - center) / scale, rcond=None)[0]
    coefficients = solution[1:]
    intercept = center + scale * solution[0] - center * coefficients.sum()
    return AutoRegression(float(intercept), tuple(float(c) for c in coefficients))


def default_baselines(
    training_rows: ArrayLike,
    *,
    order: int = 5,
    season: int | None = None,
    times: ArrayLike | None = None,
    returns: bool = False,
) -> dict[str, Baseline]:
    """Return the baselines that belong beside every forecast, by name; the first is the one that verdicts name.

    Args:
      training_rows: (N,), the only rows that the fitted ones see.
      order: lags of the autoregression.
      season: rows in a season, or None if there is none.
      times: (N,) of the whole series, by which a season is one of time; see `seasonal_naive`.
      returns: whether the series holds returns (changes) rather than levels: then "zero return" leads, and the mean of
        the training rows takes the place of last value and drift.

    >>> list(default_baselines(np.arange(20.0)))
    ['last value', 'drift', 'AR(5)']
    """
    check_flag("returns", returns, owner="default_baselines")
    rows = as_series("training_rows", training_rows)
    found: dict[str, Baseline] = {"zero return": constant} if returns else {"last value": last_value}
    if returns:
        found["training mean"] = partial(constant, value=float(rows.mean()))
    else:
        found["drift"] = drift
    if season is not None:
        found[f"season of {season}"] = partial(seasonal_naive, season=season, times=times)
    found[f"AR({order})"] = fit_autoregression(rows, order)
    return found


def _check(
    series: ArrayLike, origins: ArrayLike, steps: int, needed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    y = as_series("series", series)
    check_count("steps", steps)
    t = np.asarray(origins)
    if t.ndim != 1 or t.size == 0 or t.dtype.kind not in "iu":
        raise ValueError(f"origins must be a non-empty list of row numbers (B,), got {t.dtype} of shape {t.shape}")
    if t.min() < needed:
        raise ValueError(
            f"origin {t.min()} has {counted(int(t.min()), 'row')} of history, this baseline needs {needed}: start later"
        )
    if t.max() > len(y):
        raise ValueError(f"origin {t.max()} lies beyond the series of {len(y)} rows")
    return y, t.astype(np.int64)
