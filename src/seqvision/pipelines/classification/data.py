"""From a classification configuration to images in parts."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from seqvision._checks import counted
from seqvision._phases import phase
from seqvision.data import (
    DIGIT_CLASSES,
    Arrays,
    ImageFolder,
    PictureForm,
    load_cifar10,
    load_digits,
    load_fashion_mnist,
    load_image_folder,
    load_mnist,
    stratified_split,
)
from seqvision.pipelines.classification.image_record import name_of, record_arrays, record_files
from seqvision.pipelines.config import ClassifyConfig

logger = logging.getLogger(__name__)

_LOADERS = {"mnist": load_mnist, "fashion_mnist": load_fashion_mnist, "cifar10": load_cifar10}


class ImageSplit(NamedTuple):
    """Images in parts; the classes' names."""

    train: Arrays  # x (N, H, W, C) float32, y (N,) int32
    validation: Arrays | None  # None where the configuration wants none
    test: Arrays
    classes: tuple[str, ...]  # the name of each label
    form: PictureForm  # of the training images, to which new pictures are brought
    record: dict[str, Any]  # what a run keeps of them, the form too; see `check_record`
    test_files: tuple[str, ...] = ()  # names of the test images' files; none of a data set

    @property
    def example(self) -> jax.ShapeDtypeStruct:
        """Shape and dtype of a batch of one."""
        return jax.ShapeDtypeStruct((1, *self.train.x.shape[1:]), jnp.float32)


def load_images(config: ClassifyConfig) -> ImageSplit:
    """Load a data set or a folder in its own parts, and hold out what it has no part for, within each class.

    Args:
      config: data or folder, size, test_folder, test, validation, limit and seed are read.

    Raises:
      OSError: if a data set cannot be had.
      ValueError: for a folder that `load_image_folder` refuses, a share of validation rows beside a part of them, or a
        test folder of other classes or sizes.

    >>> split = load_images(ClassifyConfig(limit=100))
    >>> len(split.train), len(split.test)
    (100, 359)
    """
    with phase("reading", config.data if config.folder is None else Path(config.folder).name):
        return _load(config)


def _load(config: ClassifyConfig) -> ImageSplit:
    if config.folder is not None:
        return _from_folder(config, config.folder)
    if config.data in _LOADERS:
        train, test, classes = _LOADERS[config.data]()
    else:
        whole, classes = load_digits(), DIGIT_CLASSES
        train, test = (_take(whole, rows) for rows in stratified_split(whole.y, config.test, config.seed))
    kept, held = _training_rows(config, np.asarray(train.y))
    parts = {"train": train if len(kept) == len(train) else _take(train, kept), "test": test}
    if held is not None:
        parts["validation"] = _take(train, held)
    form = PictureForm.of(parts["train"].x)
    record = {**record_arrays(classes, parts), "form": form.to_dict()}
    return ImageSplit(parts["train"], parts.get("validation"), test, tuple(classes), form, record)


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
    tested = f"{len(split.test)} {f'of {config.test_folder} ' if config.test_folder else ''}to test"
    return f"{source}: {counted(len(split.train), 'image')} of {shape} to train{held}, {tested}"


def _from_folder(config: ClassifyConfig, folder: str) -> ImageSplit:
    images = load_image_folder(folder, size=config.size)
    other = None if config.test_folder is None else _test_folder(config, folder, images, config.test_folder)
    labels, parts = np.asarray(images.data.y), dict(images.parts)
    if "validation" in parts and config.validation:
        raise ValueError(f"{folder} has a validation part: leave out validation={config.validation}")
    rows = parts.get("train", np.arange(len(labels)))
    if "test" not in parts and other is None:
        if parts:
            logger.info(f"{folder} has no test part: test={config.test} of its training part is held out at random")
        kept, held = stratified_split(labels[rows], config.test, config.seed)
        rows, parts["test"] = rows[kept], rows[held]
    kept, validated = _training_rows(config, labels[rows])
    parts["train"] = rows[kept]
    if validated is not None:
        parts["validation"] = rows[validated]
    taken = {part: _take(images.data, each) for part, each in parts.items()}
    names, paths = _names(folder, images), images.paths
    if other is None:
        tested = tuple(names[row] for row in parts["test"])
    else:
        tested = tuple(_names(config.test_folder, other))
        taken["test"], parts["test"] = other.data, len(paths) + np.arange(len(tested))
        names, paths = [*names, *(f"test folder: {name}" for name in tested)], (*paths, *other.paths)
    form = PictureForm.of(taken["train"].x, None if images.sizes is None else images.sizes[parts["train"]])
    for part in taken.keys() - {"train"}:
        taken[part] = _as_read(form, taken[part], [paths[row] for row in parts[part]], part)
    record = {**record_files(names, paths, images.classes, parts), "form": form.to_dict()}
    return ImageSplit(taken["train"], taken.get("validation"), taken["test"], images.classes, form, record, tested)


def _as_read(form: PictureForm, data: Arrays, paths: Sequence[Path], part: str) -> Arrays:
    """Return images to be judged on as new ones are read: without colors, if no training image has any."""
    rows = np.flatnonzero(form.only_colored(data.x))
    if not rows.size:
        return data
    logger.warning(
        f"{counted(len(rows), 'picture')} of the {part} part have colors, and no training picture has: their shades of "
        f"gray are taken ({paths[rows[0]]})"
    )
    images = np.array(data.x)
    for row in rows:
        images[row] = form.read(paths[int(row)]).pixels
    return Arrays(images, data.y)


def _test_folder(config: ClassifyConfig, folder: str, images: ImageFolder, test_folder: str) -> ImageFolder:
    """Load another folder of the same classes and sizes, whose images are all to be judged on."""
    if "test" in images.parts:
        raise ValueError(f"{folder} has a test part: leave out test_folder={test_folder}, or give the training part")
    if Path(test_folder).is_dir() and Path(test_folder).samefile(folder):
        raise ValueError(f"test_folder={test_folder} is the folder that is trained on: leave out test_folder")
    other = load_image_folder(test_folder, size=config.size)
    if other.parts:
        raise ValueError(
            f"test_folder={test_folder} has parts itself, {', '.join(other.parts)}: give the folder of one"
        )
    if other.classes != images.classes:
        missing, more = (
            ", ".join(one for one in some if one not in others) or "none"
            for some, others in ((images.classes, other.classes), (other.classes, images.classes))
        )
        raise ValueError(
            f"test_folder={test_folder} must have the classes of {folder}: missing in it {missing}, only in it {more}"
        )
    mine, its = images.data.x.shape[1:3], other.data.x.shape[1:3]
    if mine != its:
        raise ValueError(
            f"pictures of {folder} are {mine[0]} x {mine[1]} pixels, those of test_folder={test_folder} {its[0]} x "
            f"{its[1]}: say size={mine[0]} (or another) to have all resized"
        )
    return other


def _names(folder: Any, images: ImageFolder) -> list[str]:
    return [name_of(path.relative_to(folder)) for path in images.paths]


def _training_rows(config: ClassifyConfig, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the rows to train on, within the limit, and those to validate on, if a share of them is wanted."""
    rows = np.arange(len(labels))
    if config.limit is not None and config.limit < len(rows):
        rows = np.sort(np.random.default_rng(config.seed).permutation(len(rows))[: config.limit])
    if not config.validation:
        return rows, None
    kept, held = stratified_split(labels[rows], config.validation, config.seed)
    return rows[kept], rows[held]


def _take(data: Arrays, rows: np.ndarray) -> Arrays:
    return Arrays(np.asarray(data.x)[rows], np.asarray(data.y)[rows])
