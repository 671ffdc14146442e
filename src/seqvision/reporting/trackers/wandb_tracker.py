"""Weights & Biases, offline unless ``WANDB_MODE`` says otherwise: ``wandb sync RUN/wandb/offline-run-…`` uploads it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .curves import curve_name, values


def start(folder: Path) -> "WandbTracker":
    """Return the tracker of a run, whose files lie in the folder wandb of it."""
    import wandb

    mode: Any = os.environ.get("WANDB_MODE", "offline")
    run = wandb.init(
        mode=mode,
        dir=str(folder),
        project=os.environ.get("WANDB_PROJECT", "seqvision"),
        name=folder.name,
        settings=wandb.Settings(console="off", silent=True),
    )
    return WandbTracker(run)


class WandbTracker:
    """Tells a run of wandb, or what has its methods, what a run of ours logs.

    >>> from types import SimpleNamespace
    >>> run = SimpleNamespace(log=print, define_metric=lambda *a, **k: None)
    >>> WandbTracker(run).log_metrics([{"model": "gru", "seed": 0, "epoch": 1, "loss": 0.5}])
    {'gru/seed_0/epoch': 1, 'gru/seed_0/loss': 0.5}
    """

    def __init__(self, run: Any):
        self._run, self._curves = run, set[str]()

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Keep the configuration."""
        self._run.config.update(dict(config))

    def log_metrics(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Log metrics, each curve over epochs of its own."""
        for record in records:
            curve = curve_name(record) or "run"
            if curve not in self._curves:
                self._run.define_metric(f"{curve}/*", step_metric=f"{curve}/epoch")
                self._curves.add(curve)
            named = {f"{curve}/{name}": value for name, value in values(record).items()}
            self._run.log({f"{curve}/epoch": record.get("epoch"), **named})

    def log_scores(self, scores: Mapping[str, float]) -> None:
        """Keep the scores as the summary."""
        self._run.summary.update(dict(scores))

    def close(self, status: str) -> None:
        """End the run."""
        self._run.finish(exit_code=0 if status == "done" else 1)
