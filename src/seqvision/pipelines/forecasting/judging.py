"""Forecast the test rows with trained models, and score them beside the naive forecasts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision.data import ForecastSplit, Windows, time_axis
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.results import JudgedForecasts
from seqvision.pipelines.seed_training import stack_seeds
from seqvision.scorecards import default_baselines, score_forecasts
from seqvision.seq2seq import free_run


def judge_forecasts(
    config: ForecastConfig,
    split: ForecastSplit,
    models: Mapping[str, nn.Module],
    variables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> JudgedForecasts:
    """Forecast every test row one step ahead and, where the target is all there is, in one free run; score both.

    Args:
      config: length, season, returns and unit are read.
      split: what `split_series` returns.
      models: from windows (B, T, D) to forecasts (B, horizon, K), by name.
      variables: what each is applied with, one tree a seed, as ``TrainedSeeds.variables`` has them.
    """
    start, rows = split.test_rows.start, split.test_rows.stop - split.test_rows.start
    scaled = split.scaler.transform(split.series.values)
    inputs = Windows(scaled[start - config.length :], config.length, 1, targets=split.targets)
    forecasts: dict[str, np.ndarray] = {}
    free_runs: dict[str, np.ndarray] = {}
    for name, model in models.items():
        stacked = stack_seeds(variables[name])
        outputs = np.concatenate([np.asarray(part) for part in _forecast_all(model, stacked, inputs)], axis=1)
        forecasts[name] = split.inverse(outputs)[..., 0]
        if len(split.targets) == len(split.series.columns):
            history = jnp.asarray(scaled[start - config.length : start], jnp.float32)
            free_runs[name] = split.inverse(free_paths(model, stacked, history, rows))[..., 0]
    series = split.series.values[:, split.targets[0]]
    axis = time_axis(split.series.dates)
    times = None if axis is None else axis.times
    baselines = default_baselines(
        series[: split.train_rows.stop],
        order=min(config.length, (split.train_rows.stop - 1) // 2),
        season=config.season,
        times=times,
        returns=config.returns,
    )
    card = score_forecasts(
        series,
        start,
        forecasts=forecasts,
        free_runs=free_runs or None,
        train_rows=split.train_rows.stop,
        baselines=baselines,
        season=config.season,
        times=times,
        returns=config.returns,
        unit=config.unit,
    )
    return JudgedForecasts(card, forecasts, free_runs, baselines)


def seed_outputs(model: nn.Module, variables: Any, x: jax.Array) -> jax.Array:
    """Apply a model to x (B, T, D) with the variables of each seed, stacked: (S, B, horizon, K)."""
    return jax.vmap(lambda v: _apply(model, v, x))(variables)


@partial(jax.jit, static_argnums=(0, 3))
def free_paths(model: nn.Module, variables: Any, history: jax.Array, steps: int) -> jax.Array:
    """Run a model freely from history (T, D) with the variables of each seed, stacked: (S, steps, K)."""
    return jax.vmap(lambda v: free_run(lambda x: _apply(model, v, x), history, steps))(variables)


def _forecast_all(model: nn.Module, variables: Any, inputs: Windows, size: int = 4096) -> list[jax.Array]:
    rows = np.arange(len(inputs))
    return [_forecast_rows(model, variables, inputs, rows[i : i + size]) for i in range(0, len(rows), size)]


@partial(jax.jit, static_argnums=0)
def _forecast_rows(model: nn.Module, variables: Any, inputs: Windows, rows: jax.Array) -> jax.Array:
    """Return (S, B, horizon, K)."""
    return seed_outputs(model, variables, inputs.gather(rows).x)


def _apply(model: nn.Module, variables: Any, x: jax.Array) -> Any:
    return model.apply(variables, x)
