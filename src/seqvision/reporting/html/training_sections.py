"""Curves of training, and how much the seeds differ."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.reporting.html.blocks import Block, Section
from seqvision.reporting.html.charts import Band, Chart, Line
from seqvision.reporting.html.run_files import History, RunFiles
from seqvision.reporting.html.score_tables import plain_table

_ALL = "all seeds, from the lowest to the highest"


def training_section(run: RunFiles) -> Section | None:
    """Return curves over epochs of each metric, the spread of the seeds at their end, sizes and times."""
    blocks: list[Block] = [*curve_charts(run.history), *_seed_charts(run)]
    costs = {name: run.summary[name] for name in ("parameters", "seconds") if isinstance(run.summary.get(name), dict)}
    if costs:
        names = dict.fromkeys(name for cost in costs.values() for name in cost)
        rows = {}
        for name in names:
            seconds = costs.get("seconds", {}).get(name)
            row = {"parameters": costs.get("parameters", {}).get(name)}
            if isinstance(seconds, dict):
                row |= {f"seconds to {key}": value for key, value in seconds.items()}
            else:  # as recipes measure
                row["seconds an epoch"] = seconds
            rows[name] = {key: value for key, value in row.items() if value is not None}
        blocks.append(plain_table(rows, "What it cost"))
    return Section("Training", blocks) if blocks else None


def curve_charts(history: History) -> list[Chart]:
    """Return a chart a metric: for each model a line, the mean over its seeds, and a band from lowest to highest."""
    metrics = dict.fromkeys(metric.removeprefix("val_") for one in history.values() for metric in one)
    return [chart for metric in metrics if (chart := _curves(history, metric)) is not None]


def _curves(history: History, metric: str) -> Chart | None:
    lines, bands, several = [], [], set()
    for n, (model, one) in enumerate(history.items()):
        for prefix, dash in (("", 0), ("val_", 1)):
            if prefix + metric not in one:
                continue
            values = one[prefix + metric]
            name = f"{model}, {'validation' if prefix else 'training'}"
            lines.append(Line(name, mean_of_seeds(values), color=n, dash=dash))
            if len(values) > 1:
                several.add(len(values))
                bands.append(Band(f"{name}, all seeds", _least(values), _most(values), color=n))
    if not lines:
        return None
    everything = np.concatenate([np.asarray(line.values) for line in lines])
    finite = everything[np.isfinite(everything)]
    log = metric == "loss" and _spans_decades(finite)
    epochs = max(len(np.asarray(line.values)) for line in lines)
    lines = [Line(line.name, _filled(line.values, epochs), line.color, line.dash) for line in lines]
    bands = [Band(b.name, _filled(b.low, epochs), _filled(b.high, epochs), b.color, False, _ALL) for b in bands]
    note = ""
    if several:
        seeds = " or ".join(map(str, sorted(several)))
        note = f"Lines: mean of {seeds} seeds. The areas of all seeds are off until switched on."
    return Chart(metric, np.arange(1, epochs + 1), lines, bands, "epoch", metric, note, log)


def _seed_charts(run: RunFiles) -> list[Chart]:
    """Return the test score of each seed, where there are several, beside that of the naive answers."""
    found = run.summary.get("by_seed")
    several = isinstance(found, dict) and any(isinstance(v, list) and len(v) > 1 for v in found.values())
    if not isinstance(found, dict) or not several:
        return []
    models = [name for name, values in found.items() if isinstance(values, list)]
    scores = [[np.nan if value is None else float(value) for value in found[name]] for name in models]
    seeds = max(map(len, scores))
    lines = []
    for seed in range(seeds):
        values = [each[seed] if seed < len(each) else np.nan for each in scores]
        lines.append(Line(f"seed {seed}", values, color=0, points=True))
    metric, card = _judged_by(run)
    naive = [(name, row) for name, row in card.items() if row.get("kind") == "baseline"]
    key = "accuracy" if metric == "accuracy" else "rmse"
    for n, (name, row) in enumerate(naive):
        if isinstance(row.get(key), int | float):
            lines.append(Line(name, np.full(len(models), float(row[key])), "naive", 1 + n % 3))
    finite = np.array([v for each in scores for v in each if np.isfinite(v)])
    title = f"Test {metric} of each of {counted(seeds, 'seed')}"
    log = metric != "accuracy" and _spans_decades(finite)
    return [Chart(title, np.array(models), lines, y_label=metric, log=log, legend=False)]


def _judged_by(run: RunFiles) -> tuple[str, Mapping[str, Any]]:
    """Return what the scores by seed are, and the rows of the card that have the same of the naive answers."""
    scores = run.scores
    if isinstance(scores.get("one_step"), Mapping):
        return "RMSE", scores.get("all_steps") or scores["one_step"]
    rows = scores.get("scores")
    return "accuracy", rows if isinstance(rows, Mapping) else {}


def _spans_decades(finite: np.ndarray) -> bool:
    return bool(finite.size and finite.min() > 0 and finite.max() > 10 * finite.min())


def _filled(values: object, length: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    return np.concatenate([array, np.full(length - len(array), np.nan)])


def mean_of_seeds(values: np.ndarray) -> np.ndarray:
    """Return the mean (epochs,) of the seeds that are finite; NaN where none is.

    >>> mean_of_seeds(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()
    [2.0, nan]
    """
    count = np.isfinite(values).sum(axis=0)
    total = np.where(np.isfinite(values), values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _least(values: np.ndarray) -> np.ndarray:
    return np.fmin.reduce(values, axis=0)


def _most(values: np.ndarray) -> np.ndarray:
    return np.fmax.reduce(values, axis=0)
