"""manifest.json: size and SHA-256 of every file of a folder, so that one that changed or is gone is refused by name."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from seqvision.storage.whole_files import write_file

MANIFEST = "manifest.json"
SCHEMA = 1  # of the manifest itself; a change that older versions cannot read is a new number
# Pictures may be touched up, pages made anew, and what a killed process left is passed over.
FREE = (".png", ".svg", ".pdf", ".html", ".partial")
UNRECORDED = (MANIFEST, "STATUS")

Files = dict[str, dict[str, Any]]  # name -> {"bytes": size, "sha256": hash}


def record_files(folder: str | os.PathLike[str], names: Iterable[str] | None = None) -> None:
    """Write size and hash of some files into the manifest of a folder, by default of all that are there.

    Args:
      folder: where the files and the manifest are.
      names: relative to it, with ``/`` between folders. By default the files in the folder itself, without pictures,
        pages and STATUS, and what the manifest had before of subfolders and is still there. The manifest of a subfolder
        stands for all that it lists.

    Raises:
      FileNotFoundError: for a name without a file.
      ValueError: if there is a manifest that is damaged.
    """
    folder = Path(folder)
    known = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    if names is None:
        known = {name: entry for name, entry in known.items() if (folder / name).is_file()}
        there = sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix not in FREE)
        names = [name for name in there if name not in UNRECORDED]
    known |= {name: {"bytes": (folder / name).stat().st_size, "sha256": _hash(folder / name)} for name in names}
    write_file(folder / MANIFEST, _text(known))


def check_files(
    folder: str | os.PathLike[str], *, needed: Iterable[str] = (), only: Iterable[str] | None = None
) -> None:
    """Refuse a folder of which a file is not what was recorded; files that were not recorded are not looked at.

    Args:
      folder: with a manifest; those of subfolders that it lists are checked with theirs.
      only: look at these alone, where they are recorded.
      needed: files that may not be there without being recorded, since something is computed with them.

    Raises:
      ValueError: naming the file that is missing, truncated, changed or not recorded.
    """
    folder = Path(folder)
    known = read_manifest(folder)
    looked_at = known.keys() if only is None else known.keys() & {*only}
    for name in sorted(looked_at):
        path, entry = folder / name, known[name]
        if not os.path.isfile(path):  # False for names that cannot be
            raise ValueError(f"{path} is missing, which {MANIFEST} lists: {_REMEDY}")
        size = path.stat().st_size
        if size != entry["bytes"]:
            kind = "is truncated" if size < entry["bytes"] else "has grown"
            raise ValueError(f"{path} is not what was written ({kind}: {size} of {entry['bytes']} bytes): {_REMEDY}")
        if _hash(path) != entry["sha256"]:
            raise ValueError(f"{path} is not what was written (its SHA-256 differs from that in {MANIFEST}): {_REMEDY}")
        if path.name == MANIFEST:
            check_files(path.parent)
    for name in needed:
        if (folder / name).exists() and name not in known:
            raise ValueError(f"{folder / name} is not in {MANIFEST}: it was not written with the others")


def read_manifest(folder: str | os.PathLike[str]) -> Files:
    """Return what is recorded of a folder: name -> {"bytes": size, "sha256": hash}.

    Raises:
      ValueError: if there is no manifest, it is damaged in any byte, or a newer version wrote it.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise ValueError(f"{folder} has no {MANIFEST}: {_REMEDY}")
    content = path.read_bytes()
    try:
        told = json.loads(content.decode("utf-8"))
        check_schema(path, told["schema"], SCHEMA)
        files = told["files"]
        whole = _plain(files) and _text(files).encode() == content
    except NewerSchemaError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}): {_REMEDY}") from error
    if not whole:
        raise ValueError(f"{path} is damaged (not the table of names and hashes that was written): {_REMEDY}")
    return files


class NewerSchemaError(ValueError):
    """A file was written by a newer version of this library."""


def check_schema(path: str | os.PathLike[str], schema: Any, known: int) -> None:
    """Refuse the schema of a file that a newer version wrote.

    Raises:
      NewerSchemaError: naming the file.
      ValueError: for what is no schema.

    >>> check_schema("manifest.json", 2, 1)
    Traceback (most recent call last):
    seqvision.storage.manifest.NewerSchemaError: manifest.json was written by a newer seqvision (schema 2, this ...
    """
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise ValueError(f"{path} is damaged: its schema must be an int >= 1, got {schema!r:.100}")
    if schema > known:
        raise NewerSchemaError(
            f"{path} was written by a newer seqvision (schema {schema}, this one reads up to {known}): update it with "
            "pip install --upgrade seqvision"
        )


_REMEDY = "restore it from a copy, or train again"


def _text(files: Mapping[str, Any]) -> str:
    """Return the one text of a manifest; its own hash finds what changes in the table."""
    table = json.dumps(files, sort_keys=True)
    own = hashlib.sha256(f"{SCHEMA} {table}".encode()).hexdigest()
    return json.dumps({"schema": SCHEMA, "files": dict(sorted(files.items())), "sha256": own}, indent=2) + "\n"


def _plain(files: Any) -> bool:
    """Whether this is a table of names inside the folder and what was recorded of each."""
    return isinstance(files, dict) and all(_inside(name) and _entry(entry) for name, entry in files.items())


def _inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        bool(parts) and "/".join(parts) == name and not {"..", "."} & {*parts} and not any(c in name for c in "\\:\0")
    )


def _entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"bytes", "sha256"}
        and type(entry["bytes"]) is int
        and isinstance(entry["sha256"], str)
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
