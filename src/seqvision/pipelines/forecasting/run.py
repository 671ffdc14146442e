"""From a price file to an honest forecast: read, train, judge beside the naive forecasts, write a run folder."""

import logging

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqvision.data import ForecastSplit, Series
from seqvision.models import parameter_count
from seqvision.pipelines.config import FORECASTERS, ForecastConfig, with_batch_size
from seqvision.pipelines.forecasting.baselines import describe_baselines, naive_forecasts
from seqvision.pipelines.forecasting.data import (
    describe_data,
    describe_split,
    load_series,
    split_series,
)
from seqvision.pipelines.forecasting.judging import judge_forecasts
from seqvision.pipelines.forecasting.own_rows import save_series
from seqvision.pipelines.forecasting.report import write_forecast_report
from seqvision.pipelines.forecasting.validation import score_validation, seed_errors
from seqvision.pipelines.named_models import build_forecaster
from seqvision.pipelines.results import ForecastRun
from seqvision.pipelines.seed_training import epochs_kept, train_models, training_text
from seqvision.reporting import RunFolder

logger = logging.getLogger(__name__)


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
    models = build_forecasters(config, split)
    naive_forecasts(config, split)
    config = with_batch_size(config, len(split.train))
    with RunFolder.create(config.out, config.name, log_to=config.log_to) as folder:
        folder.write_config(config)
        data = describe_data(split, "file" if series is None else "memory")
        folder.write_json("data.json", data)
        save_series(folder, split.series)
        logger.info(describe_split(split))
        trained = train_models(
            models,
            split.train,
            config,
            folder,
            streams=FORECASTERS,
            kept={
                "scaler": split.scaler,
                "columns": split.series.columns,
                "targets": split.targets,
                "data": {**data, "returns": config.returns},
            },
            loss=config.loss,
            validation=split.validation,
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
        }
        folder.write_json("summary.json", summary)
        history = {name: done.history for name, done in trained.items()}
        write_forecast_report(folder, config, split, history, judged)
    text = "\n".join([describe_split(split), training_text(counts, trained), "", judged.card.text()])
    return ForecastRun(
        **vars(judged), folder=folder.path, text=text, summary=summary, history=history, validation=validation
    )


def build_forecasters(config: ForecastConfig, split: ForecastSplit) -> dict[str, nn.Module]:
    """Return the configured models by name."""
    return {name: build_forecaster(name, config, split.targets) for name in config.models}


def window_shape(split: ForecastSplit) -> jax.ShapeDtypeStruct:
    """Return shape and dtype of a batch of one window."""
    return jax.ShapeDtypeStruct((1, split.length, len(split.series.columns)), jnp.float32)
