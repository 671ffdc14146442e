"""Results of experiments as records in one JSON file each: what was measured, by which command, on what machine."""

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqvision.reporting.environment import describe_environment
from seqvision.storage import json_text, to_plain


@dataclass(frozen=True)
class MeasuredRow:
    """What was measured of one model."""

    value: float  # the mean over seeds
    spread: float | None = None  # over seeds, None for one
    seeds: int | None = None
    low: float | None = None  # the ends of an interval, where they are to be shown
    high: float | None = None


@dataclass(frozen=True)
class Measurement:
    """One metric of several models and of naive baselines, on the same rows."""

    metric: str
    of: str  # on what it was measured
    unit: str
    digits: str  # how the values are shown, a format
    ends: str  # what low and high ends are, or nothing
    headline: bool  # whether it belongs to the shortest table
    rows: dict[str, MeasuredRow]  # a model each
    baselines: dict[str, float]
    ratios: dict[str, float]


def measured(
    metric: str,
    table: Mapping[str, Any],
    key: str | None = None,
    *,
    of: str = "",
    unit: str = "",
    digits: str = ".4f",
    naive: Sequence[str] = (),
    baselines: Mapping[str, float] | None = None,
    ends: str = "",
    ratios: Mapping[str, float] | None = None,
    headline: bool = False,
) -> Measurement:
    """Describe one metric of several models, and of naive baselines, on the same rows.

    Args:
      metric: its name, such as "accuracy".
      table: name -> a number, an array of one number a seed, or a dict of scores, as score cards have them: the
        value under `key`, its spread under `key`_std, "seeds", and "kind" "baseline" for what is naive.
      key: of the scores; the default is the metric's name.
      of: on what it was measured, where an experiment has several tasks.
      unit: of the values.
      digits: how the values are shown, a format such as ".4f".
      naive: names in the table that are baselines.
      baselines: further ones, name -> value.
      ends: what to say of a low and a high end, if they are to be shown: "low" and "high" of a dict of scores, the
        lowest and the highest seed of numbers.
      ratios: comparisons of the rows, name -> value.
      headline: whether it belongs to the shortest table.

    >>> result = measured("accuracy", {"LSTM": np.array([0.5, 0.7]), "guess": {"kind": "baseline", "accuracy": 0.1}})
    >>> {name: round(row.value, 2) for name, row in result.rows.items()}, result.baselines
    ({'LSTM': 0.6}, {'guess': 0.1})
    """
    rows: dict[str, MeasuredRow] = {}
    below: dict[str, float] = {}
    for name, entry in table.items():
        row = _row(entry, key or metric, bool(ends))
        if name in naive or (isinstance(entry, Mapping) and entry.get("kind") == "baseline"):
            below[name] = row.value
        else:
            rows[name] = row
    below |= baselines or {}
    return Measurement(metric, of, unit, digits, ends, headline, rows, below, dict(ratios or {}))


def _row(entry: Any, key: str, ends: bool) -> MeasuredRow:
    if isinstance(entry, Mapping):
        low, high = (entry.get(end) if ends else None for end in ("low", "high"))
        return MeasuredRow(entry[key], entry.get(f"{key}_std"), entry.get("seeds"), low, high)
    each = np.asarray(entry, np.float64)
    if each.ndim == 0:
        return MeasuredRow(each.item())
    spread = each.std(ddof=1).item() if len(each) > 1 else None
    low, high = (each.min().item(), each.max().item()) if ends else (None, None)
    return MeasuredRow(each.mean().item(), spread, len(each), low, high)


def record_result(
    folder: str | Path,
    experiment: str,
    results: Sequence[Measurement],
    *,
    command: str,
    settings: Mapping[str, Any],
    seconds: float,
    note: str | None = None,
) -> Path:
    """Write what a run of an experiment measured into folder/experiment.json and return that file.

    A record of the same command on the same processor, or on one that nobody noted, is replaced; all others stay.

    Args:
      folder: of the records.
      experiment: its name.
      results: each made by `measured`.
      command: the command line that was run.
      settings: of the run, all of them.
      seconds: that it took.
      note: what else to know of the run.
    Raises:
      ValueError: if there is no result, or a result has neither rows nor ratios.
    """
    if not results or not all(result.rows or result.ratios for result in results):
        raise ValueError(f"results of {experiment} must each have rows or ratios, got {results!r}")
    path = Path(folder) / f"{experiment}.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    run = _run(results, command, settings, seconds, note)
    same = next((n for n, old in enumerate(runs) if _repeats(run, old)), len(runs))
    runs[same : same + 1] = [run]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(experiment, runs), encoding="utf-8")
    return path


def _text(experiment: str, runs: Sequence[Mapping[str, Any]]) -> str:
    """Return JSON with one line a result, so that what changed is seen in a diff."""
    texts = []
    for run in runs:
        parts = [f'  "{name}": {json_text(run[name], indent=None)}' for name in run if name != "results"]
        results = ",\n".join(f"   {json_text(result, indent=None)}" for result in run["results"])
        texts.append(" {\n" + ",\n".join(parts) + f',\n  "results": [\n{results}\n  ]\n }}')
    return f'{{"experiment": "{experiment}", "runs": [\n' + ",\n".join(texts) + "\n]}\n"


def _repeats(run: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    machine, before = run["machine"], old["machine"]
    processors = machine["processor"], before["processor"]
    return (
        run["command"] == old["command"]
        and machine["device"] == before["device"]
        and (processors[0] == processors[1] or processors[1] is None)
    )


def _run(
    results: Sequence[Measurement], command: str, settings: Mapping[str, Any], seconds: float, note: str | None
) -> dict[str, Any]:
    found = describe_environment()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = found.backend if found.backend == "cpu" else found.devices[0]
    return {
        "command": command,
        "settings": to_plain(settings),
        "date": datetime.date.today().isoformat(),
        "seconds": round(seconds, 1),
        "note": note,
        "source": None,  # the run itself
        "machine": {"processor": found.processor, "cores": cores, "device": device},
        "versions": {"python": found.python, **found.packages},
        "results": [_plain(result) for result in results],
    }


def _plain(result: Measurement) -> dict[str, Any]:
    """Return a measurement for JSON: a row without ends does not name them."""
    plain = to_plain(result)
    for row in plain["rows"].values():
        for end in ("low", "high"):
            if row[end] is None:
                del row[end]
    return plain
