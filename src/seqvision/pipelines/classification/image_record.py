"""What a run keeps of its images, so that it is never judged on rows that it was trained on, or under other labels."""

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqvision.data import Arrays

logger = logging.getLogger(__name__)

RECORD = "images.json"
_DIGITS = 32  # of a SHA-256 in hexadecimal


def record_files(
    names: Sequence[str], paths: Sequence[Path], classes: Sequence[str], parts: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Return the classes, and each file with its content's hash and the part that it is in; warn of twins across parts.

    Args:
      names: (N,) what to call the files.
      paths: (N,) the files.
      classes: names of the classes.
      parts: part -> its rows.
    """
    places = np.full(len(paths), "", dtype=object)
    for part, rows in parts.items():
        places[rows] = part
    hashes = [content_hash(path) for path in paths]
    _warn_of_twins(names, hashes, places)
    files = {name: [digest, place] for name, digest, place in zip(names, hashes, places, strict=True)}
    return {"classes": list(classes), "files": files}


def name_of(path: Path) -> str:
    """Return a path as text that can be printed and written, whatever bytes it is made of.

    >>> name_of(Path("cat/1.png"))
    'cat/1.png'
    """
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def content_hash(path: Path) -> str:
    """Return the hash of a file's content, as `record_files` keeps it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]


def parts_by_content(kept: Any) -> dict[str, str]:
    """Return content hash -> part of the files that a run kept; training first, where one file is in several.

    >>> parts_by_content({"classes": ["cat", "dog"], "files": {"cat/1.png": ["ab", "test"], "2.png": ["ab", "train"]}})
    {'ab': 'train'}
    """
    files = kept.get("files", {}) if isinstance(kept, Mapping) else {}
    order = ("", "test", "validation", "train")
    return dict(sorted(files.values(), key=lambda entry: order.index(entry[1])))


def record_arrays(classes: Sequence[str], parts: Mapping[str, Arrays]) -> dict[str, Any]:
    """Return the classes, and a hash of the images and labels of each part.

    >>> part = Arrays(np.zeros((1, 2, 2, 1), np.float32), np.zeros(1, np.int32))
    >>> record_arrays(("dark",), {"test": part})["parts"]["test"][:8]
    '...'
    """
    return {
        "classes": list(classes),
        "parts": {name: _hash(np.asarray(part.x), np.asarray(part.y)) for name, part in parts.items()},
    }


def check_record(kept: Mapping[str, Any], now: Mapping[str, Any], source: str, run: str | Path) -> None:
    """Refuse images that are not those of the run.

    Args:
      kept: what the run wrote.
      now: the same of the images as they are.
      source: the folder or the data set.
      run: the run folder.

    Raises:
      ValueError: saying what changed.

    >>> kept = {"classes": ["cat", "dog"], "files": {"cat/1.png": ["ab", "train"]}}
    >>> check_record(kept, kept | {"classes": ["dog", "katze"]}, "pets", "runs/1")
    Traceback (most recent call last):
    ValueError: pets is not what runs/1 was trained on: its classes were cat, dog and are dog, katze; ...
    """
    if not isinstance(kept, Mapping):
        raise ValueError(f"{RECORD} of {run} is no record of images: restore it from a copy, or train a new run")
    told = []
    if kept.get("classes") != now["classes"]:
        told.append(f"its classes were {_some(kept.get('classes'))} and are {_some(now['classes'])}")
    elif "files" in now:
        old, new = kept.get("files"), now["files"]
        old = old if isinstance(old, Mapping) else {}
        changed = [name for name in old if name in new and _content(old[name]) != _content(new[name])]
        for names, verb in ((new.keys() - old.keys(), "added"), (old.keys() - new.keys(), "removed")):
            if names:
                told.append(f"{len(names)} pictures were {verb} ({_some(sorted(names))})")
        if changed:
            told.append(f"{len(changed)} pictures have another content ({_some(changed)})")
    if not told and any(kept.get(name) != now.get(name) for name in ("files", "parts")):
        told.append("its rows are in other parts, or have other values")
    if told:
        raise ValueError(
            f"{source} is not what {run} was trained on: {'; '.join(told)}; bring it back to what it was, or train a "
            "new run: test rows of one are training rows of the other"
        )


def _warn_of_twins(names: Sequence[str], hashes: Sequence[str], places: np.ndarray) -> None:
    trained = {digest: name for name, digest, place in zip(names, hashes, places, strict=True) if place == "train"}
    twins = [
        f"{name} = {trained[digest]}"
        for name, digest, place in zip(names, hashes, places, strict=True)
        if place == "test" and digest in trained
    ]
    if twins:
        rows = int((places == "test").sum())
        logger.warning(
            f"{len(twins)} of {rows} test pictures are training pictures too, which flatters: {_some(twins)}"
        )


def _hash(*contents: Any) -> str:
    digest = hashlib.sha256()
    for content in contents:
        if isinstance(content, np.ndarray):
            digest.update(f"{content.dtype} {content.shape}".encode())
            content = np.ascontiguousarray(content)
        digest.update(content)
    return digest.hexdigest()[:_DIGITS]


def _content(entry: Any) -> Any:
    return entry[0] if isinstance(entry, list) and entry else None


def _some(names: Any, most: int = 3) -> str:
    listed = [str(name) for name in names] if isinstance(names, list | tuple) else []
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
