"""Where a run is written."""

from dataclasses import dataclass
from typing import Literal

from seqvision._checks import check_count, check_number


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where a run is written.

    >>> Output().out
    'runs'
    """

    out: str = "runs"
    """folder in which the new run folder is made"""
    name: str = "run"
    """first part of the run folder's name"""
    log_to: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ()
    """where metrics and scores are logged besides: tensorboard, wandb (offline), mlflow (local files)"""
    plots: bool = True
    """draw pictures into the run folder; seqvision report RUN --plots draws them later"""
    checkpoint_every: int | None = None
    """keep the training every so many epochs; seqvision resume RUN goes on from there, to the bit"""
    checkpoint_minutes: float = 5.0
    """keep it as well when so many minutes of work would be lost; a signal such as Ctrl-C always keeps it"""

    def _check_output(self) -> None:
        if self.checkpoint_every is not None:
            check_count("checkpoint_every", self.checkpoint_every, below=2**31)
        check_number("checkpoint_minutes", self.checkpoint_minutes, above=0, below=float("inf"))
