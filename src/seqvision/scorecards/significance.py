"""Whether one forecast beats another by more than chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from seqvision._arrays import as_numbers, check_same_shape
from seqvision._checks import check_count


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
