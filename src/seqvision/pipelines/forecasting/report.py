"""What a forecast run leaves in its folder: predictions and pictures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqvision.data import ForecastSplit
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.results import JudgedForecasts
from seqvision.reporting import (
    RunFolder,
    plot_forecast,
    plot_losses,
    plot_residuals,
    prediction_table,
    save_figure,
    write_table,
)


def write_forecast_report(
    folder: RunFolder,
    config: ForecastConfig,
    split: ForecastSplit,
    history: Mapping[str, Mapping[str, np.ndarray]],
    judged: JudgedForecasts,
) -> None:
    """Write predictions.csv and the pictures of losses, forecasts and residuals.

    Args:
      folder: of the run.
      config: of the run.
      split: the data.
      history: model -> metric -> (S, epochs).
      judged: what `judge_forecasts` returned.
    """
    series, rows = split.series, split.test_rows
    y = series.values[:, split.targets[0]]
    truth, start, steps = y[rows], rows.start, rows.stop - rows.start
    dates = None if series.dates is None else series.dates[rows]
    naive_name, naive_forecast = next(iter(judged.baselines.items()))
    naive = naive_forecast(y, np.arange(start, rows.stop), 1)[:, 0]
    held = naive_forecast(y, np.array([start]), steps)[0]
    one_step = {name: f[..., 0] for name, f in judged.forecasts.items()}
    columns = {**one_step, naive_name: naive}
    if judged.free_runs:
        free = {**judged.free_runs, naive_name: held}
        columns |= {f"{name} free-running": f for name, f in free.items()}
    write_table(folder.path / "predictions.csv", prediction_table(truth, columns, dates=dates, first_row=start))

    title = f"{series.name} {series.target}" + (", relative changes" if config.returns else "")
    where: dict[str, Any] = {"dates": dates, "first_row": start, "unit": config.unit, "naive_name": naive_name}
    save_figure(plot_losses(history, loss=f"{config.loss}, scaled", title=title), folder.path / "losses.png")
    figure = plot_forecast(
        truth,
        forecasts=one_step,
        naive=naive,
        free_runs=judged.free_runs,
        naive_free_run=held,
        name=series.target or "value",
        title=title,
        **where,
    )
    save_figure(figure, folder.path / "forecast.png")
    figure = plot_residuals(truth, forecasts=one_step, naive=naive, title=f"{title}, one step ahead", **where)
    save_figure(figure, folder.path / "residuals.png")
