"""Forecasts of the test rows beside the truth: one and several steps ahead, free-running, errors by step, residuals."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from seqvision._checks import counted
from seqvision.reporting.html.blocks import Block, Section
from seqvision.reporting.html.charts import Band, Chart, Line
from seqvision.reporting.html.run_files import RunFiles
from seqvision.reporting.html.score_tables import coverage_tables, forecast_table, short_of, step_table, used_rows

FREE = " free-running"
_INTERVAL = re.compile(r"(?P<name>.+) (?P<end>lower|upper) (?P<level>\d+(?:\.\d+)?)")
_PLACES = ("row", "date", "step", "truth")
_MODES = {
    "one_step": ("One step ahead", "one step ahead"),
    "all_steps": ("All steps of the horizon", "all steps"),
    "free_running": ("Free-running: one path fed by its own forecasts", "free-running"),
}
_STEPS = {"by_horizon": "RMSE by steps ahead", "by_path_step": "RMSE by steps of free runs"}
_OF_BANDS = (
    "The areas are intervals by split conformal prediction, from rows that trained nothing; what share of the test "
    "rows lay inside is on the score card. Those of the other forecasters are off until switched on."
)


def is_forecast(run: RunFiles) -> bool:
    """Return whether a run forecast a series."""
    return isinstance(run.scores.get("one_step"), Mapping)


def forecast_card(run: RunFiles) -> list[Block]:
    """Return the tables of the score card."""
    scores, blocks = run.scores, list[Block]()
    unit = f", in {scores['unit']}" if scores.get("unit") else ""
    for key, (caption, mode) in _MODES.items():
        if isinstance(scores.get(key), Mapping):
            rows = f", {counted(scores['test_rows'], 'test row')}" if "test_rows" in scores else ""
            reference = str((scores.get("references") or {}).get(mode, ""))
            blocks.append(forecast_table(scores[key], f"{caption}{rows}{unit}", reference))
    for key, caption in _STEPS.items():
        if isinstance(scores.get(key), Mapping):
            blocks.append(step_table(scores[key], used_rows(scores["one_step"]), f"{caption}{unit}"))
    if isinstance(scores.get("intervals"), Mapping):
        blocks += coverage_tables(scores["intervals"], unit)
    return blocks


def forecast_section(run: RunFiles) -> Section | None:
    """Return the charts of predictions.csv."""
    table = run.predictions
    if table is None or "truth" not in table:
        return None
    what = str(run.data.get("target") or "value") + (", relative changes" if run.config.get("returns") else "")
    unit = str(run.scores.get("unit") or "")
    axis = f"{what} [{unit}]" if unit else what
    steps = sorted(table["step"].unique()) if "step" in table else [1]
    first, last = (table[table["step"] == step] if "step" in table else table for step in (steps[0], steps[-1]))
    blocks: list[Block] = [_chart(run, first, "One step ahead", "one step ahead", axis)]
    if len(steps) > 1:
        blocks.append(_chart(run, last, f"{steps[-1]} steps ahead", "all steps", axis))
    if any(str(name).endswith(FREE) for name in table):
        blocks.append(_chart(run, first, "Free-running: fed by its own forecasts", "free-running", axis, free=True))
    return Section("Forecasts", blocks)


def error_section(run: RunFiles) -> Section | None:
    """Return errors by step and residuals."""
    blocks: list[Block] = []
    unit = str(run.scores.get("unit") or "")
    axis = f"RMSE [{unit}]" if unit else "RMSE"
    for key, title in _STEPS.items():
        table = run.scores.get(key)
        if isinstance(table, Mapping) and isinstance(table.get("rmse"), Mapping):
            blocks.append(_step_chart(run, table["rmse"], title, axis))
    if run.predictions is not None and "truth" in run.predictions:
        blocks += _residuals(run, run.predictions)
    return Section("Errors", blocks) if blocks else None


def time_of(table: pd.DataFrame) -> tuple[Any, str]:
    """Return dates where the table has any that can be read, else row numbers; and the axis's label."""
    if "date" in table:
        dates = pd.to_datetime(table["date"], errors="coerce", utc=True, format="ISO8601")
        if dates.notna().all() and dates.is_monotonic_increasing:
            return dates.dt.tz_localize(None).to_numpy("datetime64[ms]"), ""
    return table["row"].to_numpy() if "row" in table else np.arange(len(table)), "row"


def forecasters(table: pd.DataFrame) -> list[str]:
    """Return the columns that are forecasts with the past known."""
    names = [str(name) for name in table if name not in _PLACES and table[name].dtype.kind in "fiu"]
    return [name for name in names if not name.endswith(FREE) and not _INTERVAL.fullmatch(name)]


def _chart(run: RunFiles, table: pd.DataFrame, title: str, mode: str, axis: str, free: bool = False) -> Chart:
    x, label = time_of(table)
    wanted = [f"{name}{FREE}" if free else name for name in forecasters(table)]
    lines, bands = [], []
    looks = _looks(run, [name for name in wanted if name in table], mode)
    first = next(iter(looks), "")
    for name, look in looks.items():
        lines.append(Line(short_of(name.removesuffix(FREE)), table[name], *look))
        if look[2]:
            bands += _bands(table, name, look[0], shown=name == first)
    lines.append(Line("truth", table["truth"], "truth", anchor=True))
    notes = [_of_seeds(looks), _OF_BANDS if bands else ""]
    title = f"{title}, {counted(len(table), 'test row')}"
    return Chart(title, x, lines, bands, label, axis, " ".join(filter(None, notes)))


