"""Score forecasts and naive baselines on the same rows, in original units, and judge each model."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_series
from seqvision._checks import check_choice, check_flag
from seqvision.metrics import count_moves, naive_scale
from seqvision.scorecards.forecast_baselines import Baseline, default_baselines
from seqvision.scorecards.forecast_card import ForecastCard
from seqvision.scorecards.forecast_intervals import Calibration, Way, judge_intervals
from seqvision.scorecards.forecast_rows import Task
from seqvision.scorecards.forecast_tables import CardTables, Scored
from seqvision.scorecards.verdict import Mode, delivered_name

Floats = NDArray[np.float64]


def score_forecasts(
    series: ArrayLike,
    cutoff: int,
    *,
    forecasts: Mapping[str, ArrayLike],
    free_runs: Mapping[str, ArrayLike] | None = None,
    paths: Mapping[str, ArrayLike] | None = None,
    path_origins: ArrayLike = (),
    calibration: Calibration | None = None,
    train_rows: int | None = None,
    baselines: Mapping[str, Baseline] | None = None,
    reference: str | None = None,
    season: int | None = None,
    times: ArrayLike | None = None,
    returns: bool = False,
    unit: str = "",
) -> ForecastCard:
    """Score forecasts of every row from ``cutoff`` on, beside the naive baselines on the same rows.

    A model of several seeds has two rows: one for its seeds, each score a mean with its spread, and "name (mean of S
    seeds)" for the one forecaster whose forecast is the mean of theirs.

    Args:
      series: (N,) in original units, time order.
      cutoff: first test row, 2 <= cutoff < N; there are B = N - cutoff test rows.
      forecasts: for each model (S, B) over S seeds, or (B,), or (S, B + horizon - 1, horizon): entry [s, i, h] is the
        forecast of row cutoff - (horizon - 1) + i + h made with the rows before cutoff - (horizon - 1) + i. So each of
        the B test rows is forecast once at every step, and all steps are scored on the same rows.
      free_runs: for each model (S, B) or (B,): one path from the cutoff that feeds its own forecasts back. Without
        ``paths`` its verdict is never "skill".
      paths: for each model (S, O, K): such paths of K rows from O origins, which score the steps of a free run and tell
        skill from chance, as one path cannot.
      path_origins: (O,) ints in order, the first row of each of these paths, cutoff <= origin <= N - K.
      calibration: forecasts of rows before the test, from which all forecasters get intervals; None for none.
      train_rows: rows [0, train_rows) that baselines are fitted on and MASE is scaled by; the default is cutoff.
      baselines: name -> baseline. The default is ``default_baselines``.
      reference: the baseline that skill and verdicts are against. The default is the first one, unless another errs
        clearly less on the rows [train_rows, cutoff): p < .05 by `diebold_mariano`. The card says which it is.
      season: rows in a season, for the default baselines and for MASE; None if there is none.
      times: (N,) when each row is, in steps of time: a season is then one of time; see `seasonal_naive`.
      returns: whether the series holds returns: a direction is then the sign of the value itself.
      unit: of the series, for the text.

    Raises:
      ValueError: if shapes do not fit, the series is not finite, or two rows share a name. Forecasts that are not
        finite score an infinite error: the model diverged.

    >>> y = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 5.0, 7.0])
    >>> card = score_forecasts(y, 5, forecasts={"mine": [6.0, 6.0, 6.5]}, baselines=default_baselines(y[:5], order=1))
    >>> card.verdicts[0].outcome
    'unclear'
    """
    check_flag("returns", returns, owner="score_forecasts")
    y = as_series("series", series)
    train_rows = cutoff if train_rows is None else train_rows
    if not (2 <= train_rows <= cutoff < len(y)):
        raise ValueError(
            f"need 2 <= train_rows <= cutoff < N, got train_rows={train_rows}, cutoff={cutoff}, N={len(y)}"
        )
    if baselines is None:
        baselines = default_baselines(y[:train_rows], season=season, times=times, returns=returns)
    if reference is not None:
        check_choice("reference", reference, tuple(baselines))
    rows = len(y) - cutoff
    models = {name: _seeds(name, f, rows) for name, f in forecasts.items()}
    free = {name: _seeds(name, f, rows)[..., 0] for name, f in (free_runs or {}).items()}
    _check_names(baselines, models, free)
    scale = naive_scale(y[:train_rows], season or 1, times=times)
    room = CardTables(y, train_rows, cutoff, baselines, reference, scale, returns)
    horizon = max((f.shape[2] for f in models.values()), default=1)
    whole = room.task(models, horizon)
    scored: dict[Mode, Scored] = {"one step ahead": room.score(whole.at_step(0), "one step ahead")}
    if horizon > 1:
        longest = {name: f for name, f in whole.models.items() if f.shape[2] == horizon}
        scored["all steps"] = room.score(whole._replace(models=longest), "all steps")
    short = room.paths(paths, path_origins) if paths else None
    if free:
        scored["free-running"] = room.score_path(free, short)
    tests: dict[Way, Task] = {"at once": whole}
    if short is not None:
        tests["fed back"] = room.path_task(*short)
    tables = {mode: one.table for mode, one in scored.items()}
    return ForecastCard(
        one_step=tables["one step ahead"],
        all_steps=tables.get("all steps"),
        free_running=tables.get("free-running"),
        by_horizon=room.by_step(whole, room.chosen(horizon), {h: h + 1 for h in range(horizon)})
        if horizon > 1
        else None,
        by_path_step=None if short is None else room.by_path_step(short),
        verdicts=tuple(verdict for one in scored.values() for verdict in one.verdicts),
        references={mode: one.reference for mode, one in scored.items()},
        choice=room.choice(),
        intervals=judge_intervals(y, calibration, baselines, tests),
        moves=count_moves(whole.truth[:, 0], last_observed=whole.before[:, 0]),
        test_rows=rows,
        unit=unit,
    )


def _check_names(baselines: Mapping[str, Baseline], models: Mapping[str, Floats], free: Mapping[str, Floats]) -> None:
    means = [delivered_name(name, len(f)) for name, f in models.items() if len(f) > 1]
    names = [*baselines, *models, *means]
    clash = sorted({name for name in names if names.count(name) > 1})
    if clash or not baselines:
        raise ValueError(f"models and baselines need names of their own and at least one baseline, shared: {clash}")
    unknown = sorted(set(free) - set(models))
    if unknown:
        raise ValueError(f"free_runs of {unknown} have no forecasts of that name: {sorted(models)}")


def _seeds(name: str, forecasts: ArrayLike, rows: int) -> Floats:
    """Return (S, B + horizon - 1, horizon); what diverged costs an infinite error, not the card."""
    f = np.asarray(forecasts, np.float64)
    shape = f.shape
    f = f[None, :, None] if f.ndim == 1 else f[..., None] if f.ndim == 2 else f
    if f.ndim != 3 or 0 in f.shape or f.shape[1] != rows + f.shape[2] - 1:
        wanted = f"({rows},), (seeds, {rows}) or (seeds, {rows} + horizon - 1, horizon)"
        raise ValueError(
            f"forecasts of {name!r} have shape {shape}: expected {wanted}, so that each of the {rows} test rows is "
            "forecast at every step: the first origin lies horizon - 1 rows before the test"
        )
    return f
