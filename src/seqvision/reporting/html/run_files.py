"""Read what lies in a run folder, as far as it is there: a report is made of a run that failed, too."""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqvision.reporting.metrics_log import read_metrics

logger = logging.getLogger(__name__)

History = dict[str, dict[str, np.ndarray]]  # model -> metric -> (S, epochs), NaN where a seed has stopped


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What a run wrote; empty where there is no such file, and a line in ``problems`` where it cannot be read."""

    path: Path
    status: str
    config: dict[str, Any]
    defaults: dict[str, Any]
    environment: dict[str, Any]
    data: dict[str, Any]
    images: dict[str, Any]
    parent: dict[str, Any]
    summary: dict[str, Any]
    history: History
    predictions: pd.DataFrame | None
    mistakes: pd.DataFrame | None
    manifest: str  # SHA-256 of manifest.json, "" without one
    problems: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @property
    def scores(self) -> dict[str, Any]:
        """The score card, as summary.json has it."""
        scores = self.summary.get("scores")
        return scores if isinstance(scores, dict) else {}


def read_run(path: str | Path) -> RunFiles:
    """Read a run folder.

    Raises:
      FileNotFoundError: if there is no such folder.
    """
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"there is no run folder {path}")
    problems: list[str] = []

    def tried(name: str, read: Callable[[Path], Any], empty: Any) -> Any:
        file = path / name
        if not file.is_file():
            return empty
        try:
            return read(file)
        except (ValueError, OSError, RecursionError) as error:
            problems.append(f"{name} cannot be read: {error}")
            return empty

    documents = {
        name: tried(f"{name}.json", _read_document, {})
        for name in ("config", "defaults", "environment", "data", "images", "parent", "summary")
    }
    return RunFiles(
        path=path,
        status=tried("STATUS", lambda file: file.read_text(encoding="utf-8", errors="replace").strip(), "unknown"),
        **documents,
        history=history_of(tried("metrics.jsonl", read_metrics, [])),
        predictions=tried("predictions.csv", pd.read_csv, None),
        mistakes=tried("mistakes.csv", _read_mistakes, None),
        manifest=tried("manifest.json", lambda file: hashlib.sha256(file.read_bytes()).hexdigest(), ""),
        problems=tuple(problems),
    )


def history_of(records: list[dict[str, Any]]) -> History:
    """Return the lines of metrics.jsonl as model -> metric -> (S, epochs).

    >>> of_seed = [{"model": "gru", "seed": seed, "epoch": 1, "loss": 0.5 + seed} for seed in (1, 0)]
    >>> history_of(of_seed)["gru"]["loss"].tolist()
    [[0.5], [1.5]]
    """
    places: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if isinstance(record.get("epoch"), int) and record["epoch"] > 0:
            places.setdefault(str(record.get("model", "model")), []).append(record)
    found: History = {}
    for model, lines in places.items():
        seeds = {seed: n for n, seed in enumerate(sorted({line.get("seed", 0) for line in lines}, key=_number))}
        epochs = max(line["epoch"] for line in lines)
        metrics = dict.fromkeys(key for line in lines for key in line if key not in ("model", "seed", "epoch"))
        found[model] = {metric: np.full((len(seeds), epochs), np.nan) for metric in metrics}
        for line in lines:
            for metric in metrics:
                value = line.get(metric)
                if isinstance(value, int | float):
                    found[model][metric][seeds[line.get("seed", 0)], line["epoch"] - 1] = value
    return found


def _number(seed: Any) -> tuple[float, str]:
    return (float(seed), "") if isinstance(seed, int | float) else (np.inf, str(seed))


def _read_document(file: Path) -> dict[str, Any]:
    value = json.loads(file.read_text(encoding="utf-8"))
    return value if isinstance(value, dict) else {"value": value}


def _read_mistakes(file: Path) -> pd.DataFrame:
    """Read names as they stand: a class may be called "nan" or "1"."""
    names = dict.fromkeys(("model", "file", "true class", "predicted class"), str)
    return pd.read_csv(file, dtype=names, keep_default_na=False, na_values={"probability": [""]})
