"""``seqvision report``."""

from dataclasses import dataclass

import tyro

from seqvision import pipelines

from .command import Command


@dataclass(frozen=True, kw_only=True)
class Report(Command):
    """Write the report of a run anew: one HTML file that needs no network."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    output: str | None = None
    """file to write it to; by default report.html in the run folder"""
    plots: bool = False
    """draw the pictures of the run anew as well, from its rows and its weights"""

    def run(self) -> "pipelines.Result":
        """Write it."""
        return pipelines.report_run(self.run_folder, self.output, plots=self.plots)
