"""A file appears whole or not at all, whatever stops the process that writes it."""

import os
from pathlib import Path


def write_file(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a text, in UTF-8, or bytes: into NAME.partial, to the disk, and only then under its name.

    Raises:
      OSError: naming the file; what stood there before still does.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder, "notes.txt"), "Ngày")
    ...     [(file.name, file.read_text("utf-8")) for file in Path(folder).iterdir()]
    [('notes.txt', 'Ngày')]
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.partial")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
