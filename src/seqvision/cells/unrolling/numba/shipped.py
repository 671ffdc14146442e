"""The compiled kernels that the package brings along, and whether they are what its sources say.

In the folder ``objects`` there are, made by `seqvision.cells.unrolling.numba.build`: a library for each instruction
set of Linux on x86-64, which needs nothing else; what LLVM compiles for other machines; and a manifest with the
SHA-256 of each and the digest of the sources. Sources that were edited since are compiled instead, by numba.
"""

import ctypes
import functools
import hashlib
import json
import logging
import platform
import sys
import zipfile
from pathlib import Path
from typing import Any

from .processor import AVX2, AVX512, features, lanes

logger = logging.getLogger(__name__)

ROOM = Path(__file__).parent
FOLDER = ROOM / "objects"
MANIFEST = "manifest.json"
LIBRARIES = {"x86-64-v3.so": (8, AVX2), "x86-64-v4.so": (16, AVX512)}  # floats of a vector, what the processor needs
BITCODE = "lanes-8.zip"  # a file a handler
WORD = 8  # bytes that all those machines take an address for, little end first


@functools.cache
def digest() -> str:
    """Return that of the sources of the kernels.

    >>> len(digest())
    64
    """
    total = hashlib.sha256()
    for path in sorted((ROOM / "kernels").glob("*.py")):
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


@functools.cache
def library() -> Any:
    """Return the library for this processor, with a C function of the name of each handler; None: there is none."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    name = next((n for n, (width, needs) in LIBRARIES.items() if width == lanes() and needs <= features()), None)
    if name is None or content(name) is None:
        return None
    try:
        return ctypes.CDLL(str(FOLDER / name))
    except OSError as error:  # a file system that forbids to run its files
        logger.warning("kernels are compiled here, since %s cannot be loaded: %s", FOLDER / name, error)
        return None


def has_bitcode() -> bool:
    """Whether there is what LLVM compiles for a machine like this one.

    >>> has_bitcode() in (True, False)
    True
    """
    is_like_them = sys.byteorder == "little" and ctypes.sizeof(ctypes.c_void_p) == WORD
    return is_like_them and lanes() == 8 and content(BITCODE) is not None


def bitcode(handler_name: str) -> bytes:
    """Return what LLVM compiles, for one handler."""
    with zipfile.ZipFile(FOLDER / BITCODE) as pack:
        return pack.read(handler_name)


@functools.cache
def content(name: str) -> bytes | None:
    """Return what stands in a file, if it is the one that was made of these sources."""
    manifest = _manifest()
    if manifest.get("sources") != digest():
        return None
    try:
        found = (FOLDER / name).read_bytes()
    except OSError:
        return None
    if manifest["sha256"].get(name) != hashlib.sha256(found).hexdigest():
        logger.warning("%s is not the file that seqvision came with: install it again", FOLDER / name)
        return None
    return found


@functools.cache
def _manifest() -> dict[str, Any]:
    try:
        return json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
