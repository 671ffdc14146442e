"""``seqvision refit``."""

from dataclasses import dataclass, field
from typing import Any

import tyro

from seqvision import pipelines
from seqvision.pipelines import Reading

from .command import LongCommand


@dataclass(frozen=True, kw_only=True)
class Refit(LongCommand):
    """Train again with the configuration of a finished run on data that have grown, into a new run folder."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """its file with the rows that have come since; by default its own as it is now"""
    folder: str | None = None
    """its folder of images with those that have come since; by default its own as it is now"""
    from_weights: bool = False
    """go on from the weights of the run, with its scaler, instead of anew"""
    epochs: int | None = None
    """passes over the training rows; by default as many as the run"""
    learning_rate: float | None = None
    """step size; by default that of the run"""
    train: int | float | None = None
    """number or share of the training rows; by default that of the run"""
    validation: int | float | None = None
    """number or share of the validation rows; by default that of the run"""
    out: str | None = None
    """folder in which the new run folder is made; by default that in which the run lies"""
    name: str | None = None
    """first part of the new folder's name; by default that of the run"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Refit."""
        names = ("epochs", "learning_rate", "train", "validation", "out", "name")
        changes = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        with self.shown():
            return pipelines.refit_run(
                self.run_folder,
                self.csv,
                folder=self.folder,
                reading=self.reading,
                from_weights=self.from_weights,
                progress=self.progress,
                **changes,
            )

    def afterwards(self, result: Any) -> str:
        """Name the folder of the new run."""
        return f"run folder: {result.folder}"
