"""CIFAR-10 in its binary form: records of one label byte and three planes of 32 x 32 pixels."""

import gzip
import re
import tarfile
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from seqvision.data.arrays import Arrays
from seqvision.data.downloads import fetch_file, folders
from seqvision.data.pictures.digits_and_fashion import ImageData
from seqvision.data.pictures.labels import select_classes

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SIDE, _CHANNELS = 32, 3
_RECORD = 1 + _CHANNELS * _SIDE * _SIDE
_LARGEST = 1 << 30  # bytes of one file
_ARCHIVE = "cifar-10-binary.tar.gz"


def load_cifar10(classes: Sequence[str] | None = None) -> ImageData:
    """Load CIFAR-10: photographs of ten kinds of things, 32 x 32 in color, 50,000 to train and 10,000 to test.

    Taken from the files `*.bin` or `*.bin.gz` in `$SEQVISION_DATA_DIR/cifar10` or the cache, else from the official
    archive, which is downloaded (170 MB) into the cache. A file whose name begins with "test" is of the test part,
    every other one of the training part: who has three of the five training files gets their 30,000 images.

    Args:
      classes: keep only these, numbered in this order: `("dog", "cat", "ship", "bird")`. None keeps all ten.

    Returns:
      An `ImageData` with x (N, 32, 32, 3) float32 in 0..1, y (N,) int32.

    Raises:
      OSError: if there are no files and the archive cannot be downloaded.
      ValueError: if a file is damaged, one part is missing, or a class is not known.

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    given = next((files for folder in folders("cifar10") if (files := _bin_files(folder))), None)
    parts = _from_archive(fetch_file("cifar10", _ARCHIVE)) if given is None else _from_files(given)
    data = ImageData(parts[0], parts[1], CIFAR10_CLASSES)
    return data if classes is None else select_classes(data, classes)


def read_cifar(path: str | PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read one file of records, gzipped or not.

    A record is 3073 bytes: the label, then 1024 red, 1024 green and 1024 blue pixels, each row by row.

    Returns:
      Images uint8 (N, 32, 32, 3) and labels uint8 (N,).

    Raises:
      ValueError: if the file is damaged, or a label is above 9.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".bin") as file:
    ...     _ = file.write(bytes([7]) + bytes([255]) * 1024 + bytes(2048))
    ...     file.flush()
    ...     images, labels = read_cifar(file.name)
    >>> images.shape, images[0, 0, 0].tolist(), labels.tolist()
    ((1, 32, 32, 3), [255, 0, 0], [7])
    """
    path = Path(path)
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"  # no label is 31
        raw.seek(0)
        try:
            with gzip.open(raw) if zipped else raw as file:
                content = file.read(_LARGEST)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is damaged or was not downloaded to its end ({error}): get it again") from None
    return _parse(str(path), content)


def _parse(name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    if not content or len(content) % _RECORD:
        raise ValueError(
            f"{name} has {len(content)} bytes, no whole number of records of {_RECORD}: is it a binary CIFAR-10 file, "
            "and all of it?"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() >= len(CIFAR10_CLASSES):
        row = int(labels.argmax())
        raise ValueError(f"{name}: record {row} has label {labels[row]}, but labels go from 0 to 9: get the file again")
    planes = records[:, 1:].reshape(-1, _CHANNELS, _SIDE, _SIDE)
    return np.moveaxis(planes, 1, -1), labels


def _bin_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if re.search(r"\.bin(\.gz)?$", path.name))


def _from_files(files: list[Path]) -> tuple[Arrays, Arrays]:
    parts: tuple[list[Path], list[Path]] = ([], [])
    for path in files:
        parts[path.name.startswith("test")].append(path)
    for part, name in zip(parts, ("data_batch_1.bin", "test_batch.bin"), strict=True):
        if not part:
            raise ValueError(f"{files[0].parent} has no file such as {name}(.gz): put it there, or remove the others")
    return _arrays([read_cifar(path) for path in parts[0]]), _arrays([read_cifar(path) for path in parts[1]])


def _from_archive(path: Path) -> tuple[Arrays, Arrays]:
    train: list[tuple[np.ndarray, np.ndarray]] = []
    test: list[tuple[np.ndarray, np.ndarray]] = []
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".bin") else None
            if file is not None:
                part = test if Path(member.name).name.startswith("test") else train
                part.append(_parse(f"{path}: {member.name}", file.read()))
    return _arrays(train), _arrays(test)


def _arrays(parts: list[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    images = np.empty((sum(len(labels) for _, labels in parts), _SIDE, _SIDE, _CHANNELS), np.float32)
    start = 0
    for pixels, labels in parts:
        np.divide(pixels, np.float32(255), out=images[start : start + len(labels)])
        start += len(labels)
    return Arrays(images, np.concatenate([labels for _, labels in parts]))
