"""Judge any finished run again: which kind it is, its configuration says."""

from pathlib import Path

from seqvision.data import Series
from seqvision.pipelines.config import is_of_images
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
    series: Series | None = None,
    revised: bool = False,
    output: str | Path | None = None,
) -> ForecastEvaluation | ClassifyEvaluation:
    """Judge a run again, or a forecast on the rows that have come since; see `evaluate_forecast`, `evaluate_classify`.

    Args:
      path: the run folder.
      csv: the file of a forecast, grown by new rows, which are judged then.
      folder: where the folder of images of a classification is now, if that has moved.
      test_folder: likewise of its folder of test images.
      reading: what is to be read of the file in another way than in training.
      series: rows in memory, in place of a file.
      revised: go on with the values of the file where it has others than the run had.
      output: where to write truth and forecasts of the new rows as CSV.

    Raises:
      ValueError: if the run was stopped before its end, what is for a series is given for a run of images, or folder
        for one on a series.
    """
    run = RunFolder.open(path)
    if run.how_to_go_on and not (run.path / "models").is_dir():  # of one whose loss grew without bound they are there
        raise ValueError(f"{path} is not done: its STATUS says {run.status!r}{run.how_to_go_on}")
    config = run.read_json("config.json")
    if not is_of_images(config):
        if folder is not None or test_folder is not None:
            raise ValueError(f"{path} is a run on a series: it has no folder of images")
        from seqvision.pipelines.forecasting.evaluation import evaluate_forecast

        return evaluate_forecast(path, csv, reading=reading, series=series, revised=revised, output=output)
    other = reading is not None and bool(reading.given())
    given = {"csv": csv is not None, "series": series is not None, "revised": revised, "output": output is not None}
    for name, said in (given | {"reading": other}).items():
        if said:
            raise ValueError(f"{path} is a run on images: it has no {name}")
    from seqvision.pipelines.classification.run import evaluate_classify

    return evaluate_classify(path, folder, test_folder)
