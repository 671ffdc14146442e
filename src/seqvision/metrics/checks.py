"""What a pair of arrays must be before one is judged against the other."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_array, as_numbers, check_same_shape


def as_pair(truth: ArrayLike, forecast: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float64 after checking that they have one shape: (B,) against (B, 1) is refused."""
    y, f = as_numbers("truth", truth), as_numbers("forecast", forecast)
    check_same_shape("truth", y.shape, "forecast", f.shape)
    return y, f


def as_labels(name: str, labels: ArrayLike, num_classes: int | None = None) -> NDArray[np.int64]:
    """Return integer classes (B,), refusing what lies outside [0, num_classes).

    >>> as_labels("labels", [0, 3], 3)
    Traceback (most recent call last):
    ValueError: labels[1] is 3, outside [0, 3)
    """
    array = as_array(name, labels)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got dtype {array.dtype}: take the argmax of logits first")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be (B,) with at least one row, got shape {array.shape}")
    if num_classes is not None and (array.min() < 0 or array.max() >= num_classes):
        row = int(np.argmax((array < 0) | (array >= num_classes)))
        raise ValueError(f"{name}[{row}] is {array[row]}, outside [0, {num_classes})")
    return array.astype(np.int64)


def as_label_pair(
    labels: ArrayLike, predicted: ArrayLike, num_classes: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return both as integer classes (B,) of one length."""
    y, p = as_labels("labels", labels, num_classes), as_labels("predicted", predicted, num_classes)
    check_same_shape("labels", y.shape, "predicted", p.shape)
    return y, p
