"""What a forecast run leaves in its folder: predictions and pictures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from seqvision._phases import phase
from seqvision.data import ForecastSplit
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.interval_columns import with_interval_columns
from seqvision.pipelines.forecasting.pictures import draw_forecasts
from seqvision.pipelines.results import JudgedForecasts
from seqvision.reporting import Drawers, RunFolder, prediction_table, write_table
from seqvision.scorecards import by_target, delivered_name


@phase("drawing")
def write_forecast_report(
    folder: RunFolder,
    config: ForecastConfig,
    split: ForecastSplit,
    history: Mapping[str, Mapping[str, np.ndarray]],
    judged: JudgedForecasts,
    drawers: Drawers,
) -> None:
    """Write predictions.csv and the pictures of losses, forecasts, intervals, residuals and errors by step.

    All are about the forecasters that `predict_forecast` runs, the mean over seeds where there are several.

    Args:
      folder: of the run.
      config: of the run.
      split: the data.
      history: model -> metric -> (S, epochs).
      judged: what `judge_forecasts` returned.
      drawers: who draws, if pictures are wanted.
    """
    write_table(folder.path / "predictions.csv", forecast_table(split, judged))
    if drawers.wanted:
        draw_forecasts(folder, config, split, history, judged, naive_rows(split, judged), drawers)
        drawers.finish()


def forecast_table(split: ForecastSplit, judged: JudgedForecasts) -> pd.DataFrame:
    """Return truth, forecasts of what is delivered and naive forecasts of every test row and step, and free runs."""
    series, rows = split.series, split.test_rows
    y = series.values[:, split.targets[0]]
    columns = {delivered_name(name, len(f)): by_target(f) for name, f in judged.forecasts.items()}
    columns |= {name: f[None] for name, f in naive_rows(split, judged).items()}
    columns = with_interval_columns(columns, judged.card, "at once")
    if judged.free_runs:
        count = rows.stop - rows.start
        paths = {delivered_name(name, len(f)): f for name, f in judged.free_runs.items()}
        paths |= {name: f(y, np.array([rows.start]), count)[0] for name, f in judged.baselines.items()}
        free = {f"{name} free-running": f for name, f in paths.items()}
        columns |= with_interval_columns(free, judged.card, "fed back")
    dates = None if series.dates is None else series.dates[rows]
    return prediction_table(y[rows], columns, dates=dates, first_row=rows.start)


def naive_rows(split: ForecastSplit, judged: JudgedForecasts) -> dict[str, np.ndarray]:
    """Return the naive forecasts (B, horizon) of every test row at every step."""
    y, rows = split.series.values[:, split.targets[0]], split.test_rows
    origins = np.arange(rows.start - split.horizon + 1, rows.stop)
    return {name: by_target(f(y, origins, split.horizon)) for name, f in judged.baselines.items()}
