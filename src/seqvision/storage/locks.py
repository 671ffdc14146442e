"""One process writes into a folder at a time; the lock of one that was killed is free again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # no lock where the system has none of this kind
    fcntl = None  # type: ignore[assignment]

NAME = "lock"


@contextmanager
def lock_folder(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold a folder, made if it is not there, within a block.

    Raises:
      ValueError: if another process holds it, or this one does so already.
      OSError: naming the folder, if it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, lock_folder(folder), lock_folder(folder):
    ...     pass
    Traceback (most recent call last):
    ValueError: ... is in use by another process: wait for its end, or choose another folder
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with (path / NAME).open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"{path} is in use by another process: wait for its end, or choose another folder"
                ) from None
        yield
