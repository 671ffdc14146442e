"""Checkpoints of any pytree: orbax writes the arrays, a manifest vouches for every byte, and only whole ones count."""

import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqvision.storage.checkpoint_arrays import like_saved, named_leaves, read_arrays, saved_leaves, write_arrays
from seqvision.storage.manifest import check_files, check_schema, record_files
from seqvision.storage.weights import leaf_differences
from seqvision.storage.whole_files import write_file

logger = logging.getLogger(__name__)

SCHEMA = 1
ABOUT = "about.json"
ARRAYS = "arrays"
_NAME = re.compile(r"checkpoint-(\d{6,})")


@dataclass(frozen=True)
class CheckpointFolder:
    """Checkpoints of any pytree of arrays, numbered in the order in which they were saved.

    Each is a folder of its own, ``checkpoint-000001``: what orbax wrote, about.json, and a manifest of both. It appears
    under its name when all of it is on the disk, so that a process killed while saving leaves the older ones as they
    were; its leftovers are passed over, and removed by the next `save`. One process saves at a time, see `lock_folder`.

    Args:
      path: the folder, made when something is saved.

    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as base:
    ...     folder = CheckpointFolder(Path(base, "here"))
    ...     number = folder.save({"w": np.arange(2.0)}, {"epoch": 5})
    ...     folder.newest(), folder.about(number), folder.load(number, {"w": np.zeros(2)})
    (1, {'epoch': 5}, {'w': array([0., 1.])})
    """

    path: Path

    def __post_init__(self) -> None:
        """Take a text for a path."""
        object.__setattr__(self, "path", Path(self.path))

    def save(self, tree: Any, about: Mapping[str, Any] | None = None) -> int:
        """Write a checkpoint and return its number; when this returns, it is on the disk.

        Args:
          tree: a pytree of arrays of JAX or NumPy, typed keys and numbers.
          about: what else to keep, as JSON.

        Raises:
          OSError: naming the folder, if it cannot be written or the disk is full; older checkpoints are as they were.
          TypeError: for leaves that are no arrays.
        """
        leaves = named_leaves(tree)
        text = json.dumps({"schema": SCHEMA, "leaves": saved_leaves(leaves), "about": dict(about or {})}, indent=1)
        number = 1 + max(self.numbers(), default=0)
        partial = self.path / f"{_folder_name(number)}.partial"
        try:
            self._remove_leftovers()
            partial.mkdir(parents=True)
            write_arrays(partial / ARRAYS, leaves)
            write_file(partial / ABOUT, text + "\n")
            record_files(partial, _files(partial))
            _to_disk(partial)
            partial.rename(partial.with_suffix(""))
            _sync_folder(self.path)
        except OSError as error:
            remedy = "older ones are as they were: make room, or choose another folder"
            named = type(error)(f"cannot save a checkpoint in {self.path} ({error}); {remedy}")
            named.errno = error.errno
            raise named from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return number

    def numbers(self) -> list[int]:
        """Return the numbers of the checkpoints there are, damaged ones too, the oldest first."""
        if not self.path.is_dir():
            return []
        return sorted(int(found[1]) for child in self.path.iterdir() if (found := _NAME.fullmatch(child.name)))

    def newest(self) -> int | None:
        """Return the number of the newest checkpoint that is whole, None if nothing was saved yet.

        A damaged one is passed over with a warning that names the file.

        Raises:
          ValueError: if there are checkpoints and none is whole.
        """
        problems = []
        for number in reversed(self.numbers()):
            try:
                self.check(number)
            except (ValueError, OSError) as error:
                problems.append(str(error))
                logger.warning(f"{_folder_name(number)} is passed over: {error}")
            else:
                return number
        if problems:
            raise ValueError(f"no checkpoint in {self.path} is whole: {problems[0]}; choose another folder")
        return None

    def check(self, number: int) -> None:
        """Refuse a checkpoint of which a byte is not what was written.

        Raises:
          ValueError: naming the file that is missing, truncated or changed.
        """
        folder = self._folder(number)
        check_files(folder)
        self._read(number)

    def about(self, number: int) -> dict[str, Any]:
        """Return what was kept beside the arrays.

        Raises:
          ValueError: if the checkpoint is damaged.
        """
        return self._read(number)["about"]

    def load(self, number: int, like: Any, *, part: bool = False) -> Any:
        """Read a checkpoint, if it has exactly the leaves that are expected.

        Args:
          number: which, see `newest`.
          like: the pytree that was saved, of arrays or of shapes (``jax.eval_shape``); its structure is taken.
          part: there may be other leaves, which are left out.

        Returns:
          The pytree: NumPy arrays where ``like`` has them, else arrays of JAX; typed keys are typed keys.

        Raises:
          ValueError: if a file is damaged, or naming leaves that are missing, unexpected or of another shape or dtype.
        """
        self.check(number)
        folder = self._folder(number)
        saved = self._read(number)["leaves"]
        expected = {name: (tuple(shape), dtype) for name, (shape, dtype) in saved_leaves(named_leaves(like)).items()}
        wanted = {name: leaf for name, leaf in saved.items() if name in expected or not part}
        problems = leaf_differences({name: _Leaf(*leaf) for name, leaf in wanted.items()}, expected)
        if problems:
            listed = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
            raise ValueError(f"{folder} does not fit what is gone on with: {listed}")
        return like_saved(like, read_arrays(folder / ARRAYS, saved))

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove checkpoints; one that is being removed is no checkpoint any more."""
        for number in numbers:
            folder = self._folder(number)
            with suppress(FileNotFoundError):
                leftover = folder.with_name(f"{folder.name}.partial")
                folder.rename(leftover)
                shutil.rmtree(leftover, ignore_errors=True)

    def _folder(self, number: int) -> Path:
        return self.path / _folder_name(number)

    def _read(self, number: int) -> dict[str, Any]:
        path = self._folder(number) / ABOUT
        told = json.loads(path.read_text(encoding="utf-8"))
        check_schema(path, told["schema"], SCHEMA)
        return told

    def _remove_leftovers(self) -> None:
        for child in self.path.glob("checkpoint-*.partial"):
            shutil.rmtree(child, ignore_errors=True)


@dataclass(frozen=True)
class _Leaf:
    shape: list[int]
    dtype: str


def _folder_name(number: int) -> str:
    return f"checkpoint-{number:06d}"


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _to_disk(folder: Path) -> None:
    """Let every file of a folder be on the disk before it gets its name."""
    for parent, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(parent, name), "rb") as file:
                os.fsync(file.fileno())
        _sync_folder(Path(parent))


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # where folders cannot be opened
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
