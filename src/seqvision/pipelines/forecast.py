"""From a price file to an honest forecast: read, train, judge beside the naive forecasts, write a run folder."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision.data import ForecastSplit, Windows
from seqvision.models import parameter_count, variable_shapes
from seqvision.pipelines.build import build_forecaster
from seqvision.pipelines.config import FORECASTERS, ForecastConfig, config_from_dict
from seqvision.pipelines.forecast_data import describe_data, describe_split, fingerprint, load_series, split_series
from seqvision.pipelines.forecast_report import write_forecast_report
from seqvision.pipelines.seeds import Say, history_records, silent, stack_seeds, state_variables, train_seeds
from seqvision.reporting import RunFolder
from seqvision.scorecards import default_baselines, score_forecasts
from seqvision.seq2seq import free_run

Variables = dict[str, list[dict[str, Any]]]  # model -> one tree a seed


def run_forecast(config: ForecastConfig, *, say: Say = silent, progress: bool | None = None) -> dict[str, Any]:
    """Train every model from every seed, judge them, and write a run folder.

    Args:
      config: what to do.
      say: called with lines on how far the run is.
      progress: a progress bar on stderr; by default if that is a terminal.

    Returns:
      "folder" (its path), "card" (a `ForecastCard`), "text" (what to print), "summary" (plain numbers, as in
      summary.json), "history" (model -> metric -> (S, epochs)), "forecasts" and "free_runs" (model -> (S, B, horizon)
      and (S, B), original units).

    Raises:
      ValueError: for data that do not fit the configuration.
      OSError: if the run folder cannot be written; before anything is compiled.
    """
    split = split_series(config, load_series(config))
    models = build_models(config, split)
    if config.batch_size > len(split.train):
        raise ValueError(f"batch_size {config.batch_size} is larger than the {len(split.train)} training windows")
    with RunFolder.create(config.out, config.name) as folder:
        folder.write_config(config)
        folder.write_json("data.json", describe_data(split))
        say(describe_split(split))
        trained, variables = {}, {}
        for name, model in models.items():
            done = train_seeds(
                model,
                split.train,
                config,
                loss=config.loss,
                stream=FORECASTERS.index(name),
                validation=split.validation,
                progress=progress,
            )
            trained[name] = done
            variables[name] = [state_variables(state) for state in done.states]
            folder.log_metrics(history_records(name, done.history))
            say(f"{name}: {config.seeds} seeds trained in {done.seconds['run']:.2f} s")
        folder.save_parameters({name: _by_seed(trees) for name, trees in variables.items()})
        judged = judge_forecasts(config, split, models, variables)
        counts = {name: parameter_count(model, _example(split)) for name, model in models.items()}
        summary = {
            "data": describe_data(split),
            "scores": judged["card"].to_dict(),
            "parameters": counts,
            "seconds": {name: done.seconds for name, done in trained.items()},
        }
        folder.write_json("summary.json", summary)
        history = {name: done.history for name, done in trained.items()}
        write_forecast_report(folder, config, split, history, judged)
    text = "\n".join([describe_split(split), _times(counts, summary["seconds"]), "", judged["card"].text()])
    return {**judged, "folder": folder.path, "text": text, "summary": summary, "history": history}


def evaluate_forecast(path: str | Path, csv: str | None = None) -> dict[str, Any]:
    """Recompute the score card of a run from its saved parameters and configuration.

    Args:
      path: the run folder.
      csv: where its data file is now, if that has moved.

    Returns:
      "card", "text", "forecasts" and "free_runs", as ``run_forecast``.

    Raises:
      ValueError: if the data are not those of the run, or the parameters do not fit the models.
    """
    folder = RunFolder.open(path)
    config = config_from_dict(ForecastConfig, folder.read_json("config.json"))
    split = split_series(config, load_series(config, csv))
    saved = folder.read_json("data.json")
    if saved["sha256"] != fingerprint(split.series):
        raise ValueError(
            f"the data are not those of {folder.path}: it had {saved['rows']} rows of {', '.join(saved['columns'])}, "
            f"now there are {len(split.series)} of {', '.join(split.series.columns)}, or values differ: "
            "for new data use predict"
        )
    models = build_models(config, split)
    judged = judge_forecasts(config, split, models, load_variables(folder, config, models, _example(split)))
    return {**judged, "text": "\n".join([describe_split(split), "", judged["card"].text()])}


def build_models(config: ForecastConfig, split: ForecastSplit) -> dict[str, nn.Module]:
    """Return the configured models by name."""
    return {name: build_forecaster(name, config, split.targets) for name in config.models}


def load_variables(
    folder: RunFolder, config: ForecastConfig, models: Mapping[str, nn.Module], example: jax.ShapeDtypeStruct
) -> Variables:
    """Read the saved variables of every model and seed, refusing what does not fit."""
    expected = {name: _by_seed([variable_shapes(model, example)] * config.seeds) for name, model in models.items()}
    saved = folder.load_parameters(expected)
    return {name: [saved[name][f"seed_{s}"] for s in range(config.seeds)] for name in models}


def judge_forecasts(
    config: ForecastConfig, split: ForecastSplit, models: Mapping[str, nn.Module], variables: Variables
) -> dict[str, Any]:
    """Forecast every test row one step ahead and, where the target is all there is, in one free run; score both.

    Returns:
      "card", "forecasts" (S, B, horizon) and "free_runs" (S, B) by model, "baselines" (name -> function).
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
    baselines = default_baselines(
        series[: split.train_rows.stop],
        order=min(config.length, (split.train_rows.stop - 1) // 2),
        season=config.season,
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
        returns=config.returns,
        unit=config.unit,
    )
    return {"card": card, "forecasts": forecasts, "free_runs": free_runs, "baselines": baselines}


def _forecast_all(model: nn.Module, variables: Any, inputs: Windows, size: int = 4096) -> list[jax.Array]:
    rows = np.arange(len(inputs))
    return [_forecast_rows(model, variables, inputs, rows[i : i + size]) for i in range(0, len(rows), size)]


@partial(jax.jit, static_argnums=0)
def _forecast_rows(model: nn.Module, variables: Any, inputs: Windows, rows: jax.Array) -> jax.Array:
    """Return (S, B, horizon, K)."""
    return seed_outputs(model, variables, inputs.gather(rows).x)


def seed_outputs(model: nn.Module, variables: Any, x: jax.Array) -> jax.Array:
    """Apply a model to x (B, T, D) with the variables of each seed, stacked: (S, B, horizon, K)."""
    return jax.vmap(lambda v: _apply(model, v, x))(variables)


@partial(jax.jit, static_argnums=(0, 3))
def free_paths(model: nn.Module, variables: Any, history: jax.Array, steps: int) -> jax.Array:
    """Run a model freely from history (T, D) with the variables of each seed, stacked: (S, steps, K)."""
    return jax.vmap(lambda v: free_run(lambda x: _apply(model, v, x), history, steps))(variables)


def _apply(model: nn.Module, variables: Any, x: jax.Array) -> Any:
    return model.apply(variables, x)


def _by_seed(trees: list[Any]) -> dict[str, Any]:
    return {f"seed_{s}": tree for s, tree in enumerate(trees)}


def _example(split: ForecastSplit) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((1, split.length, len(split.series.columns)), jnp.float32)


def _times(counts: Mapping[str, int], seconds: Mapping[str, Mapping[str, float]]) -> str:
    return "\n".join(
        f"{name}: {counts[name]:,} parameters, all seeds trained in {seconds[name]['run']:.2f} s"
        f" (and compiled in {seconds[name]['compile']:.2f} s)"
        for name in counts
    )
