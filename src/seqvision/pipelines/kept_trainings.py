"""The trainings of a run, kept in its folder until the run is done, so that one that was stopped is gone on with."""

import logging
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from seqvision.pipelines.config import config_from_dict
from seqvision.pipelines.config.output import Output
from seqvision.reporting import CHECKPOINTS, RunFolder, describe_environment, resume_hint, to_plain
from seqvision.storage import CheckpointFolder, lock_folder
from seqvision.training import Checkpoints, Fit, StoppedFitError, create_state

logger = logging.getLogger(__name__)

Config = TypeVar("Config", bound=Output)


class KeptTrainings:
    """Where the trainings of a run are kept: checkpoints/MODEL/seed_0 in its folder.

    What runs is kept by `seqvision.training.fit`; what is finished waits in memory until so many minutes of work would
    be lost, or is kept at once where checkpoints are wanted every so many epochs.

    Args:
      folder: of the run.
      every, minutes: of the configuration.
    """

    def __init__(self, folder: Path, every: int | None, minutes: float | None):
        self._folder, self._every, self._minutes = folder, every, minutes
        self._waiting: list[tuple[Path, Fit]] = []
        self._kept_at = time.monotonic()

    def checkpoints(self, model: str, seed: int) -> Checkpoints:
        """Return what `fit` is told."""
        return Checkpoints(self._place(model, seed), self._every, self._minutes, keep=2, end=False)

    def finished(self, model: str, seed: int, like: "Training") -> Fit | None:
        """Return a training that was finished before, None if it was not.

        Raises:
          ValueError: if what is kept is damaged, or does not fit the model.
        """
        done = CheckpointFolder(self._place(model, seed) / "done")
        number = done.newest()
        if number is None:
            return None
        about = done.about(number)
        history = {name: np.asarray(values, dtype) for name, (dtype, values) in about["history"].items()}
        logger.info(f"{model}: seed {seed} was trained before")
        return Fit(done.load(number, like.state), history, about["seconds"])

    def keep(self, model: str, seed: int, done: Fit) -> None:
        """Keep a training that is finished, now or when there is enough to be kept."""
        self._waiting.append((self._place(model, seed), done))
        late = self._minutes is not None and time.monotonic() - self._kept_at >= 60 * self._minutes
        if late or self._every is not None:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        while self._waiting:
            place, done = self._waiting[0]
            history = {name: (str(values.dtype), values.tolist()) for name, values in done.history.items()}
            CheckpointFolder(place / "done").save(done.state, {"history": history, "seconds": done.seconds})
            self._waiting.pop(0)
        self._kept_at = time.monotonic()

    def _place(self, model: str, seed: int) -> Path:
        return self._folder / model / f"seed_{seed}"


class Training:
    """The shapes of what a training ends with, computed when they are needed."""

    def __init__(self, model: nn.Module, optimizer: optax.GradientTransformation, data: Any):
        self._model, self._optimizer, self._data = model, optimizer, data

    @property
    def state(self) -> Any:
        """The shapes of its state."""
        batch = jax.eval_shape(lambda data: data.gather(jnp.zeros(1, jnp.int32)), self._data)
        x = jax.tree.map(lambda like: np.zeros(like.shape, like.dtype), batch.x)
        return jax.eval_shape(lambda key: create_state(self._model, self._optimizer, key, x), jax.random.key(0))


def reopen_run(path: str | Path, kind: type[Config]) -> tuple[RunFolder, Config]:
    """Return the folder and the configuration of a run that was not done, to go on with it.

    Args:
      path: the run folder.
      kind: of its configuration.

    Raises:
      FileNotFoundError: if there is no run.
      ValueError: if a file that it began with has changed, or it is a run of another kind.
    """
    folder = RunFolder.reopen(path)
    now = to_plain(describe_environment())
    before = folder.read_json("environment.json") if folder.has("environment.json") else now
    changed = [name for name in ("packages", "processor", "devices", "settings") if before.get(name) != now[name]]
    if changed:
        logger.warning(f"going on with {path}, but not to the bit: its {', '.join(changed)} were others")
    return folder, config_from_dict(kind, folder.read_json("config.json"))


@contextmanager
def kept_trainings(folder: RunFolder, config: Output) -> Iterator[KeptTrainings]:
    """Keep the trainings of a run within a block; when the run is done, what was kept for it is removed.

    Raises:
      StoppedFitError: where a signal stopped the run, with a text that says how to go on.
      ValueError: if another process is at this run.
    """
    place = folder.path / CHECKPOINTS
    with lock_folder(place):
        kept = KeptTrainings(place, config.checkpoint_every, config.checkpoint_minutes)
        try:
            yield kept
        except BaseException as error:
            number = _signal(error)
            if number == signal.SIGTERM and hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, 0.0)  # by which a signal that nobody hears is sent again
            kept.flush()
            if number is None:
                raise
            raise StoppedFitError(f"stopped: {resume_hint(folder.path)}", None, number) from error
    shutil.rmtree(place, ignore_errors=True)


def _signal(error: BaseException) -> int | None:
    if isinstance(error, StoppedFitError):
        return error.signal
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    return signal.SIGTERM if isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM else None
