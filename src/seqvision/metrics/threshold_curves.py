"""What a score separates at every threshold: ROC and precision-recall curves with their areas."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_array, as_numbers, check_same_shape
from seqvision._checks import check_choice
from seqvision.metrics.class_scores import AVERAGES, Average

Floats = NDArray[np.float64]


class RocCurve(NamedTuple):
    """Receiver operating characteristic: one point a threshold, from calling nothing positive to calling all so."""

    false_positive_rate: Floats  # (P,) FP / (FP + TN), 1 - specificity
    true_positive_rate: Floats  # (P,) TP / (TP + FN), recall
    thresholds: Floats  # (P,) falling, the first infinite; rows with score >= threshold are called positive
    area: float  # chance that a positive row scores higher than a negative one; .5 for scores that tell nothing


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall: one point a threshold, from calling nothing positive to calling all so."""

    precision: Floats  # (P,) TP / (TP + FP): 1 by convention where nothing is called positive, at last the prevalence
    recall: Floats  # (P,) TP / (TP + FN), from 0 to 1
    thresholds: Floats  # (P,) falling, the first infinite
    area: float  # under straight lines between the points (trapezoids), which flatters a little
    average_precision: float  # sum of precision x gain in recall: the area under the steps


class ClassAreas(NamedTuple):
    """Areas under the curves of each class against the rest, (C,) each, or averages of them."""

    roc: Floats
    precision_recall: Floats  # trapezoids
    average_precision: Floats


def roc_curve(labels: ArrayLike, *, scores: ArrayLike) -> RocCurve:
    """Return the ROC curve of a score for a positive class; one point for each distinct score.

    Args:
      labels: (B,) 0 or 1 (or bool), 1 for the positive class; both must occur.
      scores: (B,), larger for what looks more positive: probabilities, logits or any other finite numbers.

    Raises:
      ValueError: if shapes differ, labels are not 0 and 1, or one of them is absent.

    >>> curve = roc_curve([0, 0, 1, 1], scores=[0.1, 0.4, 0.35, 0.8])
    >>> curve.area, curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist()
    (0.75, [0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    positive, score = _check(labels, scores)
    if positive.all() or not positive.any():
        raise ValueError(f"a ROC curve needs rows of both classes, got {len(positive)} rows of {int(positive[0])} only")
    return _roc(*_counts(positive, score))


def precision_recall_curve(labels: ArrayLike, *, scores: ArrayLike) -> PrecisionRecallCurve:
    """Return the precision-recall curve of a score for a positive class; one point for each distinct score.

    Args:
      labels: (B,) 0 or 1 (or bool), 1 for the positive class, which must occur.
      scores: (B,), larger for what looks more positive.

    Raises:
      ValueError: if shapes differ, labels are not 0 and 1, or no row is positive.

    >>> curve = precision_recall_curve([0, 0, 1, 1], scores=[0.1, 0.4, 0.35, 0.8])
    >>> curve.recall.tolist(), [round(float(p), 2) for p in curve.precision]
    ([0.0, 0.5, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 0.67, 0.5])
    >>> round(curve.area, 3), round(curve.average_precision, 3)
    (0.792, 0.833)
    """
    positive, score = _check(labels, scores)
    if not positive.any():
        raise ValueError(f"a precision-recall curve needs rows of the positive class, got {len(positive)} rows of 0")
    return _precision_recall(*_counts(positive, score))


def class_areas(labels: ArrayLike, *, scores: ArrayLike, average: Average | None = None) -> ClassAreas:
    """Return the areas under the ROC and precision-recall curves of each class against all others.

    Args:
      labels: (B,) integer classes in [0, C).
      scores: (B, C), probabilities rather than logits, so that rows can be compared.
      average: None gives every class, NaN where it has no rows or all of them; "macro" is the mean over the other
        classes, "weighted" that weighted by their rows, "micro" the areas of all (row, class) pairs as one problem.

    Raises:
      ValueError: if shapes do not fit, or all rows are of one class and an average is wanted.

    >>> p = [[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]
    >>> class_areas([0, 1, 2, 2], scores=p).roc.round(3)
    array([1.   , 0.667, 0.875])
    """
    p, y = as_numbers("scores", scores), as_array("labels", labels)
    if p.ndim != 2 or p.shape[1] < 2:
        raise ValueError(f"scores must be (B, C) with C >= 2, got shape {p.shape}: for one score use roc_curve")
    check_same_shape("labels", y.shape, "one label a row", p.shape[:1])
    if y.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers in [0, {p.shape[1]}), got {y.dtype}")
    if y.min() < 0 or y.max() >= p.shape[1]:
        raise ValueError(f"labels must be integers in [0, {p.shape[1]}), got {y.dtype} from {y.min()} to {y.max()}")
    check_choice("average", average, AVERAGES)
    member = y[:, None] == np.arange(p.shape[1])[None, :]
    if average == "micro":
        return ClassAreas(*map(np.asarray, _areas(member.ravel(), p.ravel())))
    areas = ClassAreas(*np.transpose([_areas(member[:, k], p[:, k]) for k in range(p.shape[1])]))
    if average is None:
        return areas
    rows = member.sum(axis=0)
    defined = (rows > 0) & (rows < len(y))
    if not defined.any():
        raise ValueError(f"an average of areas needs rows of two classes at least, got {len(y)} rows of class {y[0]}")
    weights = rows[defined] if average == "weighted" else None
    return ClassAreas(*(np.asarray(np.average(field[defined], weights=weights)) for field in areas))


def _areas(positive: NDArray[np.bool_], score: Floats) -> tuple[float, float, float]:
    if positive.all() or not positive.any():
        return np.nan, np.nan, np.nan
    counts = _counts(positive, score)
    curve = _precision_recall(*counts)
    return _roc(*counts).area, curve.area, curve.average_precision


def _roc(hits: Floats, alarms: Floats, thresholds: Floats) -> RocCurve:
    x, y = alarms / alarms[-1], hits / hits[-1]
    return RocCurve(x, y, thresholds, float(np.trapezoid(y, x)))


def _precision_recall(hits: Floats, alarms: Floats, thresholds: Floats) -> PrecisionRecallCurve:
    called = hits + alarms
    precision, recall = np.where(called > 0, hits / np.maximum(called, 1), 1.0), hits / hits[-1]
    average = float(np.sum(np.diff(recall) * precision[1:]))
    return PrecisionRecallCurve(precision, recall, thresholds, float(np.trapezoid(precision, recall)), average)


def _check(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    y, score = as_array("labels", labels), as_numbers("scores", scores)
    if score.ndim != 1:
        raise ValueError(f"scores must be (B,), got shape {score.shape}: for several classes use class_areas")
    check_same_shape("labels", y.shape, "scores", score.shape)
    if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
        raise ValueError("labels must be 0 or 1, 1 for the positive class: pass labels == the_class")
    return y.astype(bool), score


def _counts(positive: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats, Floats]:
    """Count true and false positives (P,) as the threshold falls past each distinct score; ties move together."""
    order = np.argsort(-score, kind="stable")
    ordered, hit = score[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # the last row of each run of equal scores
    hits = np.cumsum(hit)[last]
    start = np.zeros(1)
    return (
        np.concatenate([start, hits]),
        np.concatenate([start, last + 1 - hits]),
        np.concatenate([[np.inf], ordered[last]]),
    )
