"""Which examples a classifier got wrong, and what their files are called."""

import numpy as np
from numpy.typing import ArrayLike


def misclassified_rows(labels: ArrayLike, *, predicted: ArrayLike, confidence: ArrayLike) -> np.ndarray:
    """Return the rows that were classified wrong, the surest mistakes first.

    >>> misclassified_rows([0, 1, 2], predicted=[1, 1, 0], confidence=[0.6, 0.9, 0.8])
    array([2, 0])
    """
    wrong = np.flatnonzero(np.asarray(labels) != np.asarray(predicted))
    return wrong[np.argsort(-np.asarray(confidence)[wrong], kind="stable")]


def end_of_name(file: str, most: int = 20) -> str:
    """Return the last part of a file's name, of at most so many signs, the last ones.

    >>> end_of_name("cat/IMG_2041.jpg"), end_of_name("a-very-long-name-of-a-file.jpg")
    ('IMG_2041.jpg', '…-name-of-a-file.jpg')
    """
    name = " ".join(file.rsplit("/")[-1].split())
    return name if len(name) <= most else f"…{name[1 - most :]}"
