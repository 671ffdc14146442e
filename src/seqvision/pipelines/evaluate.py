"""Judge any finished run again: which kind it is, its configuration says."""

from pathlib import Path

from seqvision.pipelines.classification.run import evaluate_classify
from seqvision.pipelines.forecasting.run import evaluate_forecast
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ClassifyEvaluation, ForecastEvaluation
from seqvision.reporting import RunFolder


def evaluate_run(
    path: str | Path,
    csv: str | None = None,
    *,
    folder: str | None = None,
    test_folder: str | None = None,
    reading: Reading | None = None,
) -> ForecastEvaluation | ClassifyEvaluation:
    """Recompute the score card of a run; see `evaluate_forecast` and `evaluate_classify`.

    Args:
      path: the run folder.
      csv: where the data file of a forecast is now, if that has moved.
      folder: where the folder of images of a classification is now, if that has moved.
      test_folder: likewise of its folder of test images.
      reading: what is to be read of it in another way than in training.

    Raises:
      ValueError: if csv or reading is given for a run of images, or folder for one on a series.
    """
    config = RunFolder.open(path).read_json("config.json")
    if not isinstance(config, dict) or "data" not in config:
        if folder is not None or test_folder is not None:
            raise ValueError(f"{path} is a run on a series: it has no folder of images")
        return evaluate_forecast(path, csv, reading=reading)
    if csv is not None or (reading is not None and reading.given()):
        raise ValueError(f"{path} is a run on images: it has no csv")
    return evaluate_classify(path, folder, test_folder)
