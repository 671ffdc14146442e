"""``seqvision resume``."""

from dataclasses import dataclass
from typing import Any

import tyro

from seqvision import pipelines

from .command import LongCommand


@dataclass(frozen=True, kw_only=True)
class Resume(LongCommand):
    """Go on with a run that was stopped or killed, or has failed; the result is that of a run without the stop."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """where its data file is now, if it was stopped before it had kept the rows"""
    folder: str | None = None
    """where its folder of images is now, if that has moved"""
    test_folder: str | None = None
    """where its folder of test images is now, if that has moved"""

    def run(self) -> "pipelines.Result":
        """Go on."""
        with self.shown():
            return pipelines.resume_run(
                self.run_folder, self.csv, folder=self.folder, test_folder=self.test_folder, progress=self.progress
            )

    def afterwards(self, result: Any) -> str:
        """Name the folder of the run."""
        return f"run folder: {result.folder}"
