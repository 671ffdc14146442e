"""A folder of images, one subfolder a class, or such a folder for each part."""

from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqvision._checks import check_flag
from seqvision.data.arrays import Arrays
from seqvision.data.pictures.folder_layout import read_layout
from seqvision.data.pictures.image_arrays import Channels, Picture, image_to_array, read_picture
from seqvision.data.pictures.picture_modes import check_size
from seqvision.data.stream import Stream


class ImageFolder(NamedTuple):
    """The images of a folder, class by class."""

    data: Any  # Arrays, or a Stream: x (N, H, W, C) float32 in 0..1, y (N,) int32
    classes: tuple[str, ...]  # the subfolders' names, in natural order
    paths: tuple[Path, ...]  # (N,) where each image came from
    parts: dict[str, np.ndarray]  # "train", "validation", "test" -> rows; empty if the folder has no parts
    sizes: np.ndarray | None = None  # (N, 2) height and width of the files' pictures, upright; None for a stream


def load_image_folder(
    folder: str | PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    channels: Channels = 3,
    stream: bool = False,
) -> ImageFolder:
    """Load the images of a folder with one subfolder a class, or with parts (train, test) that have one each.

    Classes and files come in natural order (img2 before img10), whatever the file system says. Files that are no
    pictures are passed over and named in a log line, and so is what begins with a dot; subfolders of a class belong to
    it. Parts are told by their names: train, training; test, testing; val, valid, validation; also with _set behind,
    and in capitals.

    Args:
      folder: the folder of the classes' folders, or of the parts'.
      size: (height, width) to resize to, or one int for both; None if all have the same size already.
      channels: 3 for color, 1 for gray.
      stream: leave the images in their files, to be read batch by batch as a `Stream` whose source has the ``labels``.

    Returns:
      The images, the classes' names, the paths, and the rows of each part. Without parts
      `stratified_split(data.y)` makes training and test rows, of a stream ``stratified_split(data.source.labels)``, for
      ``Stream(data.source, rows=train)``.

    Raises:
      FileNotFoundError: if there is no such folder.
      ValueError: if a file is damaged (naming it), sizes differ and none is given, a class has no image, there is
        only one class, or parts have other classes.

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
    check_flag("stream", stream, owner="load_image_folder")
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (gray) or 3 (color), got {channels!r}: transparency is dropped")
    classes, paths, labels, parts = read_layout(Path(folder))
    rows = ImageFiles(paths, labels, check_size(size), channels)
    if stream:
        return ImageFolder(Stream(rows), classes, paths, parts)
    images, sizes = _read_all(rows)
    return ImageFolder(Arrays(images, labels), classes, paths, parts, sizes)


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
        return self.picture(row).pixels

    def picture(self, row: int) -> Picture:
        """Read an image as `read` does, with the size that it has in its file."""
        picture = read_picture(self.paths[row], size=self.size, channels=self.channels)
        image = picture.pixels
        if image.shape != self._shape:
            height, width, _ = self._shape
            raise ValueError(
                f"{self.paths[row]} is {image.shape[0]} x {image.shape[1]} pixels, but {self.paths[0]} is {height} x "
                f"{width}: say size={height} (or another height and width) to have all resized"
            )
        return picture

    @cached_property
    def _shape(self) -> tuple[int, ...]:
        return image_to_array(self.paths[0], size=self.size, channels=self.channels).shape


def _read_all(files: ImageFiles) -> tuple[np.ndarray, np.ndarray]:
    first = files.read(0)
    try:
        images = np.empty((len(files), *first.shape), np.float32)
    except MemoryError:
        raise ValueError(
            f"{len(files)} images of shape {first.shape} do not fit into memory: say stream=True, or a smaller size"
        ) from None
    sizes = np.empty((len(files), 2), np.int64)
    for row in range(len(files)):
        images[row], *sizes[row] = files.picture(row)
    return images, sizes
