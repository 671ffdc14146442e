"""The score card: models and naive baselines on the same rows, in original units, with a verdict on each model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision.metrics import intervals, regression
from seqvision.metrics.checks import as_series
from seqvision.scorecards.baselines import Baseline, default_baselines
from seqvision.scorecards.significance import diebold_mariano
from seqvision.scorecards.tables import Record, json_records, records

Floats = NDArray[np.float64]
Mode = Literal["one step ahead", "free-running"]

_DIVERGED = 1e100  # beyond this squares overflow
_FAILED = {"mae": np.inf, "rmse": np.inf, "mase": np.inf, "smape": 200.0, "mape": np.inf, "r2": -np.inf}


class Verdict(NamedTuple):
    """What a model's numbers say against the leading baseline."""

    model: str
    mode: Mode
    outcome: Literal["no skill", "unclear", "skill"]
    text: str


@dataclass(frozen=True)
class ScoreCard:
    """Scores of models and baselines on the same test rows.

    Attributes:
      one_step: one row a forecaster; columns kind ("model", "baseline"), seeds, then mean and ``_std`` (spread over
        seeds, NaN for one) of mae, rmse (units of the series), mase, smape and mape (percent, NaN where undefined), r2,
        then direction with direction_low, direction_high (95 % Wilson) and direction_rows, and skill against the best
        baseline by RMSE.
      free_running: the same for one forecast path over all test rows, or None. Its direction (from the last value
        before the path) has no interval: the rows of one path are not independent.
      by_horizon: mean RMSE, one row a forecaster, one column a step 1..horizon, on the origins for which all steps lie
        in the series; None if the horizon is 1.
      verdicts: two for each model, or one if nothing ran freely.
      moves: how many test rows rise from the row before, fall and stay (for returns: their signs).
      test_rows: how many rows were forecast.
      unit: of the series, for the text.
    """

    one_step: pd.DataFrame
    free_running: pd.DataFrame | None
    by_horizon: pd.DataFrame | None
    verdicts: tuple[Verdict, ...]
    moves: intervals.Moves
    test_rows: int
    unit: str = ""

    def text(self) -> str:
        """Return the card as text for a terminal, at most 110 columns wide."""
        from seqvision.scorecards.score_text import render_score_card

        return render_score_card(self)

    def __str__(self) -> str:
        """Return ``text()``."""
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers; what is undefined is None."""
        tables = {"one_step": self.one_step, "free_running": self.free_running, "by_horizon": self.by_horizon}
        return {
            **{name: None if table is None else json_records(table) for name, table in tables.items()},
            "verdicts": [verdict._asdict() for verdict in self.verdicts],
            "moves": self.moves._asdict(),
            "test_rows": self.test_rows,
            "unit": self.unit,
        }


def score_forecasts(
    series: ArrayLike,
    cutoff: int,
    forecasts: Mapping[str, ArrayLike],
    *,
    free_runs: Mapping[str, ArrayLike] | None = None,
    train_rows: int | None = None,
    baselines: Mapping[str, Baseline] | None = None,
    season: int | None = None,
    returns: bool = False,
    unit: str = "",
) -> ScoreCard:
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
      returns: whether the series holds returns: a direction is then the sign of the value itself.
      unit: of the series, for the text.

    Raises:
      ValueError: if shapes do not fit, the series is not finite, or a model and a baseline share a name. Forecasts that
        are not finite score an infinite error: the model diverged.

    >>> y = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 5.0, 7.0])
    >>> card = score_forecasts(y, 5, {"mine": [6.0, 6.0, 6.5]}, baselines=default_baselines(y[:5], order=1))
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
        baselines = default_baselines(y[:train_rows], season=season, returns=returns)
    rows = len(y) - cutoff
    models = {name: _seeds(name, f, rows) for name, f in forecasts.items()}
    paths = {name: _seeds(name, f, rows)[..., 0] for name, f in (free_runs or {}).items()}
    _check_names(baselines, models, paths)
    scale = regression.naive_scale(y[:train_rows], season or 1)
    truth, before = y[cutoff:], np.zeros(rows) if returns else y[cutoff - 1 : -1]
    naive = {name: f(y, np.arange(cutoff, len(y)), 1)[None, :, 0] for name, f in baselines.items()}
    one_step = _table(truth, {name: f[..., 0] for name, f in models.items()}, naive, before, scale)
    free_table = _free_table(y, cutoff, paths, baselines, returns, scale) if paths else None
    reference = next(iter(baselines))
    verdicts = []
    for name, f in models.items():
        p_value = _p_value(truth, f[..., 0], naive[reference][0])
        verdicts.append(_judge(one_step, name, reference, "one step ahead", p_value))
        if free_table is not None and name in paths:
            verdicts.append(_judge(free_table, name, reference, "free-running", None))
    by_horizon = _by_horizon(y, cutoff, models, baselines)
    moves = intervals.count_moves(truth, before)
    return ScoreCard(one_step, free_table, by_horizon, tuple(verdicts), moves, rows, unit)


def _check_names(baselines: Mapping[str, Baseline], models: Mapping[str, Floats], paths: Mapping[str, Floats]) -> None:
    clash = sorted(set(baselines) & set(models))
    if clash or not baselines:
        raise ValueError(f"models and baselines need names of their own and at least one baseline, shared: {clash}")
    unknown = sorted(set(paths) - set(models))
    if unknown:
        raise ValueError(f"free_runs of {unknown} have no forecasts of that name: {sorted(models)}")


def _free_table(
    y: Floats, cutoff: int, paths: Mapping[str, Floats], baselines: Mapping[str, Baseline], returns: bool, scale: float
) -> pd.DataFrame:
    """Score one path from the cutoff on; its rows are not independent, so that directions have no interval."""
    rows = len(y) - cutoff
    start = np.full(rows, 0.0 if returns else y[cutoff - 1])
    naive = {name: f(y, np.array([cutoff]), rows) for name, f in baselines.items()}
    table = _table(y[cutoff:], paths, naive, start, scale)
    table[["direction_low", "direction_high"]] = np.nan
    return table


def _p_value(truth: Floats, forecasts: Floats, naive: Floats) -> float:
    """Compare squared errors, means over seeds (S, B), with those of a naive forecast (B,); NaN if undefined."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean_error = np.mean((truth[None, :] - forecasts) ** 2, axis=0)
    if len(truth) < 2 or not np.isfinite(mean_error).all():
        return np.nan
    return diebold_mariano(mean_error, (truth - naive) ** 2).p_value


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


