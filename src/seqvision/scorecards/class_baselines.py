"""Classifiers that look at no input: what a trained one has to beat."""

import numpy as np
from numpy.typing import ArrayLike

from seqvision.metrics import class_frequencies


def majority_class(training_labels: ArrayLike, num_classes: int) -> int:
    """Return the commonest class of the training rows, the smallest of equals: the naive forecast of a class.

    Args:
      training_labels: (N,) integer classes in [0, num_classes).
      num_classes: how many there are.

    >>> majority_class([0, 2, 2, 1], num_classes=3)
    2
    """
    return int(np.argmax(class_frequencies(training_labels, num_classes)))
