"""From which probability on a row is called positive: chosen for a goal, on rows that are not those of the test."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision.metrics.threshold_curves import precision_recall_curve, roc_curve

Floats = NDArray[np.float64]
_GOALS = ("f1", "balanced_accuracy", "recall", "precision")  # the last two with the share that is to be reached


class Threshold(NamedTuple):
    """A threshold, and what it reaches on the rows that it was chosen on."""

    value: float  # rows whose score is at least that are called positive
    reached: float  # of the goal's measure


def check_goal(goal: str) -> tuple[str, float | None]:
    """Return the measure of a goal, and the share that is to be reached, if it has one.

    >>> check_goal("f1"), check_goal("recall=0.9")
    (('f1', None), ('recall', 0.9))
    """
    measure, sign, share = goal.partition("=")
    if measure not in _GOALS:
        raise ValueError(f"a threshold is for f1, balanced_accuracy, recall=0.9 or precision=0.9, got {goal!r}")
    if bool(sign) != (measure in _GOALS[2:]):
        raise ValueError(
            f"a threshold for {measure} needs the share to reach, such as {measure}=0.9"
            if not sign
            else f"a threshold for {measure} takes no share, got {goal!r}"
        )
    if not sign:
        return measure, None
    try:
        least = float(share)
    except ValueError:
        least = np.nan
    if not 0 < least <= 1:
        raise ValueError(f"a threshold for {measure} takes a share above 0 and at most 1, got {goal!r}")
    return measure, least


def choose_threshold(labels: ArrayLike, *, scores: ArrayLike, goal: str) -> Threshold:
    """Choose the threshold of a score that serves a goal best on some rows.

    Rows whose score is at least the threshold are called positive. It lies in the middle between two scores of the
    rows, so that rounding turns none over; of thresholds that serve equally well the one nearest .5 is taken.

    Args:
      labels: (B,) 0 or 1 (or bool), 1 for the positive class; both must occur.
      scores: (B,) in [0, 1], larger for what looks more positive.
      goal: "f1" (of the positive class) or "balanced_accuracy" for the largest; "recall=0.9" for the highest threshold
        that finds such a share of the positive rows, "precision=0.9" for the lowest at which such a share of what is
        called positive is so. A precision that none reaches is come as near as can be, as ``reached`` then says.

    Raises:
      ValueError: for an unknown goal, or rows of one class only.

    >>> choose_threshold([0, 1, 0, 1, 1], scores=[0.1, 0.3, 0.4, 0.6, 0.9], goal="recall=1")
    Threshold(value=0.2, reached=1.0)
    """
    measure, least = check_goal(goal)
    roc, pr = roc_curve(labels, scores=scores), precision_recall_curve(labels, scores=scores)
    recall, precision = pr.recall[1:], pr.precision[1:]  # without calling nothing positive
    if measure == "f1":
        values = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    elif measure == "balanced_accuracy":
        values = (recall + 1 - roc.false_positive_rate[1:]) / 2
    else:
        values = recall if measure == "recall" else precision
    cuts = _between(pr.thresholds[1:])
    if least is None:
        good = np.flatnonzero(values >= values.max() - 1e-12)
        place = good[np.argmin(np.abs(cuts[good] - 0.5))]
    else:
        good = np.flatnonzero(values >= min(least, values.max()) - 1e-12)
        place = good[0] if measure == "recall" else good[-1]
    return Threshold(float(cuts[place]), float(values[place]))


def _between(falling: Floats) -> Floats:
    """Return for each score the middle between it and the next lower one, 0 being below the lowest."""
    return (falling + np.append(falling[1:], 0.0)) / 2
