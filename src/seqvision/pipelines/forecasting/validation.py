"""Errors of trained forecasters by seed on the test rows, and on the rows by which one chooses among settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import numpy as np

from seqvision.data import ForecastSplit
from seqvision.metrics import rmse
from seqvision.pipelines.forecasting.forecaster import Forecaster
from seqvision.pipelines.forecasting.judging import windows_before
from seqvision.pipelines.results import JudgedForecasts, ValidationScores
from seqvision.scorecards import Baseline, by_target


def score_validation(
    split: ForecastSplit,
    models: Mapping[str, nn.Module],
    variables: Mapping[str, Sequence[Mapping[str, Any]]],
    baselines: Mapping[str, Baseline],
) -> ValidationScores | None:
    """Score what is delivered of every model, and the baselines, on the validation rows; None without any.

    Args:
      split: what `split_series` returns.
      models: from windows (B, T, D) to forecasts (B, horizon, K), by name.
      variables: one tree a seed.
      baselines: name -> baseline.
    """
    if split.validation is None:
        return None
    stop, truth = split.validation_rows.stop, split.truth("validation")[..., 0]
    y, origins = split.series.values[:stop, split.targets[0]], split.target_rows("validation")[:, 0]
    scaled = split.scaler.transform(split.series.values[:stop])
    windows = windows_before(scaled, int(origins[0]), int(origins[-1]), split.length)
    scores = {}
    for name, model in models.items():
        outputs = Forecaster(model, variables[name], split.horizon, len(split.targets)).forecast(windows)
        scores[name] = _rmse(truth, split.inverse(outputs)[..., 0].mean(axis=0))
    naive = {name: _rmse(truth, forecast(y, origins, split.horizon)) for name, forecast in baselines.items()}
    return ValidationScores("RMSE", truth.shape[0], scores, naive)


def seed_errors(split: ForecastSplit, judged: JudgedForecasts) -> dict[str, list[float]]:
    """Return for each model the RMSE of each seed on the test rows, over all steps of the horizon."""
    truth = split.series.values[split.test_rows, split.targets[0]]
    return {
        name: [_rmse(np.repeat(truth[:, None], f.shape[2], axis=1), seed) for seed in by_target(f)]
        for name, f in judged.forecasts.items()
    }


def _rmse(truth: np.ndarray, forecast: np.ndarray) -> float:
    """Return the error over all rows and steps; infinite where a forecast diverged."""
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(forecast).all() and np.abs(forecast).max() < 1e100
    return float(rmse(truth, forecast=forecast)) if finite else float("inf")
