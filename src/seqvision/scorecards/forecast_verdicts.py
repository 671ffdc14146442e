"""Against which naive forecast a model is judged, and what the numbers say."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seqvision.scorecards.forecast_baselines import Baseline
from seqvision.scorecards.forecast_rows import Forecaster, Task, forecasters
from seqvision.scorecards.forecast_scores import ForecastScores
from seqvision.scorecards.significance import diebold_mariano
from seqvision.scorecards.verdict import Mode, Outcome, Verdict

Floats = NDArray[np.float64]

CERTAIN = 0.05  # p-values below this are no chance


def choose_reference(series: Floats, first: int, stop: int, baselines: Mapping[str, Baseline], steps: int = 1) -> str:
    """Return the baseline to be judged against: the first, unless rows before the test show a better one.

    Another takes its place if its forecasts of the rows [first, stop), up to so many steps ahead, err less by more than
    chance (Diebold and Mariano, p < .05); of several the one that errs least. No test row is looked at, so that the
    choice favors nobody; and a difference that chance explains does not change what everybody expects to be beaten.

    >>> from seqvision.scorecards import drift, last_value
    >>> ramp = np.arange(50.0) + np.sin(np.arange(50))
    >>> choose_reference(ramp, 30, 40, {"last value": last_value, "drift": drift})
    'drift'
    """
    declared = next(iter(baselines))
    if first >= stop:
        return declared
    truth = series[first:stop, None]
    losses = {}
    for name, baseline in baselines.items():
        forecasts = by_target(baseline(series[:stop], np.arange(first - steps + 1, stop), steps))
        with np.errstate(over="ignore", invalid="ignore"):
            losses[name] = np.mean((truth - forecasts) ** 2, axis=1)
    better = {
        name: float(loss.mean())
        for name, loss in losses.items()
        if loss.mean() < losses[declared].mean() and p_value(loss, losses[declared], steps) < CERTAIN
    }
    return min(better, key=better.__getitem__) if better else declared


def by_target(forecasts: Floats) -> Floats:
    """Turn forecasts (…, R + steps - 1, steps) by origin, the row forecast first, into (…, R, steps) by target row.

    >>> by_target(np.array([[10, 11], [11, 12], [12, 13]])).tolist()
    [[11, 11], [12, 12]]
    """
    steps = forecasts.shape[-1]
    rows = forecasts.shape[-2] - steps + 1
    return np.stack([forecasts[..., steps - 1 - h : steps - 1 - h + rows, h] for h in range(steps)], axis=-1)


def p_value(losses: Floats, other: Floats, overlap: int) -> float:
    """Return how probable such a difference of mean losses (R,) is by chance; NaN where nothing can be said."""
    if len(losses) <= max(overlap, 1) or not (np.isfinite(losses).all() and np.isfinite(other).all()):
        return np.nan
    return diebold_mariano(losses, other_losses=other, horizon=overlap).p_value


def judge_rows(
    rows: Mapping[str, ForecastScores], reference: str, mode: Mode, chances: Mapping[str, float]
) -> list[Verdict]:
    """Judge every model, and every mean over seeds, of a scored task.

    Args:
      rows: its scores.
      reference: the baseline that it is judged against.
      mode: how it was forecast.
      chances: how probable the difference is by chance, by name; nothing of those of which it cannot be told.
    """
    names = [name for name, row in rows.items() if row.kind != "baseline"]
    return [_judge(rows, name, reference, mode, chances.get(name)) for name in names]


def chances_of(task: Task, reference: str, overlap: int) -> dict[str, float]:
    """Return for every model, and every mean over seeds, the p-value of its difference from the reference.

    Args:
      task: what was forecast; squared errors are means over its steps.
      reference: a baseline.
      overlap: rows over which errors depend on each other.
    """
    naive = np.mean(_squared(task, task.naive[reference][None]), axis=(0, 2))
    found = forecasters(task).items()
    losses = {
        name: np.mean(_squared(task, one.forecasts), axis=(0, 2)) for name, one in found if one.kind != "baseline"
    }
    return {name: p_value(loss, naive, overlap) for name, loss in losses.items()}


def outcomes_by_step(task: Task, reference: str, overlap: Mapping[int, int]) -> dict[str, list[Outcome]]:
    """Return for each model and mean over seeds the outcome of each step; overlap says of which rows errors depend."""
    found: dict[str, list[Outcome]] = {}
    for step, rows in overlap.items():
        part = task.at_step(step)
        naive = np.mean(_squared(part, part.naive[reference][None]), axis=(0, 2))
        for name, one in forecasters(part).items():
            if one.kind != "baseline":
                found.setdefault(name, []).append(_outcome(part, one, naive, rows))
    return found


def step_errors(task: Task) -> dict[str, Floats]:
    """Return the RMSE (steps,) of every forecaster, mean over seeds; NaN for steps that it does not forecast."""
    steps = task.truth.shape[1]
    found = {}
    for name, one in forecasters(task).items():
        errors = np.sqrt(np.mean(_squared(task, one.forecasts), axis=1)).mean(axis=0)
        found[name] = np.pad(errors, (0, steps - len(errors)), constant_values=np.nan)
    return found


def _squared(task: Task, forecasts: Floats) -> Floats:
    """Return squared errors (S, R, steps); infinite where a forecast diverged."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = (task.truth[None, :, : forecasts.shape[2]] - forecasts) ** 2
    return np.where(np.isnan(squared), np.inf, squared)


def _outcome(task: Task, one: Forecaster, naive: Floats, overlap: int) -> Outcome:
    losses = np.mean(_squared(task, one.forecasts), axis=(0, 2))
    if not losses.mean() < naive.mean():
        return "no skill"
    best = min(float(_squared(task, other[None]).mean()) for other in task.naive.values())
    return "skill" if losses.mean() <= best and p_value(losses, naive, overlap) < CERTAIN else "unclear"


def _judge(rows: Mapping[str, ForecastScores], name: str, reference: str, mode: Mode, chance: float | None) -> Verdict:
    row, base = rows[name], rows[reference].rmse
    spread = 0.0 if np.isnan(row.rmse_std) else row.rmse_std
    numbers = f"RMSE {row.rmse:.4g}" + (f" ± {spread:.2g} over seeds" if spread else "") + f" against {base:.4g}"
    lower = f"{100 * (1 - row.rmse / base):.1f} % lower RMSE than the {reference}" if base > 0 else ""
    best = min((other for other in rows if rows[other].kind == "baseline"), key=lambda other: rows[other].rmse)
    outcome: Outcome = "unclear"
    if not row.rmse < base:
        outcome, text = "no skill", f"no skill over the {reference} ({numbers})"
    elif rows[best].rmse < row.rmse:
        text = f"{lower}, but {best} is better ({rows[best].rmse:.4g}): no clear skill ({numbers})"
    elif row.rmse + spread >= base:
        text = f"{lower}, within the spread over seeds: no clear skill ({numbers})"
    elif chance is None:
        text = f"{lower} on this one path, which does not tell it from chance: no clear skill ({numbers})"
    elif np.isnan(chance):
        text = f"{lower}, but no test of these rows tells it from chance: no clear skill ({numbers})"
    elif chance >= CERTAIN:
        text = f"{lower}, but chance explains it: no clear skill ({numbers}, p = {chance:.2g})"
    else:
        certainty = "p < .001" if chance < 1e-3 else f"p = {chance:.2g}"
        outcome, text = "skill", f"{lower} ({numbers}, {certainty})"
    p = np.nan if chance is None else chance
    return Verdict(name, mode, outcome, f"{name}, {mode}: {text}", reference, p)
