"""How far a training is."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from seqvision._checks import counted

from ..divergence import Guard
from ..state import TrainState
from ..stopping import Watch

History = dict[str, np.ndarray]  # one (epochs,) array a metric


class Middle(NamedTuple):
    """Where an epoch of a `Stream` was left."""

    before: Any  # the state with which it began
    batches: int  # taken
    examples: int  # in them
    totals: dict[str, tuple[float, str]]  # metric -> sum over the examples, dtype


@dataclass
class Course:
    """What a run carries from epoch to epoch, and what came of the epochs that are done."""

    state: TrainState
    watch: Watch | None
    guard: Guard
    first_step: int  # of the training: updates made before it
    history: History = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: {"compile": 0.0, "run": 0.0})
    ended: bool = False
    middle: Middle | None = None
    bad_batch: int = -1  # of the epoch after those of the history, if its loss was not finite
    signal: int | None = None  # that somebody sent to stop it

    @property
    def epochs(self) -> int:
        """How many whole epochs are done."""
        return len(next(iter(self.history.values()), ()))

    def add(self, history: History) -> None:
        """Take the history of more epochs."""
        known = self.history or {name: values[:0] for name, values in history.items()}
        self.history = {name: np.concatenate([known[name], values]) for name, values in history.items()}

    def place(self, epochs: int) -> str:
        """Say where the training is."""
        batches = "" if self.middle is None else f" and {counted(self.middle.batches, 'batch', 'batches')}"
        return f"{self.epochs} of {epochs} epochs{batches}"
