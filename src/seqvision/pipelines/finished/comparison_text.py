"""A comparison of runs as text of at most 110 columns: settings first, then scores, then what chance explains."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.pipelines.finished.differences import Differences
from seqvision.pipelines.finished.records import MainScore, RunRecord
from seqvision.scorecards import format_number, wrapped

_NAME = 28
_CERTAIN = 0.05  # p-values below this are no chance


def comparison_text(
    runs: Sequence[RunRecord],
    settings: Differences,
    data: Differences,
    environment: Differences,
    parameters: Differences,
    seconds: Differences,
    pairs: Sequence[Any],
) -> str:
    """Return the text of a `RunComparison`, whose fields are the arguments."""
    labels = [run_label(place) for place in range(len(runs))]
    width = max(12, min(28, (110 - _NAME) // len(runs) - 2))
    lines = [f"{label}  {run.name}  {run.data}" + _parent(run) for label, run in zip(labels, runs, strict=True)]
    if len(runs) > 1:
        for title, found in (("Settings", settings), ("Data", data), ("Environment", environment)):
            if found:
                lines += ["", f"{title} that differ", *_table(found, labels, width)]
            else:
                lines += ["", f"{title}: the same"]
    lines += ["", *_scores(runs, labels, width)]
    lines += [*_table({f"{name}, parameters": values for name, values in parameters.items()}, [], width)]
    shown = {name: [None if v is None else f"{v:.2f} s" for v in values] for name, values in seconds.items()}
    lines += [*_table({f"{name}, training": values for name, values in shown.items()}, [], width), ""]
    for pair in pairs:
        lines += wrapped(pair_sentence(pair, labels, len(runs) > 1), 0)
    return "\n".join(lines)


def _scores(runs: Sequence[RunRecord], labels: Sequence[str], width: int) -> list[str]:
    """Return delivered score, skill's outcome and baseline of each model, one table a metric."""
    lines: list[str] = []
    for metric in dict.fromkeys(score.metric for run in runs for score in run.scores):
        rows: Differences = {}
        for place, run in enumerate(runs):
            for score in run.scores:
                if score.metric == metric:
                    outcome = f": {score.outcome}" if score.outcome else ""
                    rows.setdefault(score.model, [None] * len(runs))[place] = _value(score, score.score) + outcome
                    if score.baseline:
                        base = rows.setdefault(f"{score.baseline} (baseline)", [None] * len(runs))
                        base[place] = _value(score, score.baseline_score)
        order = sorted(rows, key=lambda name: name.endswith("(baseline)"))
        lines += [
            f"{metric}, on the test rows of each run",
            *_table({name: rows[name] for name in order}, labels, width),
        ]
    return lines


def pair_sentence(pair: Any, labels: Sequence[str], several: bool) -> str:
    """Say of two models how far they are apart, and whether chance explains it."""
    one, other = ((f"{labels[run]} {model}" if several else model) for run, model in pair_names(pair))
    lead = f"{one} against {other}: "
    if not pair.metric:
        return (
            lead + f"not measured alike, so nothing is paired ({pair.test})" if not pair.rows else lead + _tested(pair)
        )
    parts = [f"{pair.metric} {_number(pair.metric, pair.score)} and {_number(pair.metric, pair.against_score)}"]
    if pair.seeds is not None:
        d = pair.seeds
        low, high = (_number(pair.metric, end, like=d.difference) for end in (d.low, d.high))
        parts.append(f"single seeds differ by {_number(pair.metric, d.difference)} [{low}, {high}] (95 %, {d.method})")
    if not pair.rows:
        return lead + "; ".join([*parts, f"nothing is paired: {pair.test}"])
    return lead + "; ".join([*parts, _tested(pair)])


def _tested(pair: Any) -> str:
    forecasts = pair.test.startswith("Diebold")
    metric = "RMSE" if forecasts else "accuracy"
    one, other = (_number(metric, value) for value in (pair.rows_score, pair.rows_against))
    rows = f"on the {counted(pair.rows, 'test row')} that both have, {metric} {one} and {other}, {pair.test} gives"
    if np.isnan(pair.p_value):
        return f"{rows} nothing: the rows tell no difference from chance"
    p = "p < .001" if pair.p_value < 1e-3 else f"p = {pair.p_value:.2g}"
    if pair.p_value >= _CERTAIN:
        return f"{rows} {p}: chance explains the difference"
    return f"{rows} {p}: {'better' if pair.statistic < 0 else 'worse'}, and chance does not explain it"


def pair_names(pair: Any) -> list[tuple[int, str]]:
    """Return the two (place of the run, model) of a pair."""
    return [(pair.run, pair.model), (pair.against_run, pair.against)]


def _value(score: MainScore, value: float) -> str:
    return _number(score.metric, value, like=score.baseline_score)


def _number(metric: str, value: float, like: float | None = None) -> str:
    if metric.startswith("RMSE"):
        return format_number(value, like=None if like is None or not np.isfinite(like) else abs(like))
    return "–" if np.isnan(value) else f"{100 * value:.2f} %"


def _parent(run: RunRecord) -> str:
    return f"  (trained on from {run.parent})" if run.parent else ""


def run_label(place: int) -> str:
    """Return what a run is called in a comparison: A, B, C, …"""
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def _table(rows: Differences, labels: Sequence[str], width: int) -> list[str]:
    """Return rows under a head; values that are all too long stand on lines of their own."""
    lines = [" " * (_NAME + 2) + "  ".join(f"{label:<{width}}" for label in labels)] if labels and rows else []
    for name, values in rows.items():
        cells = [_cut(_cell(value), width) for value in values]
        lines.append(f"  {_cut(name, _NAME - 1):<{_NAME}}" + "  ".join(f"{cell:<{width}}" for cell in cells))
    return [line.rstrip() for line in lines]


def _cell(value: Any) -> str:
    """Return a value in short: a date at midnight without the hour.

    >>> _cell(["2021-01-04T00:00:00", 0.5, None])
    '2021-01-04, 0.5, –'
    """
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix("T00:00:00")


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    half = (width - 1) // 2  # the ends of paths and of fingerprints differ
    return f"{text[: width - 1 - half]}…{text[len(text) - half :]}"
