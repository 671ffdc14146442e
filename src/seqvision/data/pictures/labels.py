"""Labels and the names of classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from seqvision.data.arrays import Arrays
from seqvision.data.pictures.digits_and_fashion import ImageData


def label_names(labels: ArrayLike, classes: Sequence[str]) -> list[str]:
    """Return the name of each label.

    Args:
      labels: (N,) integers in 0 .. K-1.
      classes: K names.

    Raises:
      ValueError: naming the first row with a label that no class has.

    >>> label_names([2, 0], ("cat", "dog", "bird"))
    ['bird', 'cat']
    """
    return [classes[k] for k in check_labels(labels, len(classes)).tolist()]


def label_numbers(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return the number of each name, int32 (N,): its place among the classes.

    Raises:
      ValueError: for a name that is not among the classes.

    >>> label_numbers(["bird", "cat"], ("cat", "dog", "bird")).tolist()
    [2, 0]
    """
    numbers = {name: k for k, name in enumerate(classes)}
    for row, name in enumerate(names):
        if name not in numbers:
            raise ValueError(f"names: row {row} is {name!r}, which is none of the classes {', '.join(classes)}")
    return np.array([numbers[name] for name in names], np.int32)


def check_labels(labels: ArrayLike, num_classes: int) -> np.ndarray:
    """Return labels (N,) as int32 if they are whole numbers in 0 .. num_classes-1."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(f"labels must be whole numbers of shape (N,), but are {array.dtype} of shape {array.shape}")
    outside = np.flatnonzero((array < 0) | (array >= num_classes))
    if outside.size:
        raise ValueError(
            f"labels must lie in 0..{num_classes - 1} for {num_classes} classes, but row {outside[0]} has "
            f"{array[outside[0]]} ({outside.size} such labels): number the classes from 0"
        )
    return array.astype(np.int32)


def select_classes(data: ImageData, classes: Sequence[str]) -> ImageData:
    """Keep the images of some classes, numbered anew in the order given.

    Raises:
      ValueError: for a class that is not in the data, stands twice, or is the only one.

    >>> images = np.zeros((4, 2, 2, 1))
    >>> arrays = Arrays(images, np.array([0, 1, 2, 2]))
    >>> data = ImageData(arrays, arrays, ("cat", "dog", "bird"))
    >>> part = select_classes(data, ("bird", "cat"))
    >>> part.train.y.tolist(), part.classes
    ([1, 0, 0], ('bird', 'cat'))
    """
    chosen = label_numbers(classes, data.classes)
    if len(set(classes)) < max(2, len(classes)):
        raise ValueError(f"classes must name at least two and none twice, but are {tuple(classes)}")
    number = np.full(len(data.classes), -1, np.int32)
    number[chosen] = np.arange(len(chosen))

    def part(arrays: Arrays) -> Arrays:
        labels = number[np.asarray(arrays.y)]
        rows = np.flatnonzero(labels >= 0)
        return Arrays(np.asarray(arrays.x)[rows], labels[rows])

    return ImageData(part(data.train), part(data.test), tuple(classes))