def _table(
    truth: Floats, models: Mapping[str, Floats], baselines: Mapping[str, Floats], before: Floats, scale: float
) -> pd.DataFrame:
    rows = {name: _scores("model", truth, f, before, scale) for name, f in models.items()}
    rows |= {name: _scores("baseline", truth, f, before, scale) for name, f in baselines.items()}
    best = min(row["rmse"] for row in rows.values() if row["kind"] == "baseline")
    for row in rows.values():
        row["skill"] = 1.0 - row["rmse"] / best if best > 0 else np.nan
    return pd.DataFrame.from_dict(rows, orient="index")


def _scores(kind: str, truth: Floats, forecasts: Floats, before: Floats, scale: float) -> Record:
    """Score forecasts (S, B) of one name: the mean over seeds of each metric, and its spread."""
    whole = np.abs(forecasts).max(axis=1) < _DIVERGED  # False for NaN too
    per_seed = [_errors(truth, f, scale) if ok else _FAILED for f, ok in zip(forecasts, whole, strict=True)]
    scores: Record = {"kind": kind, "seeds": len(forecasts)}
    for name in _FAILED:
        values = np.array([errors[name] for errors in per_seed])
        scores[name] = float(values.mean())
        scores[f"{name}_std"] = float(values.std(ddof=1)) if len(values) > 1 and np.isfinite(values).all() else np.nan
    forecasts = forecasts[whole]
    shares = [intervals.directional_accuracy(truth, f, before) for f in forecasts]
    shares = [share for share in shares if share.rows]
    # Seeds forecast the same rows, so they do not make the share more certain: the interval is that of one seed's rows.
    count = round(float(np.mean([share.rows for share in shares]))) if shares else 0
    mean = float(np.mean([share.value for share in shares])) if shares else 0.0
    share = intervals.wilson_interval(mean * count, count)
    scores |= {"direction": share.value, "direction_low": share.low, "direction_high": share.high}
    scores["direction_rows"] = count
    return scores


def _errors(truth: Floats, forecast: Floats, scale: float) -> dict[str, float]:
    error = regression.mae(truth, forecast)
    return {
        "mae": error,
        "rmse": regression.rmse(truth, forecast),
        "mase": error / scale if scale > 0 else np.nan,
        "smape": regression.smape(truth, forecast),
        "mape": regression.mape(truth, forecast) if truth.all() else np.nan,
        "r2": regression.r2(truth, forecast),
    }


def _judge(table: pd.DataFrame, name: str, reference: str, mode: Mode, p_value: float | None) -> Verdict:
    rows = records(table)
    row, base = rows[name], rows[reference]["rmse"]
    spread = 0.0 if np.isnan(row["rmse_std"]) else row["rmse_std"]
    numbers = f"RMSE {row['rmse']:.4g}" + (f" ± {spread:.2g}" if spread else "") + f" against {base:.4g}"
    lower = f"{100 * (1 - row['rmse'] / base):.1f} % lower RMSE than the {reference}" if base > 0 else ""
    outcome: Literal["no skill", "unclear", "skill"]
    if row["rmse"] >= base:
        outcome, text = "no skill", f"no skill over the {reference} ({numbers})"
    elif row["rmse"] + spread >= base:
        outcome, text = "unclear", f"{lower}, within the spread over seeds: no clear skill ({numbers})"
    elif p_value is not None and not p_value < 0.05:
        outcome, text = "unclear", f"{lower}, but chance explains it: no clear skill ({numbers}, p = {p_value:.2g})"
    else:
        certainty = "on this one path" if p_value is None else ("p < .001" if p_value < 1e-3 else f"p = {p_value:.2g}")
        outcome, text = "skill", f"{lower} ({numbers}, {certainty})"
    best = min((other for other in rows if rows[other]["kind"] == "baseline"), key=lambda other: rows[other]["rmse"])
    if outcome != "no skill" and rows[best]["rmse"] < row["rmse"]:
        text += f"; but {best} is better ({rows[best]['rmse']:.4g})"
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
