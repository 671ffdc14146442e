"""``seqvision evaluate``."""

from dataclasses import dataclass, field

import tyro

from seqvision import pipelines
from seqvision.pipelines import Reading

from .command import Command


@dataclass(frozen=True, kw_only=True)
class Evaluate(Command):
    """Recompute the scores of a finished run from its saved parameters and configuration."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """where its data file is now, if that has moved"""
    folder: str | None = None
    """where its folder of images is now, if that has moved"""
    test_folder: str | None = None
    """where its folder of test images is now, if that has moved"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Evaluate."""
        return pipelines.evaluate_run(
            self.run_folder, self.csv, folder=self.folder, test_folder=self.test_folder, reading=self.reading
        )
