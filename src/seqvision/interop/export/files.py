"""The folder of an exported model: the model, what goes in and comes out, rows to try, and a program that uses it."""

import io
import os
import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqvision import __version__
from seqvision.storage import json_text, record_files, write_file

from .agreement import Agreement
from .program import Program

SIGNATURE = "signature.json"
KEPT = 16  # rows that are kept to try the model on


@dataclass(frozen=True)
class Export:
    """An exported model in its folder.

    ``model.*`` is the model, ``signature.json`` says what goes in and comes out, ``example.npz`` has rows
    and what the model says of them, ``use.py`` runs it on those without this library, ``manifest.json`` has hashes.
    """

    folder: Path
    file: Path  # the model
    signature: dict[str, Any]
    snippet: str  # the text of use.py
    agreement: Agreement | None  # None for weights alone

    @property
    def text(self) -> str:
        """What a script prints."""
        sides = []
        for side in ("inputs", "outputs"):
            for one in self.signature.get(side, ()):
                shape = ", ".join(map(str, one["shape"]))
                sides.append(f"  {side[:-1]} {one['name']} ({shape}) {one['dtype']}" + _unit(one))
        size = self.file.stat().st_size
        lines = [f"{self.file}: {size:,} bytes", *sides]
        lines += [] if self.agreement is None else [self.agreement.text()]
        told = [self.signature.get("verdict"), *self.signature.get("notes", ())]
        lines += [line for sentence in told if sentence for line in textwrap.wrap(sentence, 110)]
        return "\n".join([*lines, "", shlex.join(["python", str(self.folder / "use.py")]), "", self.snippet.rstrip()])

    def to_dict(self) -> dict[str, Any]:
        """Return the folder and what signature.json says."""
        return {"folder": str(self.folder), **self.signature}


def check_folder(owner: str, folder: str | os.PathLike[str]) -> Path:
    """Return a folder that can be written: new, empty, or one of an earlier export; before anything is computed.

    Raises:
      ValueError: for a folder that holds something else.
      OSError: if it cannot be written.
    """
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{owner}: {path} is a file: name a folder")
    if path.is_dir() and any(path.iterdir()) and not (path / SIGNATURE).is_file():
        raise ValueError(f"{owner}: {path} holds other files: name a new folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
        trial = path / f"{SIGNATURE}.partial"
        trial.write_text("")
        trial.unlink()
    except OSError as error:
        raise type(error)(f"{owner}: cannot write {path}: {error}: name another folder") from error
    return path


def write_export(
    folder: Path,
    *,
    kind: str,
    name: str,
    content: bytes,
    program: Program | None,
    agreement: Agreement | None,
    snippet: str,
    about: Mapping[str, Any] | None,
    details: Mapping[str, Any] | None = None,
) -> Export:
    """Write every file of an export, the manifest last."""
    signature: dict[str, Any] = {"format": kind, "schema": 1, "seqvision": __version__, "file": name}
    signature |= program.describe() if program is not None else {}
    described = dict(about or {})
    for side in ("inputs", "outputs"):
        for one in signature.get(side, ()):
            one |= described.get(side, {}).get(one["name"], {})
    signature |= {key: value for key, value in described.items() if key not in ("inputs", "outputs")}
    signature |= dict(details or {})
    if agreement is not None:
        signature["agreement"] = agreement._asdict()
    write_file(folder / name, content)
    write_file(folder / "use.py", snippet)
    names = [name, "use.py"]
    if program is not None:
        kept = program.examples | dict(zip(program.outputs, program.expected, strict=True))
        rows = io.BytesIO()
        np.savez(rows, **{key: array[:KEPT] for key, array in kept.items()})  # type: ignore[arg-type]
        write_file(folder / "example.npz", rows.getvalue())
        names.append("example.npz")
    write_file(folder / SIGNATURE, json_text(signature) + "\n")
    record_files(folder, [*names, SIGNATURE])
    return Export(folder, folder / name, signature, snippet, agreement)


def _unit(one: Mapping[str, Any]) -> str:
    return f": {one['meaning']}" if one.get("meaning") else ""
