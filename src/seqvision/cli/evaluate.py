"""``seqvision evaluate``."""

from dataclasses import dataclass, field

import tyro

from seqvision import pipelines
from seqvision.pipelines import Reading

from .command import LongCommand


@dataclass(frozen=True, kw_only=True)
class Evaluate(LongCommand):
    """Judge a finished run again: on its own test rows or, with a file that has grown, on the rows that came since."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    csv: str | None = None
    """its file with the rows that have come since, which are judged then"""
    folder: str | None = None
    """where its folder of images is now, if that has moved"""
    test_folder: str | None = None
    """where its folder of test images is now, if that has moved"""
    revised: bool = False
    """go on with the values of the file where it has others than the run had"""
    output: str | None = None
    """file to write truth and forecasts of the new rows to, as CSV"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Evaluate."""
        with self.shown():
            return pipelines.evaluate_run(
                self.run_folder,
                self.csv,
                folder=self.folder,
                test_folder=self.test_folder,
                reading=self.reading,
                revised=self.revised,
                output=self.output,
            )
