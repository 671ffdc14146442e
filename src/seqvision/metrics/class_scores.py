"""Scores of every class against the rest, read from a confusion matrix, and their averages: NumPy in float64."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_array, as_numbers
from seqvision._checks import check_choice

Average = Literal["macro", "weighted", "micro"]
AVERAGES = (None, "macro", "weighted", "micro")


class ClassScores(NamedTuple):
    """Scores of each class against all others, (C,) each, or averages of them; what has no rows to count is 0.

    With TP and FN the rows of a class that were found and missed, FP the rows of others that were given it and TN the
    rest. For two classes entry 1 holds the scores of the positive class.
    """

    recall: NDArray[np.float64]  # TP / (TP + FN), also called sensitivity
    specificity: NDArray[np.float64]  # TN / (TN + FP)
    precision: NDArray[np.float64]  # TP / (TP + FP)
    f1: NDArray[np.float64]  # 2 TP / (2 TP + FP + FN), the harmonic mean of recall and precision
    detection_rate: NDArray[np.float64]  # TP / all rows
    prevalence: NDArray[np.float64]  # (TP + FN) / all rows


def class_scores(confusion: ArrayLike, *, average: Average | None = None) -> ClassScores:
    """Return recall, specificity, precision, F1, detection rate and prevalence of each class against the rest.

    Args:
      confusion: (C, C) counts, true class by row, as ``confusion_matrix`` gives.
      average: None gives every class; "macro" the mean over the classes that have rows, as in `class_areas`,
        "weighted" the mean weighted by the rows of each class, "micro" the scores of TP, FP, FN and TN summed over all
        classes. A row that is given a class without rows counts as missed by its own class.

    Returns:
      Fields of shape (C,), or () if averaged. 0 / 0 is 0.

    Raises:
      ValueError: if the counts are not square, negative or all 0.

    >>> scores = class_scores([[50, 10], [5, 35]])
    >>> positive = [round(float(field[1]), 3) for field in scores]
    >>> dict(zip(scores._fields, positive))
    {'recall': 0.875, 'specificity': 0.833, 'precision': 0.778, 'f1': 0.824, 'detection_rate': 0.35, 'prevalence': 0.4}
    """
    counts = as_array("confusion", confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"confusion must be (C, C) counts, true class by row, got shape {counts.shape}")
    if counts.dtype.kind not in "fiu" or not np.all(counts >= 0) or not np.any(counts > 0):
        raise ValueError("confusion must hold counts >= 0 and at least one row: pass what confusion_matrix returns")
    check_choice("average", average, AVERAGES)
    table = as_numbers("confusion", counts)
    found = np.diag(table)
    missed, wrong = table.sum(axis=1) - found, table.sum(axis=0) - found
    rest = table.sum() - found - missed - wrong
    if average == "micro":
        return _scores(found.sum(), missed.sum(), wrong.sum(), rest.sum())
    scores = _scores(found, missed, wrong, rest)
    if average is None:
        return scores
    rows = found + missed
    weights = rows if average == "weighted" else rows > 0
    return ClassScores(*(np.asarray(np.average(field, weights=weights)) for field in scores))


def _scores(found: NDArray, missed: NDArray, wrong: NDArray, rest: NDArray) -> ClassScores:
    return ClassScores(
        recall=_share(found, found + missed),
        specificity=_share(rest, rest + wrong),
        precision=_share(found, found + wrong),
        f1=_share(2 * found, 2 * found + missed + wrong),
        detection_rate=_share(found, found + missed + wrong + rest),
        prevalence=_share(found + missed, found + missed + wrong + rest),
    )


def _share(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0)
