"""Score forecasts and naive baselines on the same rows, in original units, and judge each model."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_series
from seqvision.metrics import (
    count_moves,
    directional_accuracy,
    mae,
    mape,
    naive_scale,
    r2,
    rmse,
    smape,
    wilson_interval,
)
from seqvision.scorecards.forecast_baselines import Baseline, default_baselines
from seqvision.scorecards.forecast_card import ForecastCard, Mode, Verdict
from seqvision.scorecards.forecast_scores import ForecastScores
from seqvision.scorecards.significance import diebold_mariano
from seqvision.scorecards.tables import table_of

Floats = NDArray[np.float64]

_DIVERGED = 1e100  # beyond this squares overflow
_FAILED = {"mae": np.inf, "rmse": np.inf, "mase": np.inf, "smape": 200.0, "mape": np.inf, "r2": -np.inf}


def score_forecasts(
    series: ArrayLike,
    cutoff: int,
    *,
    forecasts: Mapping[str, ArrayLike],
    free_runs: Mapping[str, ArrayLike] | None = None,
    train_rows: int | None = None,
    baselines: Mapping[str, Baseline] | None = None,
    season: int | None = None,
    times: ArrayLike | None = None,
    returns: bool = False,
    unit: str = "",
) -> ForecastCard:
    """Score forecasts of every row from ``cutoff`` on, beside the naive baselines on the same rows.

    Args:
      series: (N,) in original units, time order.
      cutoff: first test row, 2 <= cutoff < N; there are B = N - cutoff test rows.
      forecasts: for each model (S, B) or (S, B, horizon) over S seeds, or (B,): entry [s, b, h] is the forecast of row
        cutoff + b + h made with the rows before cutoff + b.
      free_runs: for each model (S, B) or (B,): one path from the cutoff that feeds its own forecasts back.
      train_rows: rows [0, train_rows) that baselines are fitted on and MASE is scaled by; the default is cutoff.
      baselines: name -> baseline; the first leads the verdicts. The default is ``default_baselines``.
      season: rows in a season, for the default baselines and for MASE; None if there is none.
      times: (N,) when each row is, in steps of time: a season is then one of time; see `seasonal_naive`.
      returns: whether the series holds returns: a direction is then the sign of the value itself.
      unit: of the series, for the text.

    Raises:
      ValueError: if shapes do not fit, the series is not finite, or a model and a baseline share a name. Forecasts that
        are not finite score an infinite error: the model diverged.

    >>> y = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 5.0, 7.0])
    >>> card = score_forecasts(y, 5, forecasts={"mine": [6.0, 6.0, 6.5]}, baselines=default_baselines(y[:5], order=1))
    >>> card.verdicts[0].outcome
    'unclear'
    """
    y = as_series("series", series)
    train_rows = cutoff if train_rows is None else train_rows
    if not (2 <= train_rows <= cutoff < len(y)):
        raise ValueError(
            f"need 2 <= train_rows <= cutoff < N, got train_rows={train_rows}, cutoff={cutoff}, N={len(y)}"
        )
    if baselines is None:
        baselines = default_baselines(y[:train_rows], season=season, times=times, returns=returns)
    rows = len(y) - cutoff
    models = {name: _seeds(name, f, rows) for name, f in forecasts.items()}
    paths = {name: _seeds(name, f, rows)[..., 0] for name, f in (free_runs or {}).items()}
    _check_names(baselines, models, paths)
    scale = naive_scale(y[:train_rows], season or 1, times=times)
    truth, before = y[cutoff:], np.zeros(rows) if returns else y[cutoff - 1 : -1]
    naive = {name: f(y, np.arange(cutoff, len(y)), 1)[None, :, 0] for name, f in baselines.items()}
    one_step = _rows(truth, {name: f[..., 0] for name, f in models.items()}, naive, before, scale)
    free_rows = _free_rows(y, cutoff, paths, baselines, returns, scale) if paths else None
    reference = next(iter(baselines))
    verdicts = []
    for name, f in models.items():
        p_value = _p_value(truth, f[..., 0], naive[reference][0])
        verdicts.append(_judge(one_step, name, reference, "one step ahead", p_value))
        if free_rows is not None and name in paths:
            verdicts.append(_judge(free_rows, name, reference, "free-running", None))
    by_horizon = _by_horizon(y, cutoff, models, baselines)
    moves = count_moves(truth, last_observed=before)
    free_table = None if free_rows is None else table_of(free_rows)
    return ForecastCard(table_of(one_step), free_table, by_horizon, tuple(verdicts), moves, rows, unit)


def _check_names(baselines: Mapping[str, Baseline], models: Mapping[str, Floats], paths: Mapping[str, Floats]) -> None:
    clash = sorted(set(baselines) & set(models))
    if clash or not baselines:
        raise ValueError(f"models and baselines need names of their own and at least one baseline, shared: {clash}")
    unknown = sorted(set(paths) - set(models))
    if unknown:
        raise ValueError(f"free_runs of {unknown} have no forecasts of that name: {sorted(models)}")


def _free_rows(
    y: Floats, cutoff: int, paths: Mapping[str, Floats], baselines: Mapping[str, Baseline], returns: bool, scale: float
) -> dict[str, ForecastScores]:
    """Score one path from the cutoff on; its rows are not independent, so that directions have no interval."""
    rows = len(y) - cutoff
    start = np.full(rows, 0.0 if returns else y[cutoff - 1])
    naive = {name: f(y, np.array([cutoff]), rows) for name, f in baselines.items()}
    scored = _rows(y[cutoff:], paths, naive, start, scale)
    return {name: row._replace(direction_low=np.nan, direction_high=np.nan) for name, row in scored.items()}


def _p_value(truth: Floats, forecasts: Floats, naive: Floats) -> float:
    """Compare squared errors, means over seeds (S, B), with those of a naive forecast (B,); NaN if undefined."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean_error = np.mean((truth[None, :] - forecasts) ** 2, axis=0)
    if len(truth) < 2 or not np.isfinite(mean_error).all():
        return np.nan
    return diebold_mariano(mean_error, other_losses=(truth - naive) ** 2).p_value


