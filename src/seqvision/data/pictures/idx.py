"""The idx format of the MNIST files, read with every declared size checked before memory is taken."""

import gzip
import math
import zlib
from os import PathLike
from pathlib import Path

import numpy as np

_GZIP_RATIO = 1032  # deflate cannot do better: at most 258 bytes for 2 bits
_LARGEST = 1 << 31  # bytes


def read_idx(path: str | PathLike[str], dimensions: int | None = None) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not.

    The format: two zero bytes, the type (8: unsigned bytes, the only one read here), the number of dimensions, each
    size as a big-endian 32-bit number, the values.

    Args:
      path: the file.
      dimensions: how many dimensions there must be; None takes any from 1 to 4.

    Returns:
      The values, uint8.

    Raises:
      ValueError: if the file is no such file, is damaged, or holds less or more than it declares.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    ...     file.flush()
    ...     read_idx(file.name).tolist()
    [7, 8, 9]
    """
    path = Path(path)
    stored = path.stat().st_size
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            return _parse(path, gzip.open(raw) if zipped else raw, stored * (_GZIP_RATIO if zipped else 1), dimensions)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is damaged or was not downloaded to its end ({error}): get it again") from None


def _parse(path: Path, file, at_most: int, dimensions: int | None) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != 8 or not 1 <= magic[3] <= 4:
        raise ValueError(
            f"{path} is no idx file of bytes: it begins with {magic.hex(' ')}, not with 00 00 08 and 01-04"
        )
    if dimensions is not None and magic[3] != dimensions:
        raise ValueError(
            f"{path} has {magic[3]} dimensions where {dimensions} are expected: are images and labels mixed up?"
        )
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise ValueError(f"{path} ends within its header: get it again")
    shape = tuple(int.from_bytes(header[4 * k : 4 * k + 4]) for k in range(magic[3]))
    size = math.prod(shape)
    if size > min(at_most, _LARGEST):
        raise ValueError(f"{path} declares {size} values of shape {shape}, more than its file can hold: get it again")
    values = file.read(size + 1)
    if len(values) != size:
        found = "more" if len(values) > size else f"only {len(values)}"
        raise ValueError(f"{path} declares {size} values of shape {shape} but holds {found}: get it again")
    return np.frombuffer(values, np.uint8).reshape(shape)
