"""From a price file to an honest forecast: read, train, judge beside the naive forecasts, write a run folder."""

import logging
from pathlib import Path
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqvision._compilation import kept_on_disk
from seqvision._phases import phases, seconds_so_far
from seqvision.data import ForecastSplit, Series
from seqvision.models import parameter_count
from seqvision.pipelines.config import FORECASTERS, ForecastConfig, with_batch_size
from seqvision.pipelines.forecasting.baselines import describe_baselines, naive_forecasts
from seqvision.pipelines.forecasting.data import (
    describe_data,
    describe_split,
    load_series,
    read_saved,
    split_series,
)
from seqvision.pipelines.forecasting.forecaster import Forecaster
from seqvision.pipelines.forecasting.judging import judge_forecasts
from seqvision.pipelines.forecasting.own_rows import ROWS, own_series, save_series
from seqvision.pipelines.forecasting.pictures import PLOTS
from seqvision.pipelines.forecasting.report import write_forecast_report
from seqvision.pipelines.forecasting.validation import score_validation, seed_errors
from seqvision.pipelines.kept_trainings import kept_trainings, reopen_run
from seqvision.pipelines.named_models import build_forecaster
from seqvision.pipelines.parent import PARENT, Parent, read_parent, write_parent
from seqvision.pipelines.results import ForecastRun
from seqvision.pipelines.seed_training import TrainedSeeds, epochs_kept, train_models, training_text
from seqvision.reporting import Drawers, RunFolder

logger = logging.getLogger(__name__)


@phases()
def run_forecast(config: ForecastConfig, *, series: Series | None = None, progress: bool | None = None) -> ForecastRun:
    """Train every model from every seed, judge them, and write a run folder.

    How far the run is goes to the logger "seqvision"; see `show_progress`.

    Args:
      config: what to do.
      series: rows in memory, in place of a file: what `seqvision.data.read_series` returns of a table of pandas, or
        some rows of it such as ``series[:500]``.
      progress: a progress bar on stderr; by default if that is a terminal.

    Raises:
      ValueError: for data that do not fit the configuration.
      OSError: if the run folder cannot be written; before anything is compiled.
    """
    split = split_series(config, load_series(config, series=series))
    return train_forecast(config, split, source="file" if series is None else "memory", progress=progress)


@phases()
def train_forecast(
    config: ForecastConfig,
    split: ForecastSplit,
    *,
    source: Literal["file", "memory"] = "file",
    parent: Parent | None = None,
    progress: bool | None = None,
) -> ForecastRun:
    """Train on a split, judge and write a run folder; see `run_forecast`.

    Args:
      config: what to do.
      split: what `split_series` returned.
      source: whether the configuration's file holds the rows.
      parent: the run that it is refitted from.
      progress: a progress bar on stderr; by default if that is a terminal.
    """
    models = build_forecasters(config, split)
    naive_forecasts(config, split)
    config = with_batch_size(config, len(split.train))
    folder = RunFolder.create(config.out, config.name, log_to=config.log_to)
    return train_and_judge(folder, config, split, models, source, progress, parent)


@phases()
def resume_forecast(path: str | Path, *, csv: str | None = None, progress: bool | None = None) -> ForecastRun:
    """Go on with a run that was stopped, in its folder; see `seqvision.pipelines.resume_run`.

    Args:
      path: the run folder, which has the rows that the run was made from.
      csv: where its file is now, for a run that was stopped before it had kept its rows.
      progress: a progress bar on stderr; by default if that is a terminal.
    """
    folder, config = reopen_run(path, ForecastConfig)
    source: Literal["file", "memory"] = "file"
    if folder.has("data.json") and folder.has(ROWS):
        saved = read_saved(folder)
        split, source = split_series(config, own_series(saved), saved["scaler"]), saved["source"]
    elif folder.has(PARENT):
        raise ValueError(f"{path} was stopped before it had begun: refit its parent again")
    else:
        split = split_series(config, load_series(config, csv))
    models = build_forecasters(config, split)
    parent = read_parent(folder, models, window_shape(split), config.seeds)
    return train_and_judge(folder.logging_to(config.log_to), config, split, models, source, progress, parent)


@kept_on_disk()
def train_and_judge(
    folder: RunFolder,
    config: ForecastConfig,
    split: ForecastSplit,
    models: dict[str, nn.Module],
    source: Literal["file", "memory"],
    progress: bool | None,
    parent: Parent | None = None,
) -> ForecastRun:
    """Train what the folder does not have yet, judge it, and write the rest.

    Args:
      folder: new, or of a run that was stopped.
      config: with a batch size.
      split: what `split_series` returned.
      models: what `build_forecasters` returned.
      source: of the rows, "file" or "memory".
      progress: as in `run_forecast`.
      parent: the run that it is refitted from.
    """
    with kept_trainings(folder, config) as trainings, folder, Drawers(config.plots, PLOTS) as drawers:
        write_parent(folder, parent)
        if not folder.has("config.json"):
            folder.write_config(config)
        data = describe_data(split, source)
        folder.write_json("data.json", data)
        save_series(folder, split.series)
        logger.info(describe_split(split))
        trained = train_models(
            models,
            split.train,
            config,
            folder,
            streams=FORECASTERS,
            trainings=trainings,
            kept={
                "scaler": split.scaler,
                "columns": split.series.columns,
                "targets": split.targets,
                "data": {**data, "returns": config.returns},
            },
            loss=config.loss,
            validation=split.validation,
            variables=None if parent is None else parent.variables,
            ahead=lambda model, done: _prepare_forecasts(model, done, config, split),
            progress=progress,
        )
        variables = {name: done.variables for name, done in trained.items()}
        judged = judge_forecasts(config, split, models, variables)
        validation = score_validation(split, models, variables, judged.baselines)
        counts = {name: parameter_count(model, window_shape(split)) for name, model in models.items()}
        summary = {
            "data": data,
            "scores": judged.card.to_dict(),
            "by_seed": seed_errors(split, judged),
            "validation": None if validation is None else vars(validation),
            "baselines": describe_baselines(judged.baselines),
            "parameters": counts,
            "seconds": {name: done.seconds for name, done in trained.items()},
            **epochs_kept(trained),
            **({} if parent is None else {"parent": parent.to_dict()}),
        }
        folder.write_json("summary.json", summary)
        history = {name: done.history for name, done in trained.items()}
        write_forecast_report(folder, config, split, history, judged, drawers)
        folder.write_json("phases.json", seconds_so_far())
    text = "\n".join([describe_split(split), training_text(counts, trained), "", judged.card.text()])
    return ForecastRun(
        **vars(judged), folder=folder.path, text=text, summary=summary, history=history, validation=validation
    )


def _prepare_forecasts(model: nn.Module, done: TrainedSeeds, config: ForecastConfig, split: ForecastSplit) -> None:
    forecaster = Forecaster(model, done.variables, split.horizon, len(split.targets))
    forecaster.prepare(config.length, len(split.series.columns))


def build_forecasters(config: ForecastConfig, split: ForecastSplit) -> dict[str, nn.Module]:
    """Return the configured models by name."""
    return {name: build_forecaster(name, config, split.targets) for name in config.models}


def window_shape(split: ForecastSplit) -> jax.ShapeDtypeStruct:
    """Return shape and dtype of a batch of one window."""
    return jax.ShapeDtypeStruct((1, split.length, len(split.series.columns)), jnp.float32)
