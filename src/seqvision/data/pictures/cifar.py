"""CIFAR-10 in its binary form: records of one label byte and three planes of 32 x 32 pixels."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from seqvision.data.arrays import Arrays
from seqvision.data.downloads import fetch_file, folders
from seqvision.data.pictures.bounded_archive import members_of
from seqvision.data.pictures.digits_and_fashion import ImageData
from seqvision.data.pictures.labels import select_classes

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SIDE, _CHANNELS = 32, 3
_RECORD = 1 + _CHANNELS * _SIDE * _SIDE
_LARGEST = 1 << 28  # bytes of all files, unpacked: half as much again as there are
_FOLDER = "cifar-10-batches-bin"  # in which the archive has its files
_ARCHIVE = "cifar-10-binary.tar.gz"


def load_cifar10(classes: Sequence[str] | None = None) -> ImageData:
    """Load CIFAR-10: photographs of ten kinds of things, 32 x 32 in color, 50,000 to train and 10,000 to test.

    Taken from the files `*.bin` or `*.bin.gz` in `$SEQVISION_DATA_DIR/cifar10` or the cache, or in their folder
    cifar-10-batches-bin, else from the official archive, which is downloaded (170 MB) into the cache. A file whose name
    has "test" in it is of the test part, every other one of the training part: who has three of the five training files
    gets their 30,000 images. Names that begin with a dot are passed over.

    Args:
      classes: keep only these, numbered in this order: `("dog", "cat", "ship", "bird")`. None keeps all ten.

    Returns:
      An `ImageData` with x (N, 32, 32, 3) float32 in 0..1, y (N,) int32.

    Raises:
      OSError: if there are no files and the archive cannot be downloaded.
      ValueError: if a file is damaged or stands twice, one part is missing, or a class is not known.

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    places = [place for folder in folders("cifar10") for place in (folder, folder / _FOLDER)]
    given = next((files for place in places if (files := _bin_files(place))), None)
    if given is None:
        archive = fetch_file("cifar10", _ARCHIVE)
        train, test = _parts(archive, members_of(archive, _is_bin, _LARGEST))
    else:
        train, test = _parts(given[0].parent, {path.name: _content(path) for path in given})
    data = ImageData(train, test, CIFAR10_CLASSES)
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
    return _parse(str(path), _content(path))


def _content(path: Path) -> bytes:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"  # no label is 31
        raw.seek(0)
        try:
            with gzip.open(raw) if zipped else raw as file:
                content = file.read(_LARGEST + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is damaged or was not downloaded to its end ({error}): get it again") from None
    if len(content) > _LARGEST:
        raise ValueError(f"{path} holds more than {_LARGEST:,} bytes, which no file of CIFAR-10 does: get it again")
    return content


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
    return sorted(path for path in folder.glob("*") if _is_bin(path.name) and path.is_file())


def _is_bin(name: str) -> bool:
    return re.search(r"\.bin(\.gz)?$", name) is not None and not name.startswith(".")


def _parts(source: Path, contents: dict[str, bytes]) -> tuple[Arrays, Arrays]:
    """Tell the files of the training part from those of the test part, by their names; none may stand twice."""
    parts: tuple[list[tuple[np.ndarray, np.ndarray]], ...] = ([], [])
    seen: dict[tuple[bool, bytes], str] = {}
    for name, content in contents.items():
        test = "test" in Path(name).name.casefold()
        twin = seen.setdefault((test, hashlib.sha256(content).digest()), name)
        if twin != name:
            raise ValueError(f"{source}: {twin} and {name} hold the same images: remove one of them")
        parts[test].append(_parse(f"{source}: {name}", content))
    for part, name in zip(parts, ("data_batch_1.bin", "test_batch.bin"), strict=True):
        if not part:
            raise ValueError(f"{source} has no file such as {name}(.gz): put it there, or remove the others")
    return _arrays(parts[0]), _arrays(parts[1])


def _arrays(parts: list[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    images = np.empty((sum(len(labels) for _, labels in parts), _SIDE, _SIDE, _CHANNELS), np.float32)
    start = 0
    for pixels, labels in parts:
        np.divide(pixels, np.float32(255), out=images[start : start + len(labels)])
        start += len(labels)
    return Arrays(images, np.concatenate([labels for _, labels in parts]))
