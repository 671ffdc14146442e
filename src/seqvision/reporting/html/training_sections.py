"""Curves of training, and how much the seeds differ."""

import numpy as np

from seqvision._checks import counted
from seqvision.reporting.html.blocks import Block, Section
from seqvision.reporting.html.charts import Band, Chart, Line
from seqvision.reporting.html.run_files import History, RunFiles
from seqvision.reporting.html.score_tables import plain_table


def training_section(run: RunFiles) -> Section | None:
    """Return curves over epochs of each metric, the spread of the seeds at their end, sizes and times."""
    blocks: list[Block] = [*curve_charts(run.history), *_seed_charts(run.history)]
    costs = {name: run.summary[name] for name in ("parameters", "seconds") if isinstance(run.summary.get(name), dict)}
    if costs:
        names = dict.fromkeys(name for cost in costs.values() for name in cost)
        rows = {}
        for name in names:
            seconds = costs.get("seconds", {}).get(name)
            timed = seconds if isinstance(seconds, dict) else {"run": seconds}
            row = {"parameters": costs.get("parameters", {}).get(name)}
            row |= {f"seconds to {key}": value for key, value in timed.items() if value is not None}
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
            lines.append(Line(name, _mean(values), color=n, dash=dash))
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
    bands = [Band(b.name, _filled(b.low, epochs), _filled(b.high, epochs), b.color, False) for b in bands]
    note = ""
    if several:
        seeds = " or ".join(map(str, sorted(several)))
        note = f"Lines: mean of {seeds} seeds. The areas from the lowest to the highest seed are off until switched on."
    return Chart(metric, np.arange(1, epochs + 1), lines, bands, "epoch", metric, note, log)


def _seed_charts(history: History) -> list[Chart]:
    """Return how the last epoch of each seed compares, where there are several."""
    charts = []
    seeds = max((len(values) for one in history.values() for values in one.values()), default=0)
    for metric in dict.fromkeys(metric for one in history.values() for metric in one):
        better = f"val_{metric}"
        if metric.startswith("val_") or seeds < 2:
            continue
        shown = better if any(better in one for one in history.values()) else metric
        models = [name for name, one in history.items() if shown in one]
        last = [_last(history[name][shown]) for name in models]
        lines = []
        for seed in range(seeds):
            values = [ends[seed] if seed < len(ends) else np.nan for ends in last]
            lines.append(Line(f"seed {seed}", values, color=0, points=True))
        finite = np.array([v for ends in last for v in ends if np.isfinite(v)])
        log = metric == "loss" and _spans_decades(finite)
        part = "validation" if shown == better else "training"
        title = f"{part} {metric} at the end of each of {counted(seeds, 'seed')}"
        charts.append(Chart(title, np.array(models), lines, y_label=metric, log=log, legend=False))
    return charts


def _spans_decades(finite: np.ndarray) -> bool:
    return bool(finite.size and finite.min() > 0 and finite.max() > 10 * finite.min())


def _last(values: np.ndarray) -> np.ndarray:
    """Return the last finite value of each row."""
    return np.array([row[np.isfinite(row)][-1] if np.isfinite(row).any() else np.nan for row in values])


def _filled(values: object, length: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    return np.concatenate([array, np.full(length - len(array), np.nan)])


def _mean(values: np.ndarray) -> np.ndarray:
    count = np.isfinite(values).sum(axis=0)
    total = np.where(np.isfinite(values), values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _least(values: np.ndarray) -> np.ndarray:
    return np.fmin.reduce(values, axis=0)


def _most(values: np.ndarray) -> np.ndarray:
    return np.fmax.reduce(values, axis=0)