def _seeds(name: str, forecasts: ArrayLike, rows: int) -> Floats:
    """Return (S, B, horizon); forecasts may have diverged, which costs an infinite error rather than the whole card."""
    f = np.asarray(forecasts, np.float64)
    shape = f.shape
    f = f[None, :, None] if f.ndim == 1 else f[..., None] if f.ndim == 2 else f
    if f.ndim != 3 or f.shape[1] != rows:
        raise ValueError(
            f"forecasts of {name!r} have shape {shape}: expected ({rows},), (seeds, {rows}) or "
            f"(seeds, {rows}, horizon), one forecast for each of the {rows} test rows"
        )
    return f


def _rows(
    truth: Floats, models: Mapping[str, Floats], baselines: Mapping[str, Floats], before: Floats, scale: float
) -> dict[str, ForecastScores]:
    rows = {name: _scores("model", truth, f, before, scale) for name, f in models.items()}
    rows |= {name: _scores("baseline", truth, f, before, scale) for name, f in baselines.items()}
    best = min(row.rmse for row in rows.values() if row.kind == "baseline")
    return {name: row._replace(skill=1.0 - row.rmse / best if best > 0 else np.nan) for name, row in rows.items()}


def _scores(
    kind: Literal["model", "baseline"], truth: Floats, forecasts: Floats, before: Floats, scale: float
) -> ForecastScores:
    """Score forecasts (S, B) of one name: the mean over seeds of each metric, and its spread; skill is left open."""
    whole = np.abs(forecasts).max(axis=1) < _DIVERGED  # False for NaN too
    per_seed = [_errors(truth, f, scale) if ok else _FAILED for f, ok in zip(forecasts, whole, strict=True)]
    errors: dict[str, float] = {}
    for name in _FAILED:
        values = np.array([one[name] for one in per_seed])
        errors[name] = float(values.mean())
        errors[f"{name}_std"] = float(values.std(ddof=1)) if len(values) > 1 and np.isfinite(values).all() else np.nan
    shares = [directional_accuracy(truth, forecast=f, last_observed=before) for f in forecasts[whole]]
    shares = [share for share in shares if share.rows]
    # Seeds forecast the same rows, so they do not make the share more certain: the interval is that of one seed's rows.
    count = round(float(np.mean([share.rows for share in shares]))) if shares else 0
    mean = float(np.mean([share.value for share in shares])) if shares else 0.0
    share = wilson_interval(mean * count, count)
    return ForecastScores(
        kind=kind,
        seeds=len(forecasts),
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


def _judge(rows: Mapping[str, ForecastScores], name: str, reference: str, mode: Mode, p_value: float | None) -> Verdict:
    row, base = rows[name], rows[reference].rmse
    spread = 0.0 if np.isnan(row.rmse_std) else row.rmse_std
    numbers = f"RMSE {row.rmse:.4g}" + (f" ± {spread:.2g}" if spread else "") + f" against {base:.4g}"
    lower = f"{100 * (1 - row.rmse / base):.1f} % lower RMSE than the {reference}" if base > 0 else ""
    outcome: Literal["no skill", "unclear", "skill"]
    if row.rmse >= base:
        outcome, text = "no skill", f"no skill over the {reference} ({numbers})"
    elif row.rmse + spread >= base:
        outcome, text = "unclear", f"{lower}, within the spread over seeds: no clear skill ({numbers})"
    elif p_value is not None and not p_value < 0.05:
        outcome, text = "unclear", f"{lower}, but chance explains it: no clear skill ({numbers}, p = {p_value:.2g})"
    else:
        certainty = "on this one path" if p_value is None else ("p < .001" if p_value < 1e-3 else f"p = {p_value:.2g}")
        outcome, text = "skill", f"{lower} ({numbers}, {certainty})"
    best = min((other for other in rows if rows[other].kind == "baseline"), key=lambda other: rows[other].rmse)
    if outcome != "no skill" and rows[best].rmse < row.rmse:
        text += f"; but {best} is better ({rows[best].rmse:.4g})"
    return Verdict(name, mode, outcome, f"{name}, {mode}: {text}")


def _by_horizon(
    y: Floats, cutoff: int, models: Mapping[str, Floats], baselines: Mapping[str, Baseline]
) -> pd.DataFrame | None:
    steps = max((f.shape[2] for f in models.values()), default=1)
    complete = len(y) - cutoff - steps + 1
    if steps == 1 or complete < 1:
        return None
    origins = np.arange(cutoff, cutoff + complete)
    truth = y[origins[:, None] + np.arange(steps)[None, :]]
    rows = {}
    for name, f in models.items():
        error = np.full(steps, np.nan)
        with np.errstate(over="ignore", invalid="ignore"):
            squared = (truth[None, :, : f.shape[2]] - f[:, :complete]) ** 2
            error[: f.shape[2]] = np.sqrt(squared.mean(axis=1)).mean(axis=0)
        rows[name] = error
    for name, baseline in baselines.items():
        rows[name] = np.sqrt(np.mean((truth - baseline(y, origins, steps)) ** 2, axis=0))
    return pd.DataFrame(rows, index=range(1, steps + 1)).T
