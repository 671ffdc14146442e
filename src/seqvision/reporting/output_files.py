"""Files that a user asks for: checked before anything is computed, written whole, in the form of their ending."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seqvision.storage import json_text, write_file

TABLES = (".csv", ".json")
PICTURES = (".png", ".svg", ".pdf")
PAGES = (".html", ".htm")


def check_output(path: str | os.PathLike[str] | None, endings: Sequence[str] = TABLES, *, name: str = "output") -> None:
    """Refuse a file that could not be written, before what it is to hold is computed; make its folder.

    Args:
      path: the file, or None where none is wanted.
      endings: the forms there are.
      name: of the argument, for the error.

    Raises:
      ValueError: if its ending says no form.
      OSError: naming it, if it cannot be written.

    >>> check_output("next.xls")
    Traceback (most recent call last):
    ValueError: output='next.xls' has to end in .csv or .json, which says what is written
    """
    if path is None:
        return
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"cannot write {file}: it is a folder")
    if file.suffix.lower() not in endings:
        forms = " or ".join(endings) if len(endings) < 3 else f"{', '.join(endings[:-1])} or {endings[-1]}"
        raise ValueError(f"{name}={str(path)!r} has to end in {forms}, which says what is written")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(f"cannot write {file}: its folder cannot be made ({error})") from error
    if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise PermissionError(f"cannot write {file}: permission denied")


def write_table(path: str | os.PathLike[str], table: pd.DataFrame, document: Any = None) -> None:
    """Write a table, whole or not at all: CSV with ISO dates, nine significant digits and no index; or JSON.

    Args:
      path: ends in .json for JSON; anything else is CSV.
      table: what is written.
      document: what JSON holds; the default is one record a row.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(Path(folder, "t.json"), pd.DataFrame({"a": [1.5, float("nan")]}))
    ...     Path(folder, "t.json").read_text().split()
    ['[', '{', '"a":', '1.5', '},', '{', '"a":', 'null', '}', ']']
    """
    if Path(path).suffix.lower() == ".json":
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        write_file(path, json_text(records if document is None else document) + "\n")
    else:
        write_file(path, table.to_csv(index=False, float_format="%.9g"))
