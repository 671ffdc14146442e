"""Go on with any run that was stopped: which kind it is, its folder says."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqvision.pipelines.classification.run import resume_classify
from seqvision.pipelines.forecasting.run import resume_forecast
from seqvision.pipelines.results import ClassifyRun, ForecastRun
from seqvision.reporting import RunFolder


@dataclass(frozen=True)
class DoneAlready:
    """What `resume_run` returns of a run that is done."""

    folder: Path

    @property
    def text(self) -> str:
        """What a script prints."""
        typed = shlex.join(["seqvision", "evaluate", str(self.folder)])
        return f"{self.folder} is done, nothing is left to train: {typed} shows its scores"

    def to_dict(self) -> dict[str, Any]:
        """Return the folder and the status."""
        return {"folder": str(self.folder), "status": "done"}


def resume_run(
    path: str | Path,
    csv: str | None = None,
    *,
    folder: str | None = None,
    test_folder: str | None = None,
    progress: bool | None = None,
) -> ForecastRun | ClassifyRun | DoneAlready:
    """Go on with a run of `run_forecast` or `run_classify` that was stopped or killed, or has failed.

    What is trained is not trained again, a training that was stopped goes on from its last checkpoint, and what comes
    out is, to the bit, what would have come out without the stop, but for the seconds. A run on a series has its rows
    in its folder; the pictures of a run on images must be those that it began with.

    Args:
      path: the run folder.
      csv: where the file of a series is now, for a run that was stopped before it had kept its rows.
      folder: where the folder of images is now, if that has moved.
      test_folder: likewise of the folder of test images.
      progress: a progress bar on stderr; by default if that is a terminal.

    Raises:
      FileNotFoundError: if there is no such run.
      ValueError: if files of the run or the data have changed, naming them; or another process is at the run.
    """
    run = RunFolder.reopen(path)
    if run.status == "done":
        return DoneAlready(run.path)
    known = run.read_json("defaults.json")["class"] if run.has("defaults.json") else ""
    if known not in ("ForecastConfig", "ClassifyConfig"):
        raise ValueError(f"{path} is no run of train forecast or train classify: start it again")
    if known == "ClassifyConfig":
        if csv is not None:
            raise ValueError(f"{path} is a run on images: it has no csv")
        return resume_classify(path, folder=folder, test_folder=test_folder, progress=progress)
    if folder is not None or test_folder is not None:
        raise ValueError(f"{path} is a run on a series: it has no folder of images")
    return resume_forecast(path, csv=csv, progress=progress)
