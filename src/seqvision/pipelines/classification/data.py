"""From a classification configuration to images in parts."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from seqvision.data import (
    DIGIT_CLASSES,
    Arrays,
    load_cifar10,
    load_digits,
    load_fashion_mnist,
    load_image_folder,
    load_mnist,
    stratified_split,
)
from seqvision.pipelines.config import ClassifyConfig

_LOADERS = {"mnist": load_mnist, "fashion_mnist": load_fashion_mnist, "cifar10": load_cifar10}


class ImageSplit(NamedTuple):
    """Images in parts; the classes' names."""

    train: Arrays  # x (N, H, W, C) float32, y (N,) int32
    validation: Arrays | None  # None where the configuration wants none
    test: Arrays
    classes: tuple[str, ...]  # the name of each label

    @property
    def example(self) -> jax.ShapeDtypeStruct:
        """Shape and dtype of a batch of one."""
        return jax.ShapeDtypeStruct((1, *self.train.x.shape[1:]), jnp.float32)


def load_images(config: ClassifyConfig) -> ImageSplit:
    """Load a data set or a folder and hold out test rows, and validation rows if wanted, within each class.

    Args:
      config: data or folder, size, test, validation, limit and seed are read.

    Raises:
      OSError: if a data set cannot be had.

    >>> split = load_images(ClassifyConfig(limit=100))
    >>> len(split.train), len(split.test)
    (100, 359)
    """
    train, test, classes = _load(config)
    if config.limit is not None and config.limit < len(train):
        kept = np.random.default_rng(config.seed).permutation(len(train))[: config.limit]
        train = _take(train, np.sort(kept))
    validation = None
    if config.validation:
        rows, held = stratified_split(train.y, config.validation, config.seed)
        train, validation = _take(train, rows), _take(train, held)
    return ImageSplit(train, validation, test, tuple(classes))


def describe_images(config: ClassifyConfig, split: ImageSplit) -> str:
    """Return one line on what is trained and tested on.

    Args:
      config: of the run.
      split: what `load_images` returned for it.

    >>> config = ClassifyConfig(limit=100)
    >>> describe_images(config, load_images(config))
    'digits: 100 images of 8 x 8 x 1 to train, 359 to test'
    """
    shape = " x ".join(str(size) for size in split.train.x.shape[1:])
    held = "" if split.validation is None else f", {len(split.validation)} to validate"
    source = config.folder or config.data
    return f"{source}: {len(split.train)} images of {shape} to train{held}, {len(split.test)} to test"


def _load(config: ClassifyConfig) -> tuple[Arrays, Arrays, tuple[str, ...]]:
    if config.folder is None and config.data in _LOADERS:
        return _LOADERS[config.data]()
    if config.folder is not None:
        size = None if config.size is None else (config.size, config.size)
        whole, classes, _ = load_image_folder(config.folder, size=size)
    else:
        whole, classes = load_digits(), DIGIT_CLASSES
    train_rows, test_rows = stratified_split(whole.y, config.test, config.seed)
    return _take(whole, train_rows), _take(whole, test_rows), classes


def _take(data: Arrays, rows: np.ndarray) -> Arrays:
    return Arrays(np.asarray(data.x)[rows], np.asarray(data.y)[rows])
