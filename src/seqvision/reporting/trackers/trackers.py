"""Several trackers as one, which never stops a run: what fails says so once and is heard no more."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from . import mlflow_tracker, tensorboard_tracker, wandb_tracker

logger = logging.getLogger(__name__)


class Tracker(Protocol):
    """What a run tells a tracker, in this order."""

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Take the resolved configuration."""

    def log_metrics(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Take lines of metrics.jsonl."""

    def log_scores(self, scores: Mapping[str, float]) -> None:
        """Take the scores, by path."""

    def close(self, status: str) -> None:
        """End the run as "done", "stopped" or "failed"."""


TRACKERS: dict[str, tuple[str, Callable[[Path], Tracker]]] = {  # name -> what it imports, what starts it
    "tensorboard": ("tensorboardX", tensorboard_tracker.start),
    "wandb": ("wandb", wandb_tracker.start),
    "mlflow": ("mlflow", mlflow_tracker.start),
}


def check_trackers(names: Iterable[str]) -> None:
    """Refuse trackers that are unknown or not installed.

    Raises:
      ValueError: naming the tracker, and how to install it.

    >>> check_trackers(["tensorbord"])
    Traceback (most recent call last):
    ValueError: log_to: 'tensorbord' is unknown: there are tensorboard, wandb, mlflow
    """
    for name in names:
        if name not in TRACKERS:
            raise ValueError(f"log_to: {name!r} is unknown: there are {', '.join(TRACKERS)}")
        package = TRACKERS[name][0]
        if find_spec(package) is None:
            raise ValueError(f'log_to={name} needs {package}: pip install "seqvision[{name}]"')


class Trackers:
    """The trackers of one run.

    Args:
      names: which.
      folder: of the run.

    >>> Trackers((), "runs/one").log_metrics([{"epoch": 1, "loss": 0.5}])
    """

    def __init__(self, names: Iterable[str], folder: str | Path):
        self._running: dict[str, Tracker] = {}
        for name in names:
            self._try(name, partial(self._start, name, Path(folder)))

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Log the resolved configuration."""
        self._tell(lambda tracker: tracker.log_config(config))

    def log_metrics(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Log lines of metrics.jsonl."""
        self._tell(lambda tracker: tracker.log_metrics(records))

    def log_scores(self, summary: Mapping[str, Any]) -> None:
        """Log the numbers of a summary."""
        scores = flat_numbers(summary)
        self._tell(lambda tracker: tracker.log_scores(scores))

    def close(self, status: str) -> None:
        """End the run."""
        self._tell(lambda tracker: tracker.close(status))
        self._running.clear()

    def _start(self, name: str, folder: Path) -> None:
        self._running[name] = TRACKERS[name][1](folder)

    def _tell(self, what: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._running.items()):
            self._try(name, partial(what, tracker))

    def _try(self, name: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            self._running.pop(name, None)
            told = " ".join(str(error).split())[:300]
            logger.warning(f"{name} logs no more of this run, which goes on: {type(error).__name__}: {told}")


def flat_numbers(tree: Any, path: str = "") -> dict[str, float]:
    """Return the numbers in nested mappings by their paths; what is no number, or is a list, is left out.

    >>> flat_numbers({"scores": {"gru": {"rmse": 2, "kind": "model"}}, "rows": [1, 2]})
    {'scores/gru/rmse': 2.0}
    """
    if isinstance(tree, Mapping):
        inner = (flat_numbers(value, f"{path}/{key}" if path else str(key)) for key, value in tree.items())
        return {name: value for part in inner for name, value in part.items()}
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        return {path: float(tree)}
    return {}
