"""Scores of classifiers on integer labels: pure NumPy in float64."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision.metrics.checks import as_numbers, check_positive, check_same_shape
from seqvision.metrics.intervals import Share, wilson_interval


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> Share:
    """Share of right labels with its 95 % Wilson interval.

    Args:
      labels: (B,) integer classes.
      predicted: (B,) integer classes.

    Raises:
      TypeError: if either holds anything but integers; take the argmax of logits first.
      ValueError: if shapes differ or there are no rows.

    >>> share = accuracy([0, 1, 2, 2], [0, 1, 2, 1])
    >>> share.value, share.rows
    (0.75, 4)
    """
    y, p = _label_pair(labels, predicted)
    return wilson_interval(int(np.sum(y == p)), len(y))


def top_k_accuracy(labels: ArrayLike, scores: ArrayLike, k: int) -> Share:
    """Share of rows whose class is among the k with the highest scores, with its 95 % Wilson interval.

    Args:
      labels: (B,) integer classes in [0, C).
      scores: (B, C), logits or probabilities; of equal scores the lower class comes first, as argmax has it.
      k: 1 <= k <= C; 1 gives the accuracy.

    >>> top_k_accuracy([0, 1, 2], [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], k=2).value
    0.666...
    """
    z = as_numbers("scores", scores)
    if z.ndim != 2:
        raise ValueError(f"scores must be (B, classes), got shape {z.shape}")
    check_positive("k", k)
    if k > z.shape[1]:
        raise ValueError(f"k must be at most the number of classes, {z.shape[1]}, got {k}")
    y = _labels("labels", labels, z.shape[1])
    check_same_shape("labels", y.shape, "one label a row", z.shape[:1])
    own = z[np.arange(len(y)), y][:, None]
    earlier = np.arange(z.shape[1])[None, :] < y[:, None]
    ahead = np.sum((z > own) | ((z == own) & earlier), axis=1)
    return wilson_interval(int(np.sum(ahead < k)), len(y))


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count rows of each true class (row) that were given each class (column).

    Args:
      labels: (B,) in [0, classes).
      predicted: (B,) in [0, classes).
      classes: how many there are, C.

    Returns:
      (C, C) counts.

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], classes=2)
    array([[1, 0],
           [1, 1]])
    """
    y, p = _label_pair(labels, predicted, classes)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (y, p), 1)
    return counts


def majority_class(training_labels: ArrayLike, classes: int) -> int:
    """Return the commonest class of the training rows, the smallest of equals: the naive forecast of a class.

    >>> majority_class([0, 2, 2, 1], classes=3)
    2
    """
    return int(np.argmax(class_frequencies(training_labels, classes)))


def class_frequencies(training_labels: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Return the share of each class (C,) among the training rows.

    >>> class_frequencies([0, 1, 1, 1], classes=2)
    array([0.25, 0.75])
    """
    check_positive("classes", classes)
    y = _labels("training_labels", training_labels, classes)
    return np.bincount(y, minlength=classes) / len(y)


def log_loss(labels: ArrayLike, *, logits: ArrayLike | None = None, probabilities: ArrayLike | None = None) -> float:
    """Mean of -log p(true class), in nats; log(classes) is what guessing evenly gives.

    Args:
      labels: (B,) integer classes in [0, C).
      logits: (B, C) unnormalized log probabilities; give these or
      probabilities: (B, C) whose rows sum to 1 within 1e-5. A true class of probability 0 gives infinity.

    >>> log_loss([0, 1], probabilities=[[0.5, 0.5], [0.5, 0.5]])
    0.693...
    """
    if (logits is None) == (probabilities is None):
        raise ValueError("log_loss needs either logits or probabilities, not both and not neither")
    if logits is not None:
        z = as_numbers("logits", logits)
        z = z - z.max(axis=-1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    else:
        p = as_numbers("probabilities", probabilities)  # type: ignore[arg-type]
        if p.min() < 0.0 or not np.allclose(p.sum(axis=-1), 1.0, atol=1e-5):
            raise ValueError("probabilities must be >= 0 and sum to 1 in each row: pass logits=… for raw outputs")
        with np.errstate(divide="ignore"):
            log_p = np.log(p)
    if log_p.ndim != 2:
        raise ValueError(f"log_loss needs (B, classes), got shape {log_p.shape}")
    y = _labels("labels", labels, log_p.shape[1])
    check_same_shape("labels", y.shape, "one label a row", log_p.shape[:1])
    return float(-np.mean(log_p[np.arange(len(y)), y]))


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Return the probabilities (..., C) that logits (..., C) stand for, in float64.

    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    z = as_numbers("logits", logits)
    odds = np.exp(z - z.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def _labels(name: str, labels: ArrayLike, classes: int | None = None) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got dtype {array.dtype}: take the argmax of logits first")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be (B,) with at least one row, got shape {array.shape}")
    if classes is not None and (array.min() < 0 or array.max() >= classes):
        row = int(np.argmax((array < 0) | (array >= classes)))
        raise ValueError(f"{name}[{row}] is {array[row]}, outside [0, {classes})")
    return array.astype(np.int64)


def _label_pair(
    labels: ArrayLike, predicted: ArrayLike, classes: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    y, p = _labels("labels", labels, classes), _labels("predicted", predicted, classes)
    check_same_shape("labels", y.shape, "predicted", p.shape)
    return y, p
