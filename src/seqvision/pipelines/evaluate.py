"""Judge any finished run again: which kind it is, its configuration says."""

from pathlib import Path

from seqvision.pipelines.classification.run import evaluate_classify
from seqvision.pipelines.forecasting.run import evaluate_forecast
from seqvision.pipelines.results import ClassifyEvaluation, ForecastEvaluation
from seqvision.reporting import RunFolder


def evaluate_run(path: str | Path, csv: str | None = None) -> ForecastEvaluation | ClassifyEvaluation:
    """Recompute the score card of a run; see `evaluate_forecast` and `evaluate_classify`.

    Args:
      path: the run folder.
      csv: where the data file of a forecast is now, if that has moved.

    Raises:
      ValueError: if csv is given for a run of images.
    """
    if "data" not in RunFolder.open(path).read_json("config.json"):
        return evaluate_forecast(path, csv)
    if csv is not None:
        raise ValueError(f"{path} is a run on images: it has no csv")
    return evaluate_classify(path)