def _of_seeds(names: Iterable[str]) -> str:
    """Return whose lines these are, where models have several seeds."""
    told = sorted({name.partition(" (")[2].split(")")[0] for name in names if " (mean of " in name})
    return f"The line of a model is the {' or '.join(told)}, which is what is used in the end." if told else ""


def _bands(table: pd.DataFrame, name: str, color: int | str, shown: bool) -> list[Band]:
    """Return the intervals of a forecaster, the wider first; none of a level that has no ends."""
    ends: dict[str, dict[str, np.ndarray]] = {}
    for column in table:
        found = _INTERVAL.fullmatch(str(column))
        if found and found["name"] == name:
            ends.setdefault(found["level"], {})[found["end"]] = table[column].to_numpy(np.float64)
    short = short_of(name.removesuffix(FREE))
    return [
        Band(f"{short}, {level} % interval", pair["lower"], pair["upper"], color, shown, f"intervals of {short}")
        for level, pair in sorted(ends.items(), key=lambda item: -float(item[0]))
        if len(pair) == 2 and (np.isfinite(pair["lower"]) & np.isfinite(pair["upper"])).any()
    ]


def _looks(run: RunFiles, names: Sequence[str], mode: str) -> dict[str, tuple[int | str, int, bool]]:
    """Return the color and dash of each forecaster, and whether it is shown from the start."""
    scores = run.scores.get("one_step")
    kinds = {name: row.get("kind") for name, row in scores.items()} if isinstance(scores, Mapping) else {}
    reference = (run.scores.get("references") or {}).get(mode)
    looks: dict[str, tuple[int | str, int, bool]] = {}
    models = plain = 0
    for name in names:
        if kinds.get(name.removesuffix(FREE)) == "baseline":
            looks[name] = ("naive", 1 + plain % 5, name.removesuffix(FREE) == reference)
            plain += 1
        else:
            looks[name] = (models, models // 6, True)
            models += 1
    return looks


def _step_chart(run: RunFiles, rmse: Mapping[str, Mapping[str, Any]], title: str, axis: str) -> Chart:
    steps = sorted({int(step) for row in rmse.values() for step in row})
    scores = run.scores.get("one_step") or {}
    names = [name for name in used_rows(scores) if name in rmse]
    looks = _looks(run, names, "")
    best = min((n for n in names if looks[n][0] == "naive"), key=lambda n: _total(rmse[n]), default="")
    lines = []
    for name in names:
        color, dash, _ = looks[name]
        values = [np.nan if rmse[name].get(str(s)) is None else float(rmse[name][str(s)]) for s in steps]
        shown = color != "naive" or len(names) < 8
        lines.append(Line(short_of(name), values, color, dash, shown, anchor=name == best))
    return Chart(title, np.array(steps), lines, (), "step", axis, _of_seeds(names))


def _total(row: Mapping[str, Any]) -> float:
    return sum(float("inf") if value is None else float(value) for value in row.values())


def _residuals(run: RunFiles, table: pd.DataFrame) -> list[Chart]:
    """Return truth minus forecast one step ahead, over time and by size."""
    table = table[table["step"] == table["step"].min()] if "step" in table else table
    x, label = time_of(table)
    looks = _looks(run, forecasters(table), "one step ahead")
    if not looks:
        return []
    naive = next((name for name, look in looks.items() if look[0] == "naive" and look[2]), "")
    errors = {name: (table["truth"] - table[name]).to_numpy(np.float64) for name in looks}
    models = [name for name in looks if looks[name][0] != "naive"]
    best = min(models, key=lambda name: float(np.nansum(errors[name] ** 2)), default="")
    over_time, shares = [], []
    edges = _edges(errors[naive] if naive else np.concatenate(list(errors.values())))
    for name, (color, dash, shown) in looks.items():
        known = errors[name][np.isfinite(errors[name])].clip(edges[0], edges[-1])
        counts = np.histogram(known, edges)[0]
        few = name in (best, naive)  # more would cover each other
        over_time.append(Line(short_of(name), errors[name], color, dash, few, anchor=name == naive))
        shares.append(Line(short_of(name), 100 * counts / max(counts.sum(), 1), color, dash, shown))
    note = "Each point is the share of the rows within one of 31 equal steps; the outermost hold all that is beyond."
    middle = (edges[:-1] + edges[1:]) / 2
    title = "Residuals: truth minus forecast, one step ahead"
    return [
        Chart(title, x, over_time, (), label, "residual", "Further models are off until switched on."),
        Chart("How large the residuals are", middle, shares, (), "residual", "% of rows", note),
    ]


def _edges(errors: np.ndarray) -> np.ndarray:
    finite = np.abs(errors[np.isfinite(errors)])
    reach = float(1.3 * np.quantile(finite, 0.99)) if finite.size else 1.0
    return np.linspace(-reach or -1.0, reach or 1.0, 32)
