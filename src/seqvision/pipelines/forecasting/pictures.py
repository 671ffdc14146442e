"""The pictures of a forecast run: losses, forecasts, intervals, residuals and errors by step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from seqvision._checks import counted
from seqvision.data import ForecastSplit
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.interval_picture import shown_intervals
from seqvision.pipelines.results import JudgedForecasts
from seqvision.reporting import Drawers, RunFolder
from seqvision.scorecards import ForecastCard, Mode, by_target, delivered_name

PLOTS = ("plot_losses", "plot_forecast", "plot_intervals", "plot_residuals", "plot_step_errors")
OUTCOMES = ("skill", "unclear", "no skill")


def draw_forecasts(
    folder: RunFolder,
    config: ForecastConfig,
    split: ForecastSplit,
    history: Mapping[str, Mapping[str, np.ndarray]],
    judged: JudgedForecasts,
    naive: dict[str, np.ndarray],
    drawers: Drawers,
) -> None:
    """Draw what `write_forecast_report` writes beside the table.

    Args:
      folder: of the run.
      config: of the run.
      split: the data.
      history: model -> metric -> (S, epochs).
      judged: what `judge_forecasts` returned.
      naive: baseline -> its forecasts (B, horizon) of every test row.
      drawers: who draws.
    """
    series, rows, card = split.series, split.test_rows, judged.card
    y = series.values[:, split.targets[0]]
    truth, start, count = y[rows], rows.start, rows.stop - rows.start
    dates = None if series.dates is None else series.dates[rows]
    models = {name: by_target(f) for name, f in judged.forecasts.items()}
    held = {name: f(y, np.array([start]), count)[0] for name, f in judged.baselines.items()}
    title = f"{series.name} {series.target}" + (", relative changes" if config.returns else "")
    where: dict[str, Any] = {"dates": dates, "first_row": start, "unit": config.unit}
    drawers.save(folder.path / "losses.png", "plot_losses", history, loss=f"{config.loss}, scaled", title=title)
    one_step = {name: f[..., 0] for name, f in models.items()}
    drawers.save(
        folder.path / "forecast.png",
        "plot_forecast",
        truth,
        forecasts=one_step,
        naive={name: naive[name][:, 0] for name in _drawn(card, "one step ahead", card.one_step)},
        ahead={name: f[..., -1] for name, f in models.items()} if split.horizon > 1 else None,
        naive_ahead={name: naive[name][:, -1] for name in _drawn(card, "all steps", card.all_steps)},
        steps_ahead=split.horizon,
        free_runs=judged.free_runs,
        naive_free_run={name: held[name] for name in _drawn(card, "free-running", card.free_running)},
        notes=_notes(card, split.horizon),
        name=series.target or "value",
        title=title,
        **where,
    )
    at_once = {delivered_name(name, len(f)): f.mean(axis=0) for name, f in models.items()} | naive
    intervals = shown_intervals(config, split, at_once, card, title)
    if intervals is not None:
        drawers.save(folder.path / "intervals.png", "plot_intervals", **intervals)
    one = card.references["one step ahead"]
    heading = f"{title}, one step ahead: {_notes(card, split.horizon)['one step ahead']}"
    drawers.save(
        folder.path / "residuals.png",
        "plot_residuals",
        truth,
        forecasts=one_step,
        naive=naive[one][:, 0],
        naive_name=one,
        title=heading,
        **where,
    )
    steps = {}
    if card.by_horizon is not None:
        steps[f"forecast at once, {counted(card.by_horizon.rows, 'test row')}"] = card.by_horizon
    if card.by_path_step is not None:
        steps[f"free-running, from {counted(card.by_path_step.rows, 'test row')}"] = card.by_path_step
    if steps:
        shown = [*(delivered_name(name, len(f)) for name, f in models.items()), *naive]
        tables = {heading: table.rmse.loc[shown] for heading, table in steps.items()}
        path = folder.path / "errors-by-step.png"
        drawers.save(path, "plot_step_errors", tables, unit=config.unit, title=title, naive=next(iter(naive)))


def _drawn(card: ForecastCard, mode: Mode, scores: pd.DataFrame | None) -> list[str]:
    """Return which naive forecasts are drawn: what is to be beaten, and what errs least in the end."""
    if scores is None:
        return []
    best = str(scores.loc[scores["kind"] == "baseline", "rmse"].idxmin())
    return list(dict.fromkeys([card.references[mode], best]))


def _notes(card: ForecastCard, horizon: int) -> dict[str, str]:
    """Return for each mode which models the card gives which outcome, at the step that is drawn."""
    found = {}
    for mode, reference in card.references.items():
        outcomes = {name: str(verdict.outcome) for name, verdict in card.delivered(mode).items()}
        if mode == "all steps" and card.by_horizon is not None:
            outcomes = {name: str(card.by_horizon.outcomes.loc[name, horizon]) for name in outcomes}
        groups = {outcome: [name for name in outcomes if outcomes[name] == outcome] for outcome in OUTCOMES}
        short = {name: name.split(" (mean of ")[0] for name in outcomes}
        parts = [f"{outcome}: {', '.join(short[n] for n in names)}" for outcome, names in groups.items() if names]
        found[str(mode)] = f"against the {reference} – " + "; ".join(parts)
    return found
