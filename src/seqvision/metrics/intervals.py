"""A share with its interval: how often something was right, and how sure that number is."""

from typing import NamedTuple

import numpy as np

from seqvision._checks import check_number, is_int


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
    if not is_int(count) or not 0 <= count < 2**63:
        raise ValueError(f"wilson_interval needs 0 <= successes <= count, got successes={successes}, count={count}")
    successes = check_number("successes", successes, owner="wilson_interval")
    if not 0 <= successes <= count:
        raise ValueError(f"wilson_interval needs 0 <= successes <= count, got successes={successes}, count={count}")
    z = check_number("z", z, owner="wilson_interval", least=0, most=1e60)
    if count == 0:
        return Share(np.nan, np.nan, np.nan, 0)
    p = successes / count
    denominator = 1.0 + z * z / count
    center = (p + z * z / (2 * count)) / denominator
    half = z * np.sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count)) / denominator
    # At p = 0 and 1 an end of the interval is p itself; rounding must not push it outside.
    low, high = min(max(0.0, center - half), p), max(min(1.0, center + half), p)
    return Share(float(p), float(low), float(high), int(count))
