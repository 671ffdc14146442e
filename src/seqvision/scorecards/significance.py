"""Whether one forecaster, classifier or way of training beats another by more than chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._arrays import as_numbers, check_same_shape
from seqvision._checks import check_count, check_number


class Comparison(NamedTuple):
    """The statistic of a test, negative if the first forecast is better, and its two-sided p-value."""

    statistic: float
    p_value: float


def diebold_mariano(losses: ArrayLike, *, other_losses: ArrayLike, horizon: int = 1) -> Comparison:
    """Test whether two forecasts of the same rows have the same expected loss.

    Diebold and Mariano, "Comparing predictive accuracy", JBES 13 (1995), with the small-sample correction of Harvey,
    Leybourne and Newbold (1997): errors of h-step forecasts overlap, so h - 1 autocovariances enter the variance.

    Args:
      losses: (B,) of the first forecast, for instance squared errors, in time order.
      other_losses: (B,) of the other one, same rows.
      horizon: steps ahead of the forecasts, 1 <= horizon < B.

    Returns:
      The statistic and the p-value from Student's t with B - 1 degrees of freedom. Equal losses everywhere give 0 and
      1; if the estimated variance is not positive nothing can be said: NaN.

    >>> result = diebold_mariano([1.0, 2.0, 1.0, 3.0], other_losses=[2.0, 2.5, 3.0, 3.5])
    >>> print(f"{result.statistic:.2f} {result.p_value:.3f}")
    -2.83 0.066
    """
    from scipy import special

    a, b = as_numbers("losses", losses), as_numbers("other_losses", other_losses)
    check_same_shape("losses", a.shape, "other_losses", b.shape)
    horizon = check_count("horizon", horizon)
    if a.ndim != 1 or len(a) <= horizon or len(a) < 2:
        raise ValueError(f"losses must be (B,) with B > horizon {horizon} and B >= 2, got shape {a.shape}")
    d = a - b
    if not d.any():
        return Comparison(0.0, 1.0)
    n, centered = len(d), d - d.mean()
    variance = np.mean(centered**2) + 2.0 * sum(np.sum(centered[k:] * centered[:-k]) / n for k in range(1, horizon))
    if not variance > 0.0:
        return Comparison(np.nan, np.nan)
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = d.mean() / np.sqrt(variance / n) * np.sqrt(correction)
    return Comparison(float(statistic), float(2.0 * special.stdtr(n - 1, -abs(statistic))))


class MeanDifference(NamedTuple):
    """The difference of two means, what it may be, and the two-sided p-value that there is none."""

    difference: float  # first minus other
    low: float
    high: float
    p_value: float
    method: str


def paired_difference(scores: ArrayLike, *, other_scores: ArrayLike, level: float = 0.95) -> MeanDifference:
    """Compare the scores of two ways of training by the seeds that both were trained from: Student's paired t.

    Args:
      scores: (S,) of the first, one a seed.
      other_scores: (S,) of the other, from the same seeds in the same order, S >= 2.
      level: of the interval.

    Returns:
      The mean difference with its interval. Where all seeds differ by the same the interval is that one number, and the
      p-value 0; 1 if they do not differ at all.

    >>> print("{:.2f} [{:.2f}, {:.2f}]".format(*paired_difference([1.0, 2.0, 4.0], other_scores=[2.0, 4.0, 5.0])))
    -1.33 [-2.77, 0.10]
    """
    a, b = as_numbers("scores", scores), as_numbers("other_scores", other_scores)
    check_same_shape("scores", a.shape, "other_scores", b.shape)
    if a.ndim != 1 or len(a) < 2:
        raise ValueError(f"scores must be (S,) with S >= 2, got shape {a.shape}")
    d = a - b
    error = d.std(ddof=1) / np.sqrt(len(d))
    return _interval(d.mean(), error, len(d) - 1, level, f"paired t over {len(d)} shared seeds")


def welch_difference(scores: ArrayLike, *, other_scores: ArrayLike, level: float = 0.95) -> MeanDifference:
    """Compare the scores of two ways of training that share no seeds: Welch's t, whose spreads need not be equal.

    Args:
      scores: (S,) of the first, one a seed, S >= 2.
      other_scores: (R,) of the other, R >= 2.
      level: of the interval.

    >>> welch_difference([1.0, 2.0, 4.0], other_scores=[2.0, 4.0]).method
    "Welch's t over 3 and 2 seeds"
    """
    a, b = as_numbers("scores", scores), as_numbers("other_scores", other_scores)
    if a.ndim != 1 or b.ndim != 1 or min(len(a), len(b)) < 2:
        raise ValueError(f"scores must be (S,) and (R,) of at least 2 seeds each, got shapes {a.shape} and {b.shape}")
    parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
    squares = float(np.sum(parts**2 / np.array([len(a) - 1, len(b) - 1])))
    freedom = float(parts.sum() ** 2 / squares) if squares > 0 else len(a) + len(b) - 2.0
    method = f"Welch's t over {len(a)} and {len(b)} seeds"
    return _interval(a.mean() - b.mean(), np.sqrt(parts.sum()), freedom, level, method)


def mcnemar(right: ArrayLike, *, other_right: ArrayLike) -> Comparison:
    """Test whether two classifiers are right equally often on the same rows.

    McNemar, Psychometrika 12 (1947), in its exact form: of the rows that one of them alone gets right, half are
    expected for each.

    Args:
      right: (B,) bool, which rows the first classifies right.
      other_right: (B,) bool, of the other.

    Returns:
      (other - first) / sqrt(other + first) of the counts of rows that one alone gets right, negative if the first is
      better, and the two-sided binomial p-value; 0 and 1 if they are right on the same rows.

    >>> result = mcnemar([True] * 6 + [False], other_right=[False] * 6 + [True])
    >>> print(f"{result.statistic:.2f} {result.p_value:.3f}")
    -1.89 0.125
    """
    from scipy import special

    a, b = (np.asarray(one) for one in (right, other_right))
    check_same_shape("right", a.shape, "other_right", b.shape)
    if a.ndim != 1 or a.dtype != bool or b.dtype != bool or not len(a):
        raise ValueError(f"right must be (B,) of True and False, got {a.dtype} of shape {a.shape}")
    first, other = int((a & ~b).sum()), int((b & ~a).sum())
    if first + other == 0:
        return Comparison(0.0, 1.0)
    p = 2.0 * special.bdtr(min(first, other), first + other, 0.5)
    return Comparison((other - first) / np.sqrt(first + other).item(), float(min(1.0, p)))


def _interval(difference: float, error: float, freedom: float, level: float, method: str) -> MeanDifference:
    from scipy import special

    level = check_number("level", level, above=0, below=1)
    if not error > 0.0:
        p = np.nan if np.isnan(error) else 1.0 if difference == 0 else 0.0
        return MeanDifference(float(difference), float(difference), float(difference), p, method)
    reach = error * special.stdtrit(freedom, 0.5 + level / 2)
    p = 2.0 * special.stdtr(freedom, -abs(difference / error))
    return MeanDifference(float(difference), float(difference - reach), float(difference + reach), float(p), method)
