"""Where a run is written."""

from dataclasses import dataclass
from typing import Literal


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
