"""Can what is computed be kept: caches, their sizes and permissions, the disk of the run folders."""

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from seqvision.training import compilation_cache_folder

from .findings import Finding

_SIZE = 32 * 2**20  # bytes that are written to see how fast the disk is
_LEAST_FREE = 2**30


def check_caches() -> Iterator[Finding]:
    """Tell where caches are, how large, and whether they can be written by you alone.

    >>> {finding.about for finding in check_caches()} >= {"compiled programs"}
    True
    """
    programs = compilation_cache_folder()
    folders = {"compiled programs": programs, "data sets": programs.parent if programs.name == "xla" else None}
    if given := os.environ.get("SEQVISION_DATA_DIR"):
        folders["SEQVISION_DATA_DIR"] = Path(given)
    for about, folder in folders.items():
        if folder is not None:
            yield _cache(about, folder, others_may_not=about == "compiled programs", without=programs)


def _cache(about: str, folder: Path, *, others_may_not: bool, without: Path) -> Finding:
    if not folder.exists():
        if about == "SEQVISION_DATA_DIR":
            return Finding(about, "wrong", f"{folder} does not exist", "make it, or unset the variable")
        above = next(parent for parent in folder.parents if parent.exists())
        if not os.access(above, os.W_OK):
            return Finding(about, "wrong", f"{folder} cannot be made", f"let {above} be written, or set XDG_CACHE_HOME")
        return Finding(about, "well", f"{folder}, which is made when it is needed")
    files = [
        path for path in folder.rglob("*") if path.is_file() and (folder == without or without not in path.parents)
    ]
    told = f"{folder}, {len(files)} files, {sum(path.stat().st_size for path in files) / 2**20:.1f} MiB"
    if others_may_not and os.name == "posix" and folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding(about, "wrong", f"{told}; others can write what would run as you", f"chmod go-w {folder}")
    if not os.access(folder, os.W_OK):
        state = "wrong" if others_may_not else "told"
        return Finding(about, state, f"{told}; it cannot be written", f"chmod u+w {folder}")  # type: ignore[arg-type]
    return Finding(about, "well", told)


def check_disk(out: str | os.PathLike[str]) -> Iterator[Finding]:
    """Write a file where run folders are made, and take it away again.

    Args:
      out: that folder; what does not exist of it is not made.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [finding.about for finding in check_disk(folder)]
    ['run folders', 'free space']
    """
    folder = Path(out).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    file = there / f".seqvision-doctor-{os.getpid()}.partial"
    try:
        begin = time.perf_counter()
        with file.open("wb") as written:
            written.write(os.urandom(2**20) * (_SIZE // 2**20))
            written.flush()
            os.fsync(written.fileno())
        seconds = time.perf_counter() - begin
    except OSError as error:
        yield Finding("run folders", "wrong", f"{out} cannot be written: {error}", "choose another with --out")
        return
    finally:
        if there.is_dir():
            file.unlink(missing_ok=True)
    speed = _SIZE / 2**20 / seconds
    slow = speed < 5
    remedy = "a local disk is faster: --out" if slow else ""
    yield Finding("run folders", "told" if slow else "well", f"{out} takes {speed:.0f} MiB a second", remedy)
    free = shutil.disk_usage(there).free
    few = free < _LEAST_FREE
    remedy = "delete what is not needed" if few else ""
    yield Finding("free space", "wrong" if few else "well", f"{free / 2**30:.1f} GiB", remedy)
