"""manifest.json: the SHA-256 of every file that a run wrote, so that a changed one is refused by name."""

import hashlib
import json
import os
from pathlib import Path

NAME = "manifest.json"
FREE = (".png", ".svg", ".pdf", ".partial")  # pictures may be touched up, what a killed process left is passed over
ALWAYS = (
    "config.json",
    "data.json",
    "images.json",
    "summary.json",
    "parameters.npz",
)  # what later commands compute with


def record_files(folder: Path, names: list[str] | None = None) -> None:
    """Write the hashes of some files, by default of all that are there, into the manifest of a folder.

    Pictures, STATUS and files in subfolders are not recorded.
    """
    if names is None:
        names = sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix not in FREE)
        names = [name for name in names if name not in (NAME, "STATUS")]
    known = _read(folder) if (folder / NAME).exists() else {}
    known |= {name: _hash(folder / name) for name in names}
    temporary = folder / f"{NAME}.partial"
    temporary.write_text(json.dumps({"sha256": known}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(folder / NAME)


def check_files(folder: Path) -> None:
    """Refuse a folder of which a file is not what the run wrote; files that the run did not write are not looked at.

    A file that is gone is missed by what needs it.

    Raises:
      ValueError: naming the file.
    """
    if not (folder / NAME).is_file():
        raise ValueError(f"{folder} has no {NAME}: restore it from a copy of the run, or train again")
    known = _read(folder)
    for name, expected in known.items():
        if (folder / name).is_file() and _hash(folder / name) != expected:
            raise ValueError(
                f"{folder / name} is not what the run wrote (its SHA-256 differs from that in {NAME}): "
                "restore it from a copy, or train again"
            )
    for name in ALWAYS:
        if (folder / name).exists() and name not in known:
            raise ValueError(f"{folder / name} is not in {NAME}: the run did not write it")


def _read(folder: Path) -> dict[str, str]:
    path = folder / NAME
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["sha256"]
        plain = all(isinstance(sign, str) and os.path.basename(name) == name for name, sign in known.items())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}): restore it from a copy of the run, or train again") from error
    if not plain:
        raise ValueError(f"{path} is damaged (not a table of names and hashes): restore it from a copy, or train again")
    return known


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
