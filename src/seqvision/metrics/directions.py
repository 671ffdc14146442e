"""Whether a forecast moves to the side to which the truth moves."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._arrays import as_numbers, check_same_shape
from seqvision.metrics.checks import as_pair
from seqvision.metrics.intervals import Share, wilson_interval


def directional_accuracy(truth: ArrayLike, *, forecast: ArrayLike, last_observed: ArrayLike) -> Share:
    """How often the forecast moves to the side to which the truth moves, with its 95 % Wilson interval.

    The direction is the sign of the change from the last observed value (for a series of returns pass zeros: the sign
    of the return). Rows in which the truth does not move, or in which the forecast predicts no move at all, have no
    direction and are left out; ``rows`` says how many rows remain. The last-value forecast therefore has none: NaN.
    Compare it with ``count_moves``: always saying the commoner direction is right that often.

    Args:
      truth: (B,).
      forecast: (B,).
      last_observed: (B,), the last value known when each forecast was made.

    >>> last = [1.0, 2.0, 2.5, 3.0]
    >>> share = directional_accuracy([2.0, 1.0, 3.0, 3.0], forecast=[2.5, 1.5, 2.0, 9.0], last_observed=last)
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


def count_moves(truth: ArrayLike, *, last_observed: ArrayLike) -> Moves:
    """Count the directions of the truth itself: always saying the commoner one is the naive forecast of a direction.

    Args:
      truth: (B,).
      last_observed: (B,), the last value known before each row.

    >>> count_moves([2.0, 1.0, 3.0, 3.0], last_observed=[1.0, 2.0, 2.5, 3.0])
    Moves(up=2, down=1, flat=1)
    """
    y, last = as_numbers("truth", truth), as_numbers("last_observed", last_observed)
    check_same_shape("truth", y.shape, "last_observed", last.shape)
    return Moves(int(np.sum(y > last)), int(np.sum(y < last)), int(np.sum(y == last)))
