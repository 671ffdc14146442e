"""Whether a classifier that is 80 % sure is right 80 times in 100: the reliability diagram and its mean gap."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_numbers, check_same_shape
from seqvision._checks import check_choice, check_count

Floats = NDArray[np.float64]


class Reliability(NamedTuple):
    """Mean confidence and share of hits in each bin of confidence; NaN in a bin without rows."""

    confidence: Floats  # (bins,)
    share: Floats  # (bins,) how often it was right
    rows: NDArray[np.int64]  # (bins,)
    edges: Floats  # (bins + 1,); bin k holds edges[k] < confidence <= edges[k + 1], the first bin its left edge too
    error: float  # expected calibration error: mean |share - confidence|, weighted by rows
    largest_error: float  # of the bins that have rows


def reliability(
    correct: ArrayLike, *, confidence: ArrayLike, bins: int = 15, binning: Literal["width", "count"] = "width"
) -> Reliability:
    """Compare how sure a classifier was with how often it was right, in bins of confidence.

    For several classes pass the largest probability of each row and whether that class was right; for two classes the
    probability of class 1 and the labels 0 and 1 judge the whole scale. Guo, Pleiss, Sun, Weinberger, "On calibration
    of modern neural networks", ICML 2017.

    Args:
      correct: (B,) 0 or 1, or bool.
      confidence: (B,) in [0, 1].
      bins: how many.
      binning: "width" for bins of equal width; "count" for bins with equally many rows, as far as ties allow.

    Raises:
      ValueError: if shapes differ, a confidence lies outside [0, 1], or correct holds anything but 0 and 1.

    >>> diagram = reliability([1, 1, 1, 0], confidence=[0.9, 0.9, 0.6, 0.6], bins=2)
    >>> diagram.rows.tolist(), round(diagram.error, 3)
    ([0, 4], 0.0)
    >>> round(reliability([1, 1, 1, 0], confidence=[0.9, 0.9, 0.6, 0.6], bins=5).error, 3)
    0.1
    """
    bins = check_count("bins", bins, below=1 << 20)
    check_choice("binning", binning, ("width", "count"))
    p, hit = as_numbers("confidence", confidence), as_numbers("correct", correct)
    if p.ndim != 1:
        raise ValueError(f"confidence must be (B,), got shape {p.shape}: take the largest probability of each row")
    check_same_shape("confidence", p.shape, "correct", hit.shape)
    if p.min() < 0.0 or p.max() > 1.0:
        raise ValueError(f"confidence must lie in [0, 1], got {p.min():.4g} to {p.max():.4g}: pass probabilities")
    if not np.isin(hit, (0.0, 1.0)).all():
        raise ValueError("correct must hold 0 or 1 (or bool) for each row")
    shares = np.linspace(0.0, 1.0, bins + 1)
    edges = shares if binning == "width" else np.percentile(p, 100 * shares)
    place = np.searchsorted(edges[1:-1], p)
    rows = np.bincount(place, minlength=bins)
    filled = np.maximum(rows, 1)
    mean = np.where(rows > 0, np.bincount(place, p, bins) / filled, np.nan)
    share = np.where(rows > 0, np.bincount(place, hit, bins) / filled, np.nan)
    gap = np.abs(share - mean)[rows > 0]
    return Reliability(mean, share, rows, edges, float(np.average(gap, weights=rows[rows > 0])), float(gap.max()))
