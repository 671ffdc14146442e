"""Forecast the test rows with trained models, and score them beside the naive forecasts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision.data import ForecastSplit, Windows
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.baselines import naive_forecasts, times_of
from seqvision.pipelines.results import JudgedForecasts
from seqvision.pipelines.seed_training import stack_seeds
from seqvision.scorecards import Calibration, score_forecasts
from seqvision.seq2seq import free_run

_PATH_STEPS, _PATH_ORIGINS = 30, 100  # of the free runs whose every step is scored, at most
_LONGEST = 100  # steps of free runs that have intervals


def judge_forecasts(
    config: ForecastConfig,
    split: ForecastSplit,
    models: Mapping[str, nn.Module],
    variables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> JudgedForecasts:
    """Forecast every test row at every step and, where the target is all there is, in free runs; score all.

    Args:
      config: length, season, returns and unit are read.
      split: what `split_series` returns.
      models: from windows (B, T, D) to forecasts (B, horizon, K), by name.
      variables: what each is applied with, one tree a seed, as ``TrainedSeeds.variables`` has them.
    """
    start, rows = split.test_rows.start, split.test_rows.stop - split.test_rows.start
    scaled = split.scaler.transform(split.series.values)
    first = start - split.horizon + 1  # from here on every test row is forecast at every step
    known = split.calibration_rows
    known_first = known.start - split.horizon + 1  # and every row that calibrates
    earliest = min(first, known_first)
    inputs = Windows(scaled[earliest - config.length :], config.length, 1, targets=split.targets)
    alone = len(split.targets) == len(split.series.columns)
    origins, steps = path_origins(start, rows)
    before, steps_before = _calibration_origins(known)
    at_once: dict[str, np.ndarray] = {}
    fed_back: dict[str, np.ndarray] = {}
    forecasts: dict[str, np.ndarray] = {}
    free_runs: dict[str, np.ndarray] = {}
    paths: dict[str, np.ndarray] = {}
    for name, model in models.items():
        stacked = stack_seeds(variables[name])
        outputs = split.inverse(forecast_windows(model, stacked, inputs))[..., 0]
        forecasts[name] = outputs[:, first - earliest :]
        at_once[name] = outputs[:, known_first - earliest : known.stop - earliest]
        if alone:
            every = np.concatenate([before, origins])
            runs = [(np.array([start]), rows), (every, max(steps, steps_before))]
            free, short = (
                split.inverse(free_paths(model, stacked, _histories(scaled, at, config.length), n))[..., 0]
                for at, n in runs
            )
            free_runs[name], paths[name] = free[:, 0], short[:, len(before) :, :steps]
            fed_back[name] = short[:, : len(before), :steps_before]
    baselines = naive_forecasts(config, split)
    card = score_forecasts(
        split.series.values[:, split.targets[0]],
        start,
        forecasts=forecasts,
        free_runs=free_runs or None,
        paths=paths or None,
        path_origins=origins,
        calibration=Calibration(known, np.arange(known_first, known.stop), at_once, before, fed_back or None),
        train_rows=split.train_rows.stop,
        baselines=baselines,
        season=config.season,
        times=times_of(split.series),
        returns=config.returns,
        unit=config.unit,
    )
    return JudgedForecasts(card, forecasts, free_runs, baselines)


def path_origins(start: int, rows: int) -> tuple[np.ndarray, int]:
    """Return from where in the test rows free runs are scored step by step, evenly, and for how many steps.

    >>> origins, steps = path_origins(100, 60)
    >>> origins[0].item(), origins[-1].item(), len(origins), steps
    (100, 130, 31, 30)
    """
    steps = max(1, min(_PATH_STEPS, rows // 2))
    last = start + rows - steps
    return np.arange(start, last + 1, -(-(last - start + 1) // _PATH_ORIGINS)), steps


def _calibration_origins(rows: slice) -> tuple[np.ndarray, int]:
    """Return from where in the rows that calibrate free runs begin, evenly, and for how many steps.

    >>> origins, steps = _calibration_origins(slice(100, 160))
    >>> len(origins), steps
    (60, 30)
    """
    count = rows.stop - rows.start
    return np.arange(rows.start, rows.stop, max(1, -(-count // _PATH_ORIGINS))), min(_LONGEST, count // 2)


def seed_outputs(model: nn.Module, variables: Any, x: jax.Array) -> jax.Array:
    """Apply a model to x (B, T, D) with the variables of each seed, stacked: (S, B, horizon, K)."""
    return jax.vmap(lambda v: _apply(model, v, x))(variables)


@partial(jax.jit, static_argnums=(0, 3))
def free_paths(model: nn.Module, variables: Any, histories: jax.Array, steps: int) -> jax.Array:
    """Run a model freely from histories (O, T, D) with the variables of each seed, stacked: (S, O, steps, K)."""

    def paths(v: Any) -> jax.Array:
        return jax.vmap(lambda history: free_run(lambda x: _apply(model, v, x), history, steps))(histories)

    return jax.vmap(paths)(variables)


def _histories(scaled: np.ndarray, origins: np.ndarray, length: int) -> jax.Array:
    """Return the rows before each origin, (O, T, D)."""
    return jnp.asarray(scaled[origins[:, None] - length + np.arange(length)[None, :]], jnp.float32)


def forecast_windows(model: nn.Module, variables: Any, inputs: Windows, size: int = 4096) -> np.ndarray:
    """Forecast from every window with the variables of each seed, stacked: (S, B, horizon, K), scaled."""
    rows = np.arange(len(inputs))
    parts = [_forecast_rows(model, variables, inputs, rows[i : i + size]) for i in range(0, len(rows), size)]
    return np.concatenate([np.asarray(part) for part in parts], axis=1)


@partial(jax.jit, static_argnums=0)
def _forecast_rows(model: nn.Module, variables: Any, inputs: Windows, rows: jax.Array) -> jax.Array:
    """Return (S, B, horizon, K)."""
    return seed_outputs(model, variables, inputs.gather(rows).x)


def _apply(model: nn.Module, variables: Any, x: jax.Array) -> Any:
    return model.apply(variables, x)
