"""What `fit` is told of checkpoints, and how a state is read from one."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seqvision._checks import check_choice, check_count, check_flags, check_number, is_int, shown
from seqvision.storage import CheckpointFolder

from ..state import TrainState


@dataclass(frozen=True)
class Checkpoints:
    """Keep a training on the disk, so that the same call of `fit` goes on where it was stopped.

    What is kept is all that training goes on from: parameters, statistics, the optimizer's memory, the key, the memory
    of early stopping, the history; of a `Stream` also the place within an epoch. Going on gives, to the bit, what a
    training that was never stopped gives. The end is kept too: the same call then returns it at once. To train anew,
    choose another folder or remove this one.

    Args:
      folder: where; made if it is not there. One training has a folder for itself.
      every: epochs between two checkpoints. Whole epochs are one program, which then ends where a checkpoint is due;
        without this it ends at most 20 times in a training, and the time is looked at then.
      minutes: save as well when so many have passed since the last time; within the epoch of a `Stream`.
      keep: how many of the last are kept.
      best: an entry of the history, "val_loss" for instance; of the checkpoints with whole epochs the one where it was
        lowest is kept as well.
      highest: True if more is better, as for "val_accuracy".
      end: keep the end of the training.
      accept_changes: go on although model, optimizer, data or other settings are not those of the checkpoint; its
        arrays must fit all the same.

    Raises:
      ValueError: for numbers that cannot be.

    >>> Checkpoints("here", every=5).keep
    3
    """

    folder: str | os.PathLike[str]
    every: int | None = None
    minutes: float | None = None
    keep: int = 3
    best: str | None = None
    highest: bool = False
    end: bool = True
    accept_changes: bool = False

    def __post_init__(self) -> None:
        """Check the arguments."""
        check_flags(self)
        if not isinstance(self.folder, str | os.PathLike) or not os.fspath(self.folder):
            raise ValueError(f"Checkpoints: folder must be a path, got {shown(self.folder)}")
        if self.every is not None:
            check_count("every", self.every, owner="Checkpoints")
        if self.minutes is not None:
            check_number("minutes", self.minutes, owner="Checkpoints", above=0)
        check_count("keep", self.keep, owner="Checkpoints")
        if self.best is not None and not isinstance(self.best, str):
            raise ValueError(
                f'Checkpoints: best must be an entry of the history, such as "val_loss", got {self.best!r}'
            )

    def check(self, entries: Iterable[str]) -> None:
        """Refuse to look for the best of what the history will not have."""
        if self.best is not None and self.best not in entries:
            remedy = ": give validation data" if self.best.startswith("val_") else ""
            raise ValueError(f"Checkpoints: best must be one of {', '.join(entries)}, got {self.best!r}{remedy}")


def restore_state(
    folder: str | os.PathLike[str], state: TrainState, which: Literal["last", "best"] | int = "last"
) -> TrainState:
    """Return a state with what a checkpoint of `fit` holds, whether its training has ended or not.

    Args:
      folder: that of `Checkpoints`.
      state: of the same model and optimizer, for instance of `create_state`.
      which: the newest that is whole; the one that `Checkpoints.best` kept; or a number, as in ``checkpoint-000003``.

    Raises:
      FileNotFoundError: if there is no checkpoint.
      ValueError: if the checkpoint is damaged, naming the file, or is of another model or optimizer, naming leaves.
    """
    here = CheckpointFolder(Path(folder))
    if not is_int(which):
        check_choice("which", which, ("last", "best"), owner="restore_state")
    number: Any = here.newest() if which == "last" else best_number(here) if which == "best" else which
    if number is None:
        raise FileNotFoundError(f"no checkpoint in {folder}{': none was kept as best' if which == 'best' else ''}")
    return here.load(number, {"state": state}, part=True)["state"]


def best_number(folder: CheckpointFolder) -> int | None:
    """Return the number of the checkpoint where what `Checkpoints.best` names was best."""
    values = {}
    for number in folder.numbers():
        try:
            about = folder.about(number)
        except (ValueError, OSError):
            continue  # a damaged one is no candidate
        if about.get("best") is not None:
            values[number] = about["best"]
    return min(values, key=values.__getitem__, default=None)
