"""Image data sets: handwritten digits and articles of clothing."""

from typing import NamedTuple

import numpy as np

from seqvision.data.arrays import Arrays
from seqvision.data.downloads import fetch_file
from seqvision.data.pictures.idx import read_idx

DIGIT_CLASSES = tuple("0123456789")
FASHION_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


class ImageData(NamedTuple):
    """Images and labels in the parts that their authors published."""

    train: Arrays  # x (N, H, W, C) float32 in 0..1, y (N,) int32
    test: Arrays
    classes: tuple[str, ...]  # the name of each label

    def limited(self, rows: int | None) -> "ImageData":
        """Keep only so many training images, the first ones; None keeps all.

        >>> part = Arrays(np.zeros((5, 8, 8, 1), np.float32), np.zeros(5, np.int32))
        >>> data = ImageData(part, part, ("dark",)).limited(3)
        >>> len(data.train), len(data.test)
        (3, 5)
        """
        if rows is None:
            return self
        return self._replace(train=Arrays(self.train.x[:rows], self.train.y[:rows]))


def load_digits() -> Arrays:
    """Load the 1797 handwritten digits that scikit-learn bundles.

    They are in one part; `stratified_split` makes two of them.

    Returns:
      Arrays with x (1797, 8, 8, 1) float32 in 0..1 and y (1797,) int32; names of the classes in `DIGIT_CLASSES`.

    Source: UCI Optical Recognition of Handwritten Digits, test part.

    >>> digits = load_digits()
    >>> digits.x.shape, float(digits.x.max()), len(digits)
    ((1797, 8, 8, 1), 1.0, 1797)
    """
    import sklearn.datasets

    bunch = sklearn.datasets.load_digits()
    return Arrays((bunch.images[..., None] / 16).astype(np.float32), bunch.target)


def load_mnist() -> ImageData:
    """Load MNIST: 60,000 and 10,000 handwritten digits of 28 x 28.

    The four idx files, zipped or not, are taken from `$SEQVISION_DATA_DIR/mnist`, else from the cache, else downloaded
    into it (11 MB).

    Returns:
      An `ImageData` with x (N, 28, 28, 1) float32 in 0..1, y (N,) int32.

    Raises:
      OSError: if a file can neither be found nor downloaded.
      ValueError: if a file is damaged.

    Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits.
    """
    return _load("mnist", DIGIT_CLASSES)


def load_fashion_mnist() -> ImageData:
    """Load Fashion-MNIST: 60,000 and 10,000 articles of clothing, 28 x 28.

    The four idx files, zipped or not, are taken from `$SEQVISION_DATA_DIR/fashion_mnist`, else from the cache, else
    downloaded into it (30 MB).

    Returns:
      An `ImageData` with x (N, 28, 28, 1) float32 in 0..1, y (N,) int32.

    Raises:
      OSError: if a file can neither be found nor downloaded.
      ValueError: if a file is damaged.

    Source: Xiao, Rasul, Vollgraf, Fashion-MNIST, arXiv:1708.07747.
    """
    return _load("fashion_mnist", FASHION_CLASSES)


def _load(name: str, classes: tuple[str, ...]) -> ImageData:
    return ImageData(_load_part(name, "train", len(classes)), _load_part(name, "t10k", len(classes)), classes)


def _load_part(name: str, part: str, num_classes: int) -> Arrays:
    images = read_idx(fetch_file(name, f"{part}-images-idx3-ubyte.gz"), dimensions=3)
    labels = read_idx(fetch_file(name, f"{part}-labels-idx1-ubyte.gz"), dimensions=1)
    if not len(images) or len(images) != len(labels) or images.shape[1:] != (28, 28):
        raise ValueError(f"{name}: {images.shape} {part} images do not fit {len(labels)} labels: get the files again")
    if labels.size and labels.max() >= num_classes:
        raise ValueError(
            f"{name}: a {part} label is {labels.max()}, but there are {num_classes} classes: get the file again"
        )
    return Arrays(images[..., None] / np.float32(255), labels)
