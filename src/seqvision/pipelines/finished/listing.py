"""The runs of a folder as a table: when, what, on which data, how well."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from seqvision._checks import check_choice, counted
from seqvision.pipelines.finished.records import MainScore, RunRecord, read_record
from seqvision.reporting import to_plain
from seqvision.scorecards import format_number, wrapped

SortBy = Literal["date", "name", "score", "data", "status"]
_MARKS = ("STATUS", "config.json", "manifest.json")  # one of them makes a folder a run's, whole or not
_WIDEST = {"run": 40, "data": 40, "status": 24, "model": 24}


@dataclass(frozen=True)
class RunTable:
    """The runs of a folder."""

    folder: Path
    runs: tuple[RunRecord, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the folder and a dict a run."""
        return to_plain({"folder": self.folder, "runs": [run.to_dict() for run in self.runs]})


def list_runs(folder: str | Path = "runs", *, sort: SortBy = "date") -> RunTable:
    """List the runs of a folder with their scores beside those of the naive answers.

    A damaged run folder is listed as such, and why.

    Args:
      folder: in which the run folders lie, or one of them.
      sort: "date" and "name" from the first on; "score" by data and metric, the best first; "data"; "status".

    Raises:
      FileNotFoundError: if there is no such folder, or no run in it.

    >>> list_runs("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: there is no folder no such folder: say with folder where the runs are
    """
    check_choice("sort", sort, get_args(SortBy))
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}: say with folder where the runs are")
    found = [folder] if _is_run(folder) else [path for path in sorted(folder.iterdir()) if _is_run(path)]
    if not found:
        deeper = sorted({str(path.parent.parent) for path in folder.glob("*/*/config.json")})
        hint = f"; there are some in {', '.join(deeper[:3])}" if deeper else ""
        raise FileNotFoundError(f"{folder} holds no run folder{hint}")
    runs = sorted((read_record(path) for path in found), key=lambda run: _order(run, sort))
    return RunTable(folder, tuple(runs), _text(runs))


def _is_run(path: Path) -> bool:
    try:
        return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)
    except OSError:  # what cannot be looked into is listed with the reason
        return os.path.isdir(path)


def _order(run: RunRecord, sort: SortBy) -> tuple[Any, ...]:
    main = run.main
    if sort == "score" and main is not None:
        least = main.score if main.metric.startswith("RMSE") else -main.score
        return (0, run.kind, run.data, main.metric, least != least, least, run.date)
    first = {"name": run.name, "data": run.data, "status": run.status}.get(sort, run.date)
    return (1, first, run.date, run.name)


def _text(runs: list[RunRecord]) -> str:
    whole = [run for run in runs if run.problem is None]
    columns: dict[str, list[str]] = {
        "run": [run.name for run in whole],
        "date": [run.date[:16] for run in whole],
        "status": [run.status for run in whole],
        "data": [run.data for run in whole],
        "model": [run.chosen or ", ".join(run.models) for run in whole],
        "score": [_scores(run.main)[0] for run in whole],
        "baseline": [_scores(run.main)[1] for run in whole],
        "verdict": ["" if run.main is None else run.main.outcome for run in whole],
        "parent": [run.parent or "" for run in whole],
    }
    if all(run.date and run.date[:10].replace("-", "") in run.name for run in whole):
        del columns["date"]  # the names say it
    lines = _table(columns) if whole else []
    if any(len(run.scores) > 1 for run in whole):
        lines += wrapped(
            "Of several models this is the one with the least error on the validation rows, else the first.",
            0,
        )
    damaged = [run for run in runs if run.problem is not None]
    if damaged:
        lines += ["", f"{counted(len(damaged), 'damaged folder')}:"] if lines else ["damaged:"]
        lines += [line for run in damaged for line in wrapped(f"{run.name} ({run.status}): {run.problem}")]
    return "\n".join(lines)


def _table(columns: dict[str, list[str]]) -> list[str]:
    cut = {name: [_cut(cell, _WIDEST.get(name, 200)) for cell in cells] for name, cells in columns.items()}
    cut = {name: cells for name, cells in cut.items() if any(cells)}
    widths = {name: max(len(name), *map(len, cells)) for name, cells in cut.items()}
    rows = zip(*cut.values(), strict=True)
    lines = ["  ".join(name.ljust(width) for name, width in widths.items())]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths.values(), strict=True)) for row in rows]
    return [line.rstrip() for line in lines]


def _scores(main: MainScore | None) -> tuple[str, str]:
    """Return the score and that of the baseline in words."""
    if main is None:
        return "", ""
    values = (main.score, main.baseline_score)
    if main.metric.startswith("RMSE"):
        one, other = (format_number(value, like=abs(values[1])) for value in values)
    else:
        one, other = (f"{100 * value:.2f} %" for value in values)
    return f"{main.metric.removesuffix(' one step ahead')} {one}", f"{main.baseline} {other}" if main.baseline else ""


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"
