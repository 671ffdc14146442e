"""Errors of forecasts, in the units of the truth: pure NumPy in float64, over all elements of equal shapes."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_series, check_times
from seqvision._checks import check_count, check_number
from seqvision.metrics.checks import as_pair


def mae(truth: ArrayLike, *, forecast: ArrayLike) -> float:
    """Mean absolute error, mean |y - f|, in the units of the truth.

    Args:
      truth: any shape.
      forecast: the shape of truth.

    Raises:
      ValueError: if the shapes differ, or a value is missing or not finite (as every metric of this module).

    >>> mae([1.0, 2.0, 4.0], forecast=[1.0, 3.0, 2.0])
    1.0
    """
    y, f = as_pair(truth, forecast)
    return float(np.mean(np.abs(y - f)))


def rmse(truth: ArrayLike, *, forecast: ArrayLike) -> float:
    """Root of the mean squared error, sqrt(mean (y - f)²), in the units of the truth.

    >>> rmse([1.0, 2.0], forecast=[1.0, 4.0])
    1.414...
    """
    y, f = as_pair(truth, forecast)
    unit = _unit(y - f)
    return float(unit * np.sqrt(np.mean(((y - f) / unit) ** 2)))


def r2(truth: ArrayLike, *, forecast: ArrayLike) -> float:
    """Share of the variance explained, 1 - sum (y - f)² / sum (y - mean y)².

    A constant truth has no variance: then 1 for a perfect forecast and 0 otherwise, as in scikit-learn. A price that
    drifts has a large variance, so R² near 1 says little about one-step forecasts; skill over the last value does.

    >>> r2([1.0, 2.0, 3.0], forecast=[1.0, 2.0, 4.0])
    0.5
    """
    y, f = as_pair(truth, forecast)
    if y.min() == y.max():  # whose mean may differ by rounding
        return 1.0 if float(np.sum((y - f) ** 2)) == 0.0 else 0.0
    unit = _unit(y - y.mean(), y - f)
    return 1.0 - float(np.sum(((y - f) / unit) ** 2) / np.sum(((y - y.mean()) / unit) ** 2))


def mape(truth: ArrayLike, *, forecast: ArrayLike) -> float:
    """Mean absolute percentage error, 100 mean |y - f| / |y|, in percent.

    Raises:
      ValueError: if a truth is 0, where the percentage does not exist. Use ``smape`` or ``mase`` then; rows are never
        left out in silence.

    >>> mape([10.0, 20.0], forecast=[11.0, 18.0])
    10.0
    """
    y, f = as_pair(truth, forecast)
    zeros = int(np.sum(y == 0.0))
    if zeros:
        raise ValueError(
            f"mape: truth is 0 in {zeros} of {y.size} places, where no percentage exists: use smape or mase"
        )
    with np.errstate(over="ignore"):  # of a truth that is nearly 0
        return float(100.0 * np.mean(np.abs(y - f) / np.abs(y)))


def smape(truth: ArrayLike, *, forecast: ArrayLike) -> float:
    """Symmetric percentage error of the M4 competition, 200 mean |y - f| / (|y| + |f|), from 0 to 200 percent.

    Where truth and forecast are both 0 the term is 0: the forecast is right.
    Makridakis, Spiliotis and Assimakopoulos, "The M4 Competition", International Journal of Forecasting 36 (2020).

    >>> smape([0.0, 10.0], forecast=[0.0, 30.0])
    50.0
    """
    y, f = as_pair(truth, forecast)
    size = np.abs(y) + np.abs(f)
    return float(200.0 * np.mean(np.abs(y - f) / np.where(size == 0.0, 1.0, size)))


def naive_scale(training_rows: ArrayLike, season: int = 1, *, times: ArrayLike | None = None) -> float:
    """Mean absolute error of repeating the value one season back, over the training rows: the unit of MASE.

    Args:
      training_rows: (N,), N > season, in time order.
      season: rows in a season; 1 repeats the last value.
      times: (N,) or longer, whole numbers that never fall: when each row is, in steps of time; then a season > 1 is
        one of time, and rows without a row one season earlier are left out. None for rows at equal steps.

    >>> naive_scale([1.0, 3.0, 2.0])
    1.5
    """
    rows = as_series("training_rows", training_rows)
    season = check_count("season", season)
    if len(rows) <= season and times is None:
        raise ValueError(
            f"season {season} needs more than {season} training rows, got {len(rows)}: use a shorter season"
        )
    if times is None or season == 1:
        return float(np.mean(np.abs(rows[season:] - rows[:-season])))
    known = check_times(times, len(rows))[: len(rows)]
    before = np.searchsorted(known, known - season, side="right") - 1
    pairs = np.flatnonzero((before >= 0) & (known[before] == known - season))
    if not len(pairs):
        raise ValueError(f"season {season}: no training row has one a season earlier: use a shorter season")
    return float(np.mean(np.abs(rows[pairs] - rows[before[pairs]])))


def mase(
    truth: ArrayLike,
    *,
    forecast: ArrayLike,
    training_rows: ArrayLike,
    season: int = 1,
    times: ArrayLike | None = None,
) -> float:
    """Mean absolute scaled error, the MAE in units of the (seasonal) naive forecast's on the training rows.

    Hyndman and Koehler, "Another look at measures of forecast accuracy", Int. J. of Forecasting 22 (2006).

    Args:
      truth: any shape.
      forecast: the shape of truth.
      training_rows: (N,) of the same series, before the first truth.
      season: rows in a season; 1 scales by the last value's error.
      times: of the training rows, see `naive_scale`.

    Raises:
      ValueError: if the naive forecast makes no error on the training rows (a constant, or an exact cycle).

    >>> mase([5.0, 5.0], forecast=[5.0, 8.0], training_rows=[1.0, 3.0, 2.0])
    1.0
    """
    error = mae(truth, forecast=forecast)
    scale = naive_scale(training_rows, season, times=times)
    if scale == 0.0:
        raise ValueError(f"mase: the naive forecast (season {season}) is exact on the training rows: there is no scale")
    return error / scale


def skill(error: float, *, baseline_error: float) -> float:
    """Share of a baseline's error that a forecast removes, 1 - error / baseline_error: 0 none, negative worse.

    Args:
      error: of the forecast, for instance its RMSE.
      baseline_error: of the baseline on the same rows, > 0.

    >>> skill(0.5, baseline_error=1.0)
    0.5
    """
    error = check_number("error", error, owner="skill", least=0, below=math.inf)
    baseline_error = check_number("baseline_error", baseline_error, owner="skill", above=0, below=math.inf)
    return float(1.0 - error / baseline_error)


def _unit(*errors: NDArray[np.float64]) -> float:
    """Return a power of two near the largest error: squares of huge and tiny numbers leave what float64 can hold."""
    largest = max(float(np.max(np.abs(each))) for each in errors)
    return float(2.0 ** np.clip(np.frexp(largest)[1], -1000, 1000)) if largest else 1.0
