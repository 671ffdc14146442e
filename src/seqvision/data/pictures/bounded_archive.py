"""Files out of a zipped tar archive, read with a bound on what it unpacks to."""

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def members_of(path: Path, wanted: Callable[[str], bool], most: int) -> dict[str, bytes]:
    """Read files of a zipped tar archive, in the order they come; nothing is written to the disk.

    Args:
      path: the archive.
      wanted: name of a member without its folders -> whether it is read.
      most: bytes that all of the archive may unpack to.

    Returns:
      The content of each wanted member by its name.

    Raises:
      ValueError: naming the archive, if it is damaged, unpacks to more, or has links or members that lie outside.
    """
    found: dict[str, bytes] = {}
    try:
        with gzip.open(path) as unpacked:
            bounded: Any = _Bounded(unpacked, most)
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                problem = ""
                for member in archive:
                    problem = _problem(member, most)
                    if problem:
                        break
                    file = archive.extractfile(member) if wanted(Path(member.name).name) else None
                    if file is not None:
                        found[member.name] = file.read()
    except Exception as error:  # damaged headers raise nearly anything
        problem = str(error) or type(error).__name__
    if problem:
        raise ValueError(f"{path} is damaged or not the archive that was meant ({problem}): get it again")
    return found


def _problem(member: tarfile.TarInfo, most: int) -> str:
    """Say what is wrong with a member of an archive, if anything is."""
    if member.name.startswith("/") or ".." in Path(member.name).parts:
        return f"its member {member.name!r} would lie outside"
    if not (member.isfile() or member.isdir()) or member.issparse():
        return f"its member {member.name!r} is neither file nor folder"
    if member.size > most:
        return f"its member {member.name!r} would be {member.size:,} bytes"
    return ""


class _Bounded:
    """A file of which no more than so many bytes are read."""

    def __init__(self, file: Any, most: int):
        self._file, self._left, self._most = file, most, most

    def read(self, size: int) -> bytes:
        content: bytes = self._file.read(min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {self._most:,} bytes")
        return content
