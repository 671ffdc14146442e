"""Which files of a folder are pictures of which class and which part; what is none of them is said."""

import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqvision.data.pictures.image_arrays import picture_suffixes

logger = logging.getLogger(__name__)

_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_OF_SYSTEMS = {"__MACOSX", "@eaDir"}  # folders that archives and servers add


class Layout(NamedTuple):
    """The pictures of a folder: parts in the order train, validation, test; in each, classes in natural order."""

    classes: tuple[str, ...]
    paths: tuple[Path, ...]  # (N,)
    labels: np.ndarray  # (N,)
    parts: dict[str, np.ndarray]  # part -> its rows; empty if the folder has none


def read_layout(root: Path) -> Layout:
    """List the pictures of a folder of classes, or of parts that have a folder of classes each.

    Raises:
      FileNotFoundError: if there is no such folder.
      ValueError: if there are fewer than two classes, one without a picture, parts that have other classes, or folders
        of which nobody can tell whether they are parts or classes.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    listed = {part: _files_of_classes(folder) for part, folder in _parts_of(root).items()}
    classes = tuple(next(iter(listed.values())))
    for part, files in listed.items():
        if tuple(files) != classes:
            only, missing = sorted(files.keys() - set(classes)), sorted(set(classes) - files.keys())
            raise ValueError(
                f"{root}: the parts have different classes: {part} has {_some(only) or 'no other'} beside those of "
                f"train and lacks {_some(missing) or 'none'}: give every part the same folders"
            )
    paths = [path for files in listed.values() for each in files.values() for path in each]
    counts = [len(each) for files in listed.values() for each in files.values()]
    labels = np.repeat(np.tile(np.arange(len(classes)), len(listed)), counts)
    _tell_what_is_passed_over(root, set(paths))
    ends = np.cumsum([sum(map(len, files.values())) for files in listed.values()])
    rows = dict(zip(listed, np.split(np.arange(len(paths)), ends[:-1]), strict=True))
    return Layout(classes, tuple(paths), labels, rows if "train" in rows else {})


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names as people do, numbers by their value.

    >>> sorted(["img10", "img2", "IMG1"], key=natural_key)
    ['IMG1', 'img2', 'img10']
    """
    parts = re.findall(r"\d+|\D+", name)
    key = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts)
    return (*key, (-1, 0, name))  # names that differ in case only keep one order


def pictures_in(folder: Path) -> list[Path]:
    """List the files in a folder, and in folders within it, that are pictures by their names, in natural order."""
    known = picture_suffixes()
    found = [p for p in folder.rglob("*") if p.suffix.lower() in known and p.is_file() and not _hidden(p, folder)]
    return sorted(found, key=lambda path: natural_key(str(path.relative_to(folder))))


def _part_named(name: str) -> str | None:
    return _PARTS.get(re.sub(r"[-_ ]?(set|data|images)$", "", name.casefold()))


def _parts_of(root: Path) -> dict[str, Path]:
    """Return part -> its folder, or {"": root} for a folder of classes."""
    folders = _folders(root)
    named = [folder for folder in folders if _part_named(folder.name)]
    others = [folder for folder in folders if folder not in named]
    if not named or (len(named) == 1 and others):
        twice = {inner.name for folder in named for inner in _folders(folder)} & {folder.name for folder in others}
        if twice:
            raise ValueError(
                f"{root} has classes such as {min(twice)!r} beside {named[0].name!r}, which has them too: move the "
                "classes into a folder train, or the other folder away"
            )
        return {"": root}
    for folder in others:
        if pictures_in(folder):
            raise ValueError(
                f"{root} has parts ({_some(f.name for f in named)}) and beside them {folder.name!r} with pictures: is "
                "it a class or a part? Move it away, or into each part"
            )
    found: dict[str, Path] = {}
    for folder in named:
        part = _part_named(folder.name) or ""
        if part in found:
            raise ValueError(f"{root}: {found[part].name!r} and {folder.name!r} are both the {part} part: leave one")
        if not _folders(folder):
            raise ValueError(
                f"{folder} is the {part} part by its name, but has no subfolders: give it one subfolder for each class "
                "(a class needs another name)"
            )
        found[part] = folder
    if "train" not in found:
        raise ValueError(f"{root} has {_some(found)} but no part train: add it, or give one part's folder alone")
    logger.info(
        f"{root}: its parts are used: {', '.join(f'{folder.name} as {part}' for part, folder in found.items())}"
    )
    return {part: found[part] for part in ("train", "validation", "test") if part in found}


def _files_of_classes(folder: Path) -> dict[str, list[Path]]:
    classes = _folders(folder)
    if len(classes) < 2:
        found = f"only {classes[0].name!r}" if classes else "none"
        raise ValueError(
            f"{folder} must have one subfolder for each of at least two classes, but has {found}: "
            "give the folder above the classes' folders"
        )
    files = {each.name: pictures_in(each) for each in classes}
    for name, paths in files.items():
        if not paths:
            others = sorted({path.suffix for path in (folder / name).rglob("*") if path.is_file()})
            held = f" (but files ending in {_some(others)})" if others else ""
            raise ValueError(f"class {name!r}: {folder / name} has no image{held}: fill the folder or remove it")
    return files


def _folders(folder: Path) -> list[Path]:
    inside = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name not in _OF_SYSTEMS]
    return sorted(inside, key=lambda path: natural_key(path.name))


def _hidden(path: Path, root: Path) -> bool:
    return any(name.startswith(".") or name in _OF_SYSTEMS for name in path.relative_to(root).parts)


def _tell_what_is_passed_over(root: Path, kept: set[Path]) -> None:
    left = [path for path in root.rglob("*") if path.is_file() and path not in kept]
    seen = sorted(str(path.relative_to(root)) for path in left if not _hidden(path, root))
    if seen:
        logger.warning(f"{root}: {len(seen)} files are no pictures of a class and are passed over: {_some(seen)}")
    if len(left) > len(seen):
        logger.info(f"{root}: {len(left) - len(seen)} hidden files are passed over")


def _some(names: Iterable[str], most: int = 3) -> str:
    listed = list(names)
    return ", ".join(map(repr, listed[:most])) + (f" and {len(listed) - most} more" if len(listed) > most else "")
