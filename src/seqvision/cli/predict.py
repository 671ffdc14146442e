"""``seqvision predict``."""

from dataclasses import dataclass, field

import tyro

from seqvision import pipelines
from seqvision.pipelines import Reading

from .command import LongCommand


@dataclass(frozen=True, kw_only=True)
class Predict(LongCommand):
    """Use a finished run: forecast the rows after the end of a file, or name the classes of pictures."""

    run_folder: tyro.conf.Positional[str]
    """folder of the run"""
    files: tyro.conf.Positional[tuple[str, ...]] = ()
    """of a run on images: pictures, and folders of them"""
    top: int | None = None
    """of a run on images: how many classes are named, the most probable first; by default 1"""
    csv: str | None = None
    """file whose next rows are wanted; by default the run's own"""
    steps: int | None = None
    """rows to forecast; by default the run's horizon"""
    output: str | None = None
    """file to write the prediction to, by its ending: .csv or .json"""
    plot: str | None = None
    """picture of the forecasts with their intervals, or of the pictures with their classes: .png, .svg or .pdf"""
    calendar: str | None = None
    """what the dates do not decide: daily, business (Monday to Friday), or an exchange such as XNYS"""
    timezone: str | None = None
    """by whose clock the rows come, such as Europe/Paris"""
    reading: tyro.conf.OmitArgPrefixes[Reading] = field(default_factory=Reading)

    def run(self) -> "pipelines.Result":
        """Predict."""
        with self.shown():
            return pipelines.predict_run(
                self.run_folder,
                self.files,
                top=self.top,
                csv=self.csv,
                steps=self.steps,
                output=self.output,
                plot=self.plot,
                calendar=self.calendar,
                timezone=self.timezone,
                reading=self.reading,
            )
