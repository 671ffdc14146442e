"""``seqvision compare``."""

from dataclasses import dataclass

import tyro

from seqvision import pipelines

from .command import Command


@dataclass(frozen=True, kw_only=True)
class Compare(Command):
    """Say in what finished runs differ, how well they did, and whether chance explains the difference."""

    run_folders: tyro.conf.Positional[tuple[str, ...]]
    """folders of the runs"""
    plot: str | None = None
    """file to draw the training and validation curves to, as PNG"""
    html: str | None = None
    """file to write all of it to, as a page with curves and forecasts to zoom"""

    def run(self) -> "pipelines.Result":
        """Compare."""
        return pipelines.compare_runs(self.run_folders, plot=self.plot, html=self.html)
