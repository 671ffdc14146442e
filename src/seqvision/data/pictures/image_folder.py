"""A folder of images, one subfolder a class."""

import re
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqvision.data.arrays import Arrays
from seqvision.data.pictures.image_arrays import Channels, image_to_array
from seqvision.data.stream import Stream


class ImageFolder(NamedTuple):
    """The images of a folder, class by class."""

    data: Any  # Arrays, or a Stream: x (N, H, W, C) float32 in 0..1, y (N,) int32
    classes: tuple[str, ...]  # the subfolders' names, in natural order
    paths: tuple[Path, ...]  # (N,) where each image came from


def load_image_folder(
    folder: str | PathLike[str], *, size: tuple[int, int] | None = None, channels: Channels = 3, stream: bool = False
) -> ImageFolder:
    """Load the images of a folder with one subfolder a class.

    Classes and files come in natural order (img2 before img10), whatever the file system says. Files whose names do not
    end as those of images are passed over, and so is what begins with a dot; subfolders of a class belong to it.

    Args:
      folder: the folder of the classes' folders.
      size: (height, width) to resize to; None if all have the same size already.
      channels: 3 for color, 1 for gray.
      stream: leave the images in their files, to be read batch by batch as a `Stream` whose source has the ``labels``.

    Returns:
      The images, the classes' names, and the paths; `stratified_split(data.y)` makes training and test rows, of a
      stream ``stratified_split(data.source.labels)``, for ``Stream(data.source, rows=train)``.

    Raises:
      FileNotFoundError: if there is no such folder.
      ValueError: if a file is damaged (naming it), sizes differ and none is given, a class has no image, or there is
        only one class.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat/2.png", "cat/10.png", "dog/1.png"):
    ...         (Path(folder) / name).parent.mkdir(exist_ok=True)
    ...         Image.new("L", (4, 4)).save(Path(folder) / name)
    ...     images = load_image_folder(folder)
    >>> images.data.x.shape, images.classes, [path.name for path in images.paths]
    ((3, 4, 4, 3), ('cat', 'dog'), ['2.png', '10.png', '1.png'])
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    files = {name: _images_in(root / name) for name in _class_names(root)}
    for name, paths in files.items():
        if not paths:
            raise ValueError(f"class {name!r}: {root / name} has no image: fill the folder or remove it")
    images = tuple(path for each in files.values() for path in each)
    labels = np.repeat(np.arange(len(files)), [len(each) for each in files.values()])
    rows = ImageFiles(images, labels, size, channels)
    return ImageFolder(Stream(rows) if stream else Arrays(_read_all(rows), labels), tuple(files), images)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images in files, read when they are asked for: row i is (image, label)."""

    paths: tuple[Path, ...]
    labels: np.ndarray  # (N,)
    size: tuple[int, int] | None
    channels: Channels

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[np.ndarray, np.integer]:
        return self.read(row), self.labels[row]

    def read(self, row: int) -> np.ndarray:
        """Read an image (H, W, C), which must be as large as the first."""
        image = image_to_array(self.paths[row], size=self.size, channels=self.channels)
        if image.shape != self._shape:
            height, width, _ = self._shape
            raise ValueError(
                f"{self.paths[row]} is {image.shape[0]} x {image.shape[1]} pixels, but {self.paths[0]} is {height} x "
                f"{width}: say size=(height, width) to have all resized"
            )
        return image

    @cached_property
    def _shape(self) -> tuple[int, ...]:
        return image_to_array(self.paths[0], size=self.size, channels=self.channels).shape


def _class_names(root: Path) -> list[str]:
    names = sorted((p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")), key=natural_key)
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        raise ValueError(
            f"{root} must have one subfolder for each of at least two classes, but has {found}: "
            "give the folder above the classes' folders"
        )
    return names


def _images_in(folder: Path) -> list[Path]:
    from PIL import Image

    known = Image.registered_extensions()
    found = [p for p in folder.rglob("*") if p.suffix.lower() in known and p.is_file()]
    inside = [(p.relative_to(folder), p) for p in found]
    return [p for part, p in sorted(inside, key=lambda pair: natural_key(str(pair[0]))) if not _hidden(part)]


def _hidden(part: Path) -> bool:
    return any(name.startswith(".") for name in part.parts)


def _read_all(files: ImageFiles) -> np.ndarray:
    first = files.read(0)
    images = np.empty((len(files), *first.shape), np.float32)
    for row in range(len(files)):
        images[row] = files.read(row)
    return images


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names as people do, numbers by their value.

    >>> sorted(["img10", "img2", "IMG1"], key=natural_key)
    ['IMG1', 'img2', 'img10']
    """
    parts = re.findall(r"\d+|\D+", name)
    key = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts)
    return (*key, (-1, 0, name))  # names that differ in case only keep one order
