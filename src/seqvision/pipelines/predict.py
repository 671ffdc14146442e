"""Use any finished run: which kind it is, its configuration says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqvision.pipelines.config import is_of_images
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ForecastPrediction, ImagePrediction
from seqvision.reporting import RunFolder


def predict_run(
    path: str | Path,
    files: Sequence[str] = (),
    *,
    top: int | None = None,
    reading: Reading | None = None,
    output: str | Path | None = None,
    plot: str | Path | None = None,
    **of_series: Any,
) -> ForecastPrediction | ImagePrediction:
    """Forecast what follows a series, or name the classes of pictures; see `predict_forecast` and `predict_images`.

    Args:
      path: the run folder.
      files: pictures and folders of them, for a run on images.
      top: how many classes are named, for a run on images.
      reading: what is to be read of the file in another way than in training, for a run on a series.
      output: where to write the prediction, a .csv or .json file, or None.
      plot: where to draw it, a .png, .svg or .pdf file, or None.
      of_series: what else `predict_forecast` takes; None stands for its default.

    Raises:
      ValueError: if something is given that is for the other kind of run.
    """
    config = RunFolder.open(path).read_json("config.json")
    given = {name: value for name, value in of_series.items() if value is not None}
    if is_of_images(config):
        if given or (reading is not None and reading.given()):
            raise ValueError(f"{path} is a run on images: it has no {next(iter(given), 'csv')}, give pictures instead")
        from seqvision.pipelines.classification.prediction import predict_images

        return predict_images(path, files, top=1 if top is None else top, output=output, plot=plot)
    if files or top is not None:
        what = "top" if not files else f"the file {files[0]}"
        raise ValueError(f"{path} is a run on a series, which has no classes: leave out {what} (--csv names a series)")
    from seqvision.pipelines.forecasting.prediction import predict_forecast

    return predict_forecast(path, output=output, plot=plot, reading=reading, **given)
