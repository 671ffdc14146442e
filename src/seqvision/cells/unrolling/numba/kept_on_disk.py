"""What was compiled on this machine, kept on disk: read again only as it was written, and from no folder of others."""

import contextlib
import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)


def folder() -> Path:
    """Return where compiled kernels are kept: ``$XDG_CACHE_HOME/seqvision/kernels``, or the same in ``~/.cache``.

    >>> folder().name
    'kernels'
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "seqvision", "kernels")


def kept(name: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return what ``make`` gives, or what it gave an earlier process for the same key.

    A file that is damaged, or not the one that was written, is made anew: what stands in it would run as you. It
    begins with its seal, which no other key has.
    """
    place = folder()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # no folder that can be written
        return make()
    if _is_writable_by_others(place):
        logger.warning(
            "kernels are compiled anew in every process, since others can write to %s: chmod go-w %s, or set "
            "XDG_CACHE_HOME to a folder of your own",
            place,
            place,
        )
        return make()
    path = place / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    with contextlib.suppress(OSError):
        seal, _, found = path.read_bytes().partition(b"\n")
        if seal == _seal(key, found):
            return found
    made = make()
    with contextlib.suppress(OSError):  # else the next process makes it again
        handle, beside = tempfile.mkstemp(dir=place)
        with os.fdopen(handle, "wb") as file:
            file.write(_seal(key, made) + b"\n" + made)
        os.replace(beside, path)
    return made


def _seal(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\n" + content).hexdigest().encode()


def _is_writable_by_others(place: Path) -> bool:
    if os.name != "posix":
        return False
    found = place.stat()
    return found.st_uid not in (0, os.getuid()) or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
