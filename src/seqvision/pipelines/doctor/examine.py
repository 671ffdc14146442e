"""All that is looked at, one after another; what cannot be looked at is a finding too."""

import os
from collections.abc import Callable, Iterator

from .computing import check_devices, check_kernels, check_known_bugs, check_precision, check_versions
from .findings import Examination, Finding
from .keeping import check_caches, check_disk


def examine(out: str | os.PathLike[str] = "runs") -> Examination:
    """Look at versions, devices, precision, known bugs, compiled kernels, caches and the disk of the run folders.

    Args:
      out: folder in which run folders are made.
    """
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "versions": check_versions,
        "devices": check_devices,
        "precision": check_precision,
        "known bugs": check_known_bugs,
        "kernels": check_kernels,
        "caches": check_caches,
        "run folders": lambda: check_disk(out),
    }
    return Examination(tuple(finding for about, check in checks.items() for finding in _found(about, check)))


def _found(about: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    found = []
    try:
        for finding in check():
            found.append(finding)
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        found.append(Finding(about, "wrong", f"cannot be looked at: {type(error).__name__}: {text}"))
    return found
