"""``seqvision runs``."""

from dataclasses import dataclass
from typing import Literal

import tyro

from seqvision import pipelines

from .command import Command


@dataclass(frozen=True, kw_only=True)
class Runs(Command):
    """List the runs of a folder with their scores beside those of the naive answers."""

    folder: tyro.conf.Positional[str] = "runs"
    """folder in which the run folders lie"""
    sort: Literal["date", "name", "score", "data", "status"] = "date"
    """order of the runs; score: the best first, of those on the same data"""

    def run(self) -> "pipelines.Result":
        """List."""
        return pipelines.list_runs(self.folder, sort=self.sort)
