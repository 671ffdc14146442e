"""The checkpoints of one training: found, compared with what is asked, written when they are due, and thinned out."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from seqvision.storage import CheckpointFolder, lock_folder

from .checkpoints import Checkpoints, best_number
from .course import Course, Middle
from .described import differences

logger = logging.getLogger(__name__)


@contextmanager
def saving(
    checkpoints: Checkpoints | None, configuration: Callable[[], Mapping[str, str]], epochs: int
) -> Iterator["Saver | None"]:
    """Hold the folder of a training within a block; None where nothing is saved.

    Raises:
      ValueError: if another process holds it, its checkpoints are of another configuration, or none is whole.
      OSError: if it cannot be written.
    """
    if checkpoints is None:
        yield None
        return
    with lock_folder(checkpoints.folder):
        yield Saver(checkpoints, dict(configuration()), epochs)


class Saver:
    """Keeps one training in its folder.

    Args:
      checkpoints: what `fit` was told.
      configuration: what the training depends on, in words.
      epochs: how many are wanted.
    """

    def __init__(self, checkpoints: Checkpoints, configuration: dict[str, str], epochs: int):
        self._checkpoints, self._configuration, self._wanted = checkpoints, configuration, epochs
        self._folder = CheckpointFolder(Path(checkpoints.folder))
        self._number = self._folder.newest()
        self._found = {} if self._number is None else self._folder.about(self._number)
        self._environment = _environment()
        self._saved_epochs, self._saved_at = self._found.get("epoch", 0), time.monotonic()
        self._chunk = 1
        if self._found:
            self._compare()

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder.path

    def restore(self, state: Any, watch: Any, guard: Any) -> Course | None:
        """Read what is gone on from, None if there is nothing.

        Args:
          state, watch, guard: shapes of what the run carries.

        Raises:
          ValueError: naming leaves that are not those of the checkpoint.
        """
        if self._number is None:
            return None
        found, middle = self._found, self._found["middle"]
        like = {"state": state, "watch": watch, "guard": guard, **({} if middle is None else {"before": state})}
        carried = jax.device_put(self._folder.load(self._number, like), may_alias=False)
        before = carried.pop("before", None)
        course = Course(
            **carried,
            first_step=found["first_step"],
            history={name: np.asarray(values, dtype) for name, (dtype, values) in found["history"].items()},
            seconds=found["seconds"],
            ended=found["early"] or found["epoch"] == self._wanted,
            middle=None if middle is None else Middle(before=before, **middle),
        )
        if course.ended:
            logger.warning(f"{self._folder.path}: {course.place(self._wanted)} were done before, nothing is trained")
        else:
            logger.info(f"{self._folder.path}: {course.place(self._wanted)} are done: going on from there")
        return course

    def begin(self, chunk: int) -> int:
        """Return how many epochs are one program: those of before, so that the bits are the same, if they still fit."""
        rest = self._wanted - self._found.get("epoch", 0)
        before = self._found.get("chunk", chunk)
        self._chunk = before if rest % before == 0 else math.gcd(rest, chunk)
        if self._chunk != before:
            logger.warning(f"{self._folder.path}: going on, but not to the bit: {before} epochs at once were a program")
        return self._chunk

    def time_is_up(self) -> bool:
        """Whether so many minutes have passed since the last checkpoint that another is due."""
        minutes = self._checkpoints.minutes
        return minutes is not None and time.monotonic() - self._saved_at >= 60 * minutes

    def after_epochs(self, course: Course, *, ended: bool, stopping: bool) -> None:
        """Save whole epochs if a checkpoint is due."""
        every = self._checkpoints.every
        passed = every is not None and course.epochs // every > self._saved_epochs // every
        if passed or stopping or self.time_is_up() or (ended and self._checkpoints.end):
            self.save(course, ended=ended)

    def save(self, course: Course, *, ended: bool = False) -> None:
        """Write a checkpoint, then remove those that are not kept any more.

        Raises:
          OSError: if it cannot be written; those before are as they were.
        """
        carried: dict[str, Any] = {"state": course.state, "watch": course.watch, "guard": course.guard}
        middle = course.middle
        if middle is not None:
            carried["before"] = middle.before
        about = {
            "epoch": course.epochs,
            "middle": None if middle is None else {k: v for k, v in middle._asdict().items() if k != "before"},
            "early": ended and course.epochs < self._wanted,
            "chunk": self._chunk,
            "first_step": course.first_step,
            "seconds": course.seconds,
            "best": self._value(course) if middle is None else None,
            "history": {name: (str(v.dtype), v.tolist()) for name, v in course.history.items()},
            "configuration": self._configuration,
            "environment": self._environment,
        }
        self._folder.save(carried, about)
        self._saved_epochs, self._saved_at = course.epochs, time.monotonic()
        kept = {*self._folder.numbers()[-self._checkpoints.keep :], best_number(self._folder)}
        self._folder.remove(number for number in self._folder.numbers() if number not in kept)

    def _value(self, course: Course) -> float | None:
        """Return what `Checkpoints.best` compares, turned so that less is better; a NaN is never the best."""
        if self._checkpoints.best is None:
            return None
        value = float(course.history[self._checkpoints.best][-1])
        return None if np.isnan(value) else -value if self._checkpoints.highest else value

    def _compare(self) -> None:
        """Refuse to go on with another training than the one that is kept here."""
        here, done = self._folder.path, self._found["epoch"]
        problems = differences(self._found["configuration"], self._configuration)
        if problems and not self._checkpoints.accept_changes:
            raise ValueError(
                f"the checkpoints in {here} are of another training: {'; '.join(problems)}. Give what it was, another "
                "folder, or Checkpoints(…, accept_changes=True) to go on all the same"
            )
        if self._wanted < done:
            raise ValueError(f"epochs is {self._wanted}, but {here} holds {done} already: give {done} or more")
        changed = differences(self._found["environment"], self._environment)
        if problems or changed:
            logger.warning(f"going on from {here}, but not to the bit: {'; '.join([*problems, *changed])}")


def _environment() -> dict[str, str]:
    devices = jax.devices()
    return {"jax": jax.__version__, "device": devices[0].device_kind, "devices": str(len(devices))}
