"""What a run folder says of its run, in a few fields; a damaged one says what is wrong with it."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seqvision.pipelines.config import is_of_images
from seqvision.pipelines.parent import PARENT
from seqvision.reporting import RunFolder, to_plain
from seqvision.scorecards import delivered_name, thresholded_name

Kind = Literal["forecast", "classify", "sequences", "unknown"]

_MADE = re.compile(r"-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(?:-\d+)?$")  # as `RunFolder.create` names folders
_DAMAGE = (ValueError, OSError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


@dataclass(frozen=True)
class MainScore:
    """The score by which one model of a run is told from others, beside that of the naive answer on the same rows."""

    model: str  # short name
    metric: str  # "RMSE one step ahead", "RMSE all steps", "accuracy" or "exact"
    score: float  # of what is used in the end: the mean of the seeds, or the only one
    baseline: str
    baseline_score: float
    outcome: str  # "skill", "unclear" or "no skill"; "" where nothing was judged


@dataclass(frozen=True)
class RunRecord:
    """One run, as its folder tells it."""

    name: str  # of the folder
    path: Path
    date: str  # when it began
    kind: Kind
    status: str
    models: tuple[str, ...]
    data: str
    scores: tuple[MainScore, ...]  # one a model
    chosen: str  # the model with the least error on the validation rows, the first one where there are none
    parent: str | None  # the run that it was trained on from, by name
    problem: str | None  # why the folder cannot be used

    @property
    def main(self) -> MainScore | None:
        """The score of the chosen model; None if nothing was judged."""
        return next((score for score in self.scores if score.model == self.chosen), None)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and the main score as plain values."""
        return to_plain(vars(self) | {"main": self.main})


def read_record(path: str | Path) -> RunRecord:
    """Read what a run folder says of its run, whatever its files hold.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as base, RunFolder.create(base, "demo") as folder:
    ...     folder.write_json("config.json", {"target": "close", "models": ["gru"]})
    ...     record = read_record(folder.path)
    >>> record.kind, record.status, record.models, record.problem
    ('forecast', 'running', ('gru',), None)
    """
    path = Path(path)
    name = path.resolve().name
    try:
        folder = RunFolder.open(path)
        config = folder.read_json("config.json")
        summary = folder.read_json("summary.json") if (path / "summary.json").exists() else {}
        return _read(folder, name, config, summary)
    except _DAMAGE as error:
        told = str(error) if isinstance(error, ValueError | OSError) else f"its files are of another kind ({error!r})"
        return RunRecord(
            name, path, _date(path), "unknown", _status(path), (), "", (), "", None, " ".join(told.split())
        )


def _read(folder: RunFolder, name: str, config: Mapping[str, Any], summary: Mapping[str, Any]) -> RunRecord:
    scores = _scores(config, summary["scores"]) if "scores" in summary else ()
    validation = summary.get("validation")
    errors = validation["models"] if validation else {}
    known = [score.model for score in scores if isinstance(errors.get(score.model), float)]
    chosen = min(known, key=lambda model: errors[model]) if known else scores[0].model if scores else ""
    models = tuple(map(str, config.get("models", [score.model for score in scores])))
    parent = folder.read_json(PARENT) if (folder.path / PARENT).exists() else None
    return RunRecord(
        name,
        folder.path,
        _date(folder.path),
        _kind(config, summary.get("scores")),
        folder.status,
        models,
        _data(folder, config),
        scores,
        chosen,
        None if parent is None else str(parent["name"]),
        None,
    )


def _kind(config: Mapping[str, Any], scores: Any) -> Kind:
    if "target" in config:
        return "forecast"
    if is_of_images(config) or (scores and "class_names" in scores):
        return "classify"
    return "sequences" if scores else "unknown"


def _scores(config: Mapping[str, Any], card: Mapping[str, Any]) -> tuple[MainScore, ...]:
    if "one_step" in card:
        mode = "one step ahead" if card["all_steps"] is None else "all steps"
        table, reference = (
            card["one_step"] if card["all_steps"] is None else card["all_steps"],
            card["references"][mode],
        )
        metric, label = "rmse", f"RMSE {mode}"
    elif "class_names" in card:
        mode, table, metric, label = "classes", card["scores"], "accuracy", "accuracy"
        reference = next(name for name, row in table.items() if row["kind"] == "baseline")
    else:
        mode, table, metric, label = "", card, "exact", "exact"
        reference = next((name for name, row in table.items() if row["kind"] == "baseline"), "")
    outcomes = {told["model"]: told["outcome"] for told in card.get("verdicts", ()) if told["mode"] == mode}
    naive = _number(table[reference][metric]) if reference else float("nan")
    found = []
    for model, row in table.items():
        if row["kind"] == "model":
            used = delivered_name(model, int(row["seeds"])) if mode else model
            decided = thresholded_name(model, int(row["seeds"]))
            used = decided if decided in table else used
            score = _number(table[used][metric])
            found.append(MainScore(model, label, score, reference, naive, str(outcomes.get(used, ""))))
    return tuple(found)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _data(folder: RunFolder, config: Mapping[str, Any]) -> str:
    if (folder.path / "data.json").exists():
        saved = folder.read_json("data.json")
        dates = saved["dates"]
        until = "" if dates is None else f" to {str(dates[1])[:10]}"
        return f"{saved['name']} {saved['target']}, {saved['rows']} rows{until}"
    return str(config.get("folder") or config.get("data") or "")


def _date(path: Path) -> str:
    made = _MADE.search(path.resolve().name)
    if made:
        return "{}-{}-{} {}:{}:{}".format(*made.groups())
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(path.stat().st_mtime))
    except OSError:
        return ""


def _status(path: Path) -> str:
    try:
        return RunFolder(path).status
    except OSError:
        return "unknown"
