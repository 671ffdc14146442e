"""What numba compiled, kept on disk: read again only as it was written, and from no folder that others can write."""

import contextlib
import hashlib
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import cfunc
from numba.core.caching import FunctionCache

logger = logging.getLogger(__name__)


def compiled_once(signature: Any, function: Callable) -> Any:
    """Return a C function, compiled by numba or as a process before this one left it in numba's folder.

    A file that is damaged, or not the one that was written, is compiled anew: what stands in it would run as you.
    """
    try:
        folder = Path(FunctionCache(function).cache_path)
    except (OSError, RuntimeError):  # no folder that can be written
        return cfunc(signature)(function)
    if _is_writable_by_others(folder):
        logger.warning(
            "kernels are compiled anew in every process, since others can write to %s: chmod go-w %s, or set "
            "NUMBA_CACHE_DIR to a folder of your own",
            folder,
            folder,
        )
        return cfunc(signature)(function)
    seal = folder / f"{Path(function.__code__.co_filename).stem}.sha256"
    if not seal.is_file() or seal.read_text(encoding="utf-8", errors="replace") != _digest(folder, seal.stem):
        _remove(folder, seal.stem)
    try:
        kept = cfunc(signature, cache=True)(function)
    except Exception:  # whatever reading a damaged file raises; an error of the function itself comes again
        _remove(folder, seal.stem)
        kept = cfunc(signature, cache=True)(function)
    with contextlib.suppress(OSError):  # else the next process compiles again
        seal.write_text(_digest(folder, seal.stem), encoding="utf-8")
    return kept


def _is_writable_by_others(folder: Path) -> bool:
    if os.name != "posix" or not folder.exists():
        return False
    found = folder.stat()
    return found.st_uid not in (0, os.getuid()) or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _files(folder: Path, name: str) -> list[Path]:
    return sorted(path for kind in ("nbi", "nbc") for path in folder.glob(f"{name}.*.{kind}"))


def _digest(folder: Path, name: str) -> str:
    digest = hashlib.sha256()
    for path in _files(folder, name):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _remove(folder: Path, name: str) -> None:
    for path in _files(folder, name):
        path.unlink(missing_ok=True)
