"""Shares with their intervals: how often something was right, and how sure that number is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision.metrics.checks import as_numbers, as_pair, check_same_shape


class Share(NamedTuple):
    """A share of ``rows`` independent rows with its interval; all NaN if there are no rows."""

    value: float
    low: float
    high: float
    rows: int


def wilson_interval(successes: float, count: int, z: float = 1.959963984540054) -> Share:
    """Return a share and its Wilson score interval, which stays within [0, 1] and holds for shares near the ends.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Args:
      successes: rows that were right, 0 <= successes <= count; a mean over seeds may be fractional.
      count: rows; 0 gives NaN.
      z: half width in standard deviations; the default is that of 95 %.

    >>> share = wilson_interval(50, 100)
    >>> print(f"{share.value:.2f} [{share.low:.3f}, {share.high:.3f}]")
    0.50 [0.404, 0.596]
    """
    if count < 0 or not 0 <= successes <= count:
        raise ValueError(f"wilson_interval needs 0 <= successes <= count, got successes={successes}, count={count}")
    if count == 0:
        return Share(np.nan, np.nan, np.nan, 0)
    p = successes / count
    denominator = 1.0 + z * z / count
    center = (p + z * z / (2 * count)) / denominator
    half = z * np.sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count)) / denominator
    # At p = 0 and 1 an end of the interval is p itself; rounding must not push it outside.
    low, high = min(max(0.0, center - half), p), max(min(1.0, center + half), p)
    return Share(float(p), float(low), float(high), int(count))


def directional_accuracy(truth: ArrayLike, forecast: ArrayLike, last_observed: ArrayLike) -> Share:
    """How often the forecast moves to the side to which the truth moves, with its 95 % Wilson interval.

    The direction is the sign of the change from the last observed value (for a series of returns pass zeros: the sign
    of the return). Rows in which the truth does not move, or in which the forecast predicts no move at all, have no
    direction and are left out; ``rows`` says how many rows remain. The last-value forecast therefore has none: NaN.
    Compare it with ``count_moves``: always saying the commoner direction is right that often.

    Args:
      truth: (B,).
      forecast: (B,).
      last_observed: (B,), the last value known when each forecast was made.

    >>> share = directional_accuracy([2.0, 1.0, 3.0, 3.0], [2.5, 1.5, 2.0, 9.0], [1.0, 2.0, 2.5, 3.0])
    >>> share.rows, round(share.value, 2)
    (3, 0.67)
    """
    y, f = as_pair(truth, forecast)
    last = as_numbers("last_observed", last_observed)
    check_same_shape("last_observed", last.shape, "truth", y.shape)
    actual, predicted = np.sign(y - last), np.sign(f - last)
    counted = (actual != 0) & (predicted != 0)
    return wilson_interval(int(np.sum(actual[counted] == predicted[counted])), int(counted.sum()))


class Moves(NamedTuple):
    """How many rows rise above, fall below and stay at the last observed value."""

    up: int
    down: int
    flat: int


def count_moves(truth: ArrayLike, last_observed: ArrayLike) -> Moves:
    """Count the directions of the truth itself: always saying the commoner one is the naive forecast of a direction.

    Args:
      truth: (B,).
      last_observed: (B,), the last value known before each row.

    >>> count_moves([2.0, 1.0, 3.0, 3.0], [1.0, 2.0, 2.5, 3.0])
    Moves(up=2, down=1, flat=1)
    """
    y, last = as_numbers("truth", truth), as_numbers("last_observed", last_observed)
    check_same_shape("truth", y.shape, "last_observed", last.shape)
    return Moves(int(np.sum(y > last)), int(np.sum(y < last)), int(np.sum(y == last)))
