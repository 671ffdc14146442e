"""The pictures of a finished run, drawn from what its folder has."""

from pathlib import Path

from seqvision._compilation import kept_on_disk
from seqvision._phases import phase
from seqvision.pipelines.config import ForecastConfig, config_from_dict, is_of_images
from seqvision.reporting import Drawers, RunFolder


@kept_on_disk()
def draw_run(path: str | Path) -> None:
    """Forecast or classify the test rows of a run again, and draw its pictures into its folder.

    Args:
      path: the run folder.

    Raises:
      FileNotFoundError: if it is no run folder, or its images are not where they were.
      ValueError: if the run was not judged, or the parameters do not fit the models.
    """
    run = RunFolder.open(path)
    run.read_json("summary.json")
    if is_of_images(run.read_json("config.json")):
        _draw_classes(run)
    else:
        _draw_forecasts(run)


def _draw_forecasts(run: RunFolder) -> None:
    from seqvision.pipelines.forecasting.data import read_saved, split_series
    from seqvision.pipelines.forecasting.evaluation import judge_again
    from seqvision.pipelines.forecasting.own_rows import own_series
    from seqvision.pipelines.forecasting.pictures import PLOTS, draw_forecasts
    from seqvision.pipelines.forecasting.report import naive_rows

    config = config_from_dict(ForecastConfig, run.read_json("config.json"))
    saved = read_saved(run)
    split = split_series(config, own_series(saved), saved["scaler"])
    judged = judge_again(run, config, split)
    with phase("drawing"), Drawers(plots=PLOTS) as drawers:
        draw_forecasts(run, config, split, run.read_history(), judged, naive_rows(split, judged), drawers)


def _draw_classes(run: RunFolder) -> None:
    from seqvision.pipelines.classification.pictures import draw_classifiers
    from seqvision.pipelines.classification.run import judge_again, loss_name

    config, split, states, judged = judge_again(run)
    with phase("drawing"):
        files, loss = split.test_files, loss_name(config)
        draw_classifiers(run, split.test, split.classes, run.read_history(), states, judged, files=files, loss=loss)
