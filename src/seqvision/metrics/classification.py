"""Scores of classifiers on integer labels: pure NumPy in float64."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_numbers, check_same_shape
from seqvision._checks import check_count
from seqvision.metrics.checks import as_label_pair, as_labels
from seqvision.metrics.intervals import Share, wilson_interval

_MOST_CLASSES = 1 << 15


def accuracy(labels: ArrayLike, *, predicted: ArrayLike) -> Share:
    """Share of right labels with its 95 % Wilson interval.

    Args:
      labels: (B,) integer classes.
      predicted: (B,) integer classes.

    Raises:
      TypeError: if either holds anything but integers; take the argmax of logits first.
      ValueError: if shapes differ or there are no rows.

    >>> share = accuracy([0, 1, 2, 2], predicted=[0, 1, 2, 1])
    >>> share.value, share.rows
    (0.75, 4)
    """
    y, p = as_label_pair(labels, predicted)
    return wilson_interval(int(np.sum(y == p)), len(y))


def top_k_accuracy(labels: ArrayLike, *, scores: ArrayLike, k: int) -> Share:
    """Share of rows whose class is among the k with the highest scores, with its 95 % Wilson interval.

    Args:
      labels: (B,) integer classes in [0, C).
      scores: (B, C), logits or probabilities; of equal scores the lower class comes first, as argmax has it.
      k: 1 <= k <= C; 1 gives the accuracy.

    >>> top_k_accuracy([0, 1, 2], scores=[[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], k=2).value
    0.666...
    """
    z = as_numbers("scores", scores)
    if z.ndim != 2:
        raise ValueError(f"scores must be (B, num_classes), got shape {z.shape}")
    k = check_count("k", k)
    if k > z.shape[1]:
        raise ValueError(f"k must be at most the number of classes, {z.shape[1]}, got {k}")
    y = as_labels("labels", labels, z.shape[1])
    check_same_shape("labels", y.shape, "one label a row", z.shape[:1])
    own = z[np.arange(len(y)), y][:, None]
    earlier = np.arange(z.shape[1])[None, :] < y[:, None]
    ahead = np.sum((z > own) | ((z == own) & earlier), axis=1)
    return wilson_interval(int(np.sum(ahead < k)), len(y))


def confusion_matrix(labels: ArrayLike, *, predicted: ArrayLike, num_classes: int) -> NDArray[np.int64]:
    """Count rows of each true class (row) that were given each class (column).

    Args:
      labels: (B,) in [0, num_classes).
      predicted: (B,) in [0, num_classes).
      num_classes: how many there are, C.

    Returns:
      (C, C) counts.

    >>> confusion_matrix([0, 1, 1], predicted=[0, 1, 0], num_classes=2)
    array([[1, 0],
           [1, 1]])
    """
    num_classes = check_count("num_classes", num_classes, below=_MOST_CLASSES)
    y, p = as_label_pair(labels, predicted, num_classes)
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (y, p), 1)
    return counts


def class_frequencies(labels: ArrayLike, num_classes: int) -> NDArray[np.float64]:
    """Return the share of each class (C,) among the rows.

    >>> class_frequencies([0, 1, 1, 1], num_classes=2)
    array([0.25, 0.75])
    """
    num_classes = check_count("num_classes", num_classes, below=_MOST_CLASSES)
    y = as_labels("labels", labels, num_classes)
    return np.bincount(y, minlength=num_classes) / len(y)


def log_loss(labels: ArrayLike, *, logits: ArrayLike | None = None, probabilities: ArrayLike | None = None) -> float:
    """Mean of -log p(true class), in nats; log(C) is what guessing evenly among C classes gives.

    Args:
      labels: (B,) integer classes in [0, C).
      logits: (B, C) unnormalized log probabilities; give these or
      probabilities: (B, C) whose rows sum to 1 within 1e-5. A true class of probability 0 gives infinity.

    >>> log_loss([0, 1], probabilities=[[0.5, 0.5], [0.5, 0.5]])
    0.693...
    """
    if (logits is None) == (probabilities is None):
        raise ValueError("log_loss needs either logits or probabilities, not both and not neither")
    name, values = ("logits", logits) if logits is not None else ("probabilities", probabilities)
    p = as_numbers(name, values)  # type: ignore[arg-type]
    if p.ndim != 2:
        raise ValueError(f"log_loss needs (B, num_classes), got shape {p.shape}")
    if logits is not None:
        from scipy import special

        log_p = special.log_softmax(p, axis=-1)
    else:
        if p.min() < 0.0 or not np.allclose(p.sum(axis=-1), 1.0, atol=1e-5):
            raise ValueError("probabilities must be >= 0 and sum to 1 in each row: pass logits=… for raw outputs")
        with np.errstate(divide="ignore"):
            log_p = np.log(p)
    y = as_labels("labels", labels, log_p.shape[1])
    check_same_shape("labels", y.shape, "one label a row", log_p.shape[:1])
    return float(-np.mean(log_p[np.arange(len(y)), y]))


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Return the probabilities (..., C) that logits (..., C) stand for, in float64 whatever the logits are.

    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    array = as_numbers("logits", logits)
    if not array.ndim:
        raise ValueError("logits must be (..., C), got a single number")
    from scipy import special

    return special.softmax(array, axis=-1)
