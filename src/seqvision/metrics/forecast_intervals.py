"""Intervals of forecasts: how wide they must be, how often they hold, and what they cost."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_array, as_numbers, check_same_shape
from seqvision._checks import check_count, check_number


def conformal_quantiles(residuals: ArrayLike, *, levels: Sequence[float]) -> NDArray[np.float64]:
    """Return how far from its forecast a further row lies at most, with each probability: split conformal prediction.

    Of n residuals it is the ceil((n + 1) level)-th smallest absolute one, infinite where there are fewer: for rows that
    are exchangeable with these the interval forecast ± quantile holds with at least that probability, whatever made the
    forecasts. (Rows of a series are not exchangeable: measure how often it holds.)

    Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005); Lei, G'Sell, Rinaldo, Tibshirani and
    Wasserman, "Distribution-free predictive inference for regression", JASA 113 (2018), algorithm 2.

    Args:
      residuals: (n,), truth - forecast of rows that trained nothing; what is not finite counts as infinitely far.
      levels: (L,) probabilities, 0 < level < 1.

    Returns:
      (L,).

    >>> conformal_quantiles([0.5, -1.0, 2.0, -3.0], levels=(0.5, 0.8, 0.95))
    array([ 2.,  3., inf])
    """
    sizes = np.abs(as_array("residuals", residuals).astype(np.float64))
    if sizes.ndim != 1:
        raise ValueError(f"residuals must be (n,), got shape {sizes.shape}: give one step at a time")
    ordered = np.sort(np.where(np.isnan(sizes), np.inf, sizes))
    ranks = [_rank(len(ordered), level) for level in levels]
    return np.array([ordered[rank - 1] if rank <= len(ordered) else np.inf for rank in ranks])


def least_rows(level: float) -> int:
    """Return how many residuals an interval of a level needs at least to be finite.

    >>> least_rows(0.8), least_rows(0.95)
    (4, 19)
    """
    level = check_number("level", level, above=0, below=1)
    return int(np.ceil(level / (1.0 - level) - 1e-9))


def interval_coverage(truth: ArrayLike, *, lower: ArrayLike, upper: ArrayLike) -> float:
    """Return the share of truths within their intervals, ends included.

    Args:
      truth: any shape.
      lower, upper: the shape of truth; may be infinite.

    Raises:
      ValueError: if shapes differ, a truth is not finite, or a lower end lies above its upper end.

    >>> interval_coverage([1.0, 2.0, 3.0, 4.0], lower=[0.0, 2.0, 4.0, 0.0], upper=[2.0, 3.0, 5.0, 5.0])
    0.75
    """
    y, low, high = _check_ends(truth, lower, upper)
    return float(np.mean((low <= y) & (y <= high)))


def interval_score(truth: ArrayLike, *, lower: ArrayLike, upper: ArrayLike, level: float) -> float:
    """Return the mean width plus 2 / (1 - level) times how far truths lie outside; lower is better.

    The score of Winkler, "A decision-theoretic approach to interval estimation", JASA 67 (1972), in the form of
    Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102 (2007), equation 43.

    >>> interval_score([1.0, 5.0], lower=[0.0, 0.0], upper=[4.0, 4.0], level=0.75)
    8.0
    """
    level = check_number("level", level, above=0, below=1)
    y, low, high = _check_ends(truth, lower, upper)
    with np.errstate(over="ignore"):  # a forecast may have run away
        outside = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
        return float(np.mean(high - low + 2.0 / (1.0 - level) * outside))


def _rank(count: int, level: float) -> int:
    level = check_number("level", level, above=0, below=1)
    return check_count("rank", int(np.ceil((count + 1) * level - 1e-9)))  # .8 * 5 is 4.000…


def _check_ends(
    truth: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    y = as_numbers("truth", truth)
    low, high = (as_array(name, ends).astype(np.float64) for name, ends in (("lower", lower), ("upper", upper)))
    check_same_shape("truth", y.shape, "lower", low.shape)
    check_same_shape("truth", y.shape, "upper", high.shape)
    if not (low <= high).all():
        raise ValueError("lower ends must not lie above upper ends, nor be NaN")
    return y, low, high
