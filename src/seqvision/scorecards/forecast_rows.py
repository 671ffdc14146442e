"""From forecasts of some rows to rows of the score card."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqvision.metrics import directional_accuracy, mae, mape, r2, rmse, smape, wilson_interval
from seqvision.scorecards.forecast_scores import ForecastScores
from seqvision.scorecards.verdict import RowKind, delivered_name

Floats = NDArray[np.float64]

_DIVERGED = 1e100  # beyond this squares overflow
_FAILED = {"mae": np.inf, "rmse": np.inf, "mase": np.inf, "smape": 200.0, "mape": np.inf, "r2": -np.inf}


class Task(NamedTuple):
    """The same rows, forecast 1 to ``steps`` rows ahead by models and baselines."""

    truth: Floats  # (R, steps)
    before: Floats  # (R, steps), the last value known when each forecast was made
    models: Mapping[str, Floats]  # (S, R, steps)
    naive: Mapping[str, Floats]  # (R, steps)

    def at_step(self, step: int) -> "Task":
        """Return the forecasts of one step, counted from 0, by those that make some."""
        models = {name: f[..., step, None] for name, f in self.models.items() if step < f.shape[2]}
        naive = {name: f[:, step, None] for name, f in self.naive.items()}
        return Task(self.truth[:, step, None], self.before[:, step, None], models, naive)


class Forecaster(NamedTuple):
    """What a row of a card scores."""

    kind: RowKind
    seeds: int
    forecasts: Floats  # (S, R, steps), S = 1 for all but models of several seeds


def forecasters(task: Task) -> dict[str, Forecaster]:
    """Return models, the mean over seeds of those that have several, and baselines, by the names of their rows."""
    found = {name: Forecaster("model", len(f), f) for name, f in task.models.items()}
    with np.errstate(over="ignore", invalid="ignore"):  # a seed may have diverged
        found |= {
            delivered_name(name, len(f)): Forecaster("mean of seeds", len(f), f.mean(axis=0, keepdims=True))
            for name, f in task.models.items()
            if len(f) > 1
        }
    return found | {name: Forecaster("baseline", 1, f[None]) for name, f in task.naive.items()}


def score_rows(task: Task, reference: str, scale: float, *, independent: bool = True) -> dict[str, ForecastScores]:
    """Score every forecaster of a task over all its steps.

    Args:
      task: what was forecast.
      reference: the baseline that skill is against.
      scale: of MASE.
      independent: whether rows are, so that a share of them has an interval.
    """
    rows = {name: _scores(task, one, scale) for name, one in forecasters(task).items()}
    if not independent:
        rows = {name: row._replace(direction_low=np.nan, direction_high=np.nan) for name, row in rows.items()}
    return {name: row._replace(skill=skill_of(row.rmse, rows[reference].rmse)) for name, row in rows.items()}


def skill_of(error: float, reference: float) -> float:
    """Return 1 - error / reference; NaN if the reference makes none or has diverged."""
    return 1.0 - error / reference if 0 < reference < np.inf else np.nan


def _scores(task: Task, one: Forecaster, scale: float) -> ForecastScores:
    """Return the mean over seeds of each metric and its spread; skill is left open."""
    truth, before = task.truth.ravel(), task.before.ravel()
    each = one.forecasts.reshape(len(one.forecasts), -1)
    whole = np.abs(each).max(axis=1) < _DIVERGED  # False for NaN too
    per_seed = [_errors(truth, f, scale) if ok else _FAILED for f, ok in zip(each, whole, strict=True)]
    errors: dict[str, float] = {}
    for name in _FAILED:
        values = np.array([seed[name] for seed in per_seed])
        errors[name] = float(values.mean())
        errors[f"{name}_std"] = float(values.std(ddof=1)) if len(values) > 1 and np.isfinite(values).all() else np.nan
    shares = [directional_accuracy(truth, forecast=f, last_observed=before) for f in each[whole]]
    shares = [share for share in shares if share.rows]
    # Seeds forecast the same rows, so they do not make the share more certain: the interval is that of one seed's rows.
    count = round(float(np.mean([share.rows for share in shares]))) if shares else 0
    mean = float(np.mean([share.value for share in shares])) if shares else 0.0
    share = wilson_interval(mean * count, count)
    return ForecastScores(
        kind=one.kind,
        seeds=one.seeds,
        **errors,
        direction=share.value,
        direction_low=share.low,
        direction_high=share.high,
        direction_rows=count,
        skill=np.nan,
    )


def _errors(truth: Floats, forecast: Floats, scale: float) -> dict[str, float]:
    error = mae(truth, forecast=forecast)
    return {
        "mae": error,
        "rmse": rmse(truth, forecast=forecast),
        "mase": error / scale if scale > 0 else np.nan,
        "smape": smape(truth, forecast=forecast),
        "mape": mape(truth, forecast=forecast) if truth.all() else np.nan,
        "r2": r2(truth, forecast=forecast),
    }
