"""``seqvision predict``."""

from dataclasses import dataclass, field

import tyro

from seqvision import pipelines
from seqvision.pipelines import Reading

from .command import Command


@dataclass(frozen=True, kw_only=True)
class Predict(Command):
    """Forecast the rows after the end of a file with a finished run, in original units."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """file whose next rows are wanted; by default the run's own"""
    steps: int | None = None
    """rows to forecast; by default the run's horizon"""
    output: str | None = None
    """file to write the forecast to, as CSV"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Predict."""
        return pipelines.predict_forecast(
            self.run_folder, self.csv, steps=self.steps, output=self.output, reading=self.reading
        )
