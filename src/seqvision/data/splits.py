"""Splits: by time for series, at random within each class for labels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._checks import check_count
from seqvision.data.device_values import check_seed


class Split(NamedTuple):
    """Consecutive parts of a series, in time order."""

    train: slice
    validation: slice  # empty if none was asked for
    test: slice


def chronological_split(n: int, train: float | int = 0.8, validation: float | int = 0.0) -> Split:
    """Cut rows 0 .. n-1 into training, validation and test rows, in time order.

    Args:
      n: number of rows.
      train: share of the rows in (0, 1), rounded down, or their number if it is an int.
      validation: share or number of the rows that follow, possibly 0.

    Returns:
      Three slices; the test part is what remains.

    Raises:
      ValueError: if the training or the test part would be empty.

    >>> chronological_split(10, train=0.6, validation=2)
    Split(train=slice(0, 6, None), validation=slice(6, 8, None), test=slice(8, 10, None))
    """
    n = check_count("n", n)
    first = count_rows("train", train, n)
    second = first + count_rows("validation", validation, n)
    if first < 1 or second >= n:
        raise ValueError(
            f"{n} rows with train={train} and validation={validation} give {first} training, {second - first} "
            f"validation and {n - second} test rows: training and test need at least one"
        )
    return Split(slice(0, first), slice(first, second), slice(second, n))


def count_rows(name: str, part: float | int, n: int) -> int:
    """Turn a share of n rows (float, rounded down) or a number of rows (int) into a number of rows.

    >>> count_rows("train", 0.5, 1249), count_rows("train", 3, 1249)
    (624, 3)
    """
    if isinstance(part, bool) or not isinstance(part, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a share (float) or a number of rows (int), but is {part!r}")
    if isinstance(part, (int, np.integer)):
        if part < 0:
            raise ValueError(f"{name} must not be negative, but is {part}")
        return int(part)
    if not 0.0 <= part < 1.0:
        raise ValueError(f"{name} must be a share in [0, 1) or a whole number of rows, but is {part}")
    return int(np.floor(part * n + 1e-9))  # .29 * 100 is 28.999…


def stratified_split(labels: ArrayLike, test: float = 0.2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw a test set at random that has the class shares of the whole.

    Args:
      labels: (N,) integers.
      test: share of the rows held out, in (0, 1).
      seed: of the random draw, in [0, 2^32).

    Returns:
      The training and the test rows, two sorted integer arrays; together every row once. The test set has
      round(test * N) rows, each class its share of them to within one.

    Raises:
      ValueError: if a part would be empty or the seed is out of range.

    >>> train, test = stratified_split(np.array([0, 1] * 50), test=0.2)
    >>> len(train), len(test), int((test % 2).sum())
    (80, 20, 10)
    """
    labels = np.asarray(labels)
    if labels.dtype.kind == "f" and (labels == np.round(labels)).all():
        labels = labels.astype(np.int64)
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise ValueError(f"labels must be whole numbers of shape (N,), but are {labels.dtype} of shape {labels.shape}")
    if not 0.0 < test < 1.0 or not 0 < round(test * len(labels)) < len(labels):
        raise ValueError(f"test={test} of {len(labels)} rows leaves the training or the test set empty")
    rng = np.random.default_rng(check_seed(seed))
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    quota = test * counts
    take = np.floor(quota).astype(int)
    # The classes whose share was cut most by rounding down get the rows that are left.
    left = round(test * len(labels)) - int(take.sum())
    take[np.argsort(take - quota, kind="stable")[:left]] += 1
    held_out = np.concatenate(
        [rng.permutation(np.flatnonzero(classes == k))[:rows] for k, rows in enumerate(take)],
    )
    return np.setdiff1d(np.arange(len(labels)), held_out), np.sort(held_out)
