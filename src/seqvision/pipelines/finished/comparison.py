"""Runs beside each other: in what they differ, how well they did, and whether chance explains the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqvision.pipelines.finished.comparison_text import comparison_text, pair_sentence, run_label
from seqvision.pipelines.finished.differences import Differences, data_of, differing, environment_of, settings_of
from seqvision.pipelines.finished.records import MainScore, RunRecord, read_record
from seqvision.pipelines.finished.shared_rows import (
    SharedScores,
    TestRows,
    compare_rows,
    read_test_rows,
    with_rows_since,
)
from seqvision.reporting import (
    PAGES,
    RunFolder,
    check_output,
    to_plain,
    write_comparison,
)
from seqvision.scorecards import MeanDifference, paired_difference, welch_difference


class ModelPair(NamedTuple):
    """One model of a later run against one of the first, or of one run against its first."""

    run: int  # place in the comparison
    model: str
    against_run: int
    against: str
    metric: str  # "" where the two were not measured alike
    score: float  # of what is delivered
    against_score: float
    seeds: MeanDifference | None  # scores of single seeds, this minus the other; None where that cannot be told
    rows: int  # test rows that both have; 0 where nothing was tested
    rows_score: float  # of what is delivered on these rows, RMSE or accuracy
    rows_against: float
    test: str  # name of the test on these rows; where there is none, why
    statistic: float  # negative if this one is better
    p_value: float


@dataclass(frozen=True)
class RunComparison:
    """Runs beside each other."""

    runs: tuple[RunRecord, ...]
    settings: Differences  # those that are not the same in all runs
    data: Differences
    environment: Differences
    parameters: Differences  # of every model; None where a run does not have it
    seconds: Differences
    pairs: tuple[ModelPair, ...]
    text: str
    plot: Path | None  # where the curves were drawn
    html: Path | None  # where the page was written

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the text as plain values."""
        plain = {name: value for name, value in vars(self).items() if name not in ("text", "runs", "pairs")}
        pairs = [
            {**pair._asdict(), "seeds": None if pair.seeds is None else pair.seeds._asdict()} for pair in self.pairs
        ]
        return to_plain({"runs": [run.to_dict() for run in self.runs], **plain, "pairs": pairs})


class _Opened(NamedTuple):
    record: RunRecord
    folder: RunFolder
    summary: Mapping[str, Any]
    rows: TestRows | None


def compare_runs(
    runs: Sequence[str | Path], *, plot: str | Path | None = None, html: str | Path | None = None
) -> RunComparison:
    """Say in what finished runs differ, how well they did, and whether chance explains the difference.

    Models of one name are compared with those of the first run; where none is shared, the one chosen by the validation
    rows of each. The models of a single run are compared with its first. What is compared is what is used in the end,
    on the test rows that both have, to which belong, for a first run that ends earlier, the rows that came since, as it
    would have forecast them: by the test of Diebold and Mariano for forecasts, by McNemar's for classes. Where
    there are no such rows this is said, and nothing is paired. Scores of single seeds on the same test rows are paired
    by seed if both runs have the same ``seed`` (Student's t, 95 %), else compared by Welch's t.

    Args:
      runs: run folders.
      plot: where to draw the training and validation curves over each other, a .png; or None.
      html: where to write all of it as a page with its curves and forecasts over each other, an .html; or None.

    Raises:
      OSError: if plot or html cannot be written, before anything is read.
      ValueError: if a run is named twice, is damaged or was not judged, or a single one has one model only.

    >>> compare_runs([])
    Traceback (most recent call last):
    ValueError: runs names no run: give the folders of two or more
    """
    if not runs or isinstance(runs, str | Path):
        raise ValueError("runs names no run: give the folders of two or more")
    check_output(plot, (".png",), name="plot")
    check_output(html, PAGES, name="html")
    paths = [Path(path).resolve() for path in runs]
    for n, path in enumerate(paths):
        if path in paths[:n]:
            raise ValueError(f"{runs[n]} is named twice: name each run once")
    opened = [_open(path) for path in runs]
    pairs = _pairs(opened)
    if not pairs and len(opened) == 1:
        raise ValueError(f"{runs[0]} has one model only: name another run to compare it with")
    records = tuple(one.record for one in opened)
    settings = differing([settings_of(one.folder) for one in opened])
    data = differing([data_of(one.folder) for one in opened])
    environment = differing([environment_of(one.folder) for one in opened])
    parameters, seconds = (_by_model(opened, name) for name in ("parameters", "seconds"))
    text = comparison_text(records, settings, data, environment, parameters, seconds, pairs)
    if plot is not None:
        from seqvision.reporting import plot_epoch_curves, save_figure

        title = "" if len(opened) == 1 else ";  ".join(f"{run_label(n)}: {run.name}" for n, run in enumerate(records))
        save_figure(plot_epoch_curves(_curves(opened), ylabel="loss", title=title), plot)
        text += f"\n\ncurves: {plot}"
    if html is not None:
        names = [record.name for record in records]
        write_comparison(html, runs, sentences=[pair_sentence(pair, names, len(runs) > 1) for pair in pairs])
        text += f"\n\npage: {html}"
    files = (None if file is None else Path(file) for file in (plot, html))
    return RunComparison(records, settings, data, environment, parameters, seconds, pairs, text, *files)


def _open(path: str | Path) -> _Opened:
    record = read_record(path)
    if record.problem is not None:
        raise ValueError(record.problem)
    folder = RunFolder(Path(path))
    if not record.scores:
        raise ValueError(f"{path} was not judged: its STATUS says {record.status!r}{folder.how_to_go_on}")
    summary = folder.read_json("summary.json")
    try:
        return _Opened(record, folder, summary, read_test_rows(record, folder, summary))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{path} does not hold the predictions of a run ({error!r}): restore it from a copy"
        ) from error


def _pairs(opened: Sequence[_Opened]) -> tuple[ModelPair, ...]:
    first = opened[0]
    if len(opened) == 1:
        return tuple(_pair(first, 0, score, first, 0, first.record.scores[0]) for score in first.record.scores[1:])
    found = []
    for place, one in enumerate(opened[1:], start=1):
        first = _as_asked(opened[0], one)
        known = {score.model: score for score in first.record.scores}
        shared = [(score, known[score.model]) for score in one.record.scores if score.model in known]
        if not shared and one.record.main is not None and first.record.main is not None:
            shared = [(one.record.main, first.record.main)]
        found += [_pair(one, place, score, first, 0, other) for score, other in shared]
    return tuple(found)


def _as_asked(first: _Opened, one: _Opened) -> _Opened:
    """Return a run with what it would have said of the later rows of another on the same series."""
    if first.rows is None or one.rows is None or not first.record.kind == one.record.kind == "forecast":
        return first
    if not (one.rows.table.index.names == first.rows.table.index.names and len(one.rows.table)):
        return first
    if set(one.rows.table.index) <= set(first.rows.table.index):
        return first
    return first._replace(rows=with_rows_since(first.rows, first.folder, one.folder))


def _pair(one: _Opened, place: int, score: MainScore, first: _Opened, against: int, other: MainScore) -> ModelPair:
    alike = score.metric == other.metric
    told: SharedScores | str = "a run of this kind keeps no predictions of its test rows"
    same_rows = False
    if one.rows is not None and first.rows is not None:
        same_rows = set(one.rows.table.index) == set(first.rows.table.index)
        told = compare_rows(first.rows, other.model, one.rows, score.model)
    shared = SharedScores(0, told, np.nan, np.nan, np.nan, np.nan) if isinstance(told, str) else told
    return ModelPair(
        place,
        score.model,
        against,
        other.model,
        score.metric if alike else "",
        score.score,
        other.score,
        _seeds(one, score.model, first, other.model) if alike and same_rows and shared.rows else None,
        shared.rows,
        shared.other_score,
        shared.score,
        shared.test,
        shared.statistic,
        shared.p_value,
    )


def _seeds(one: _Opened, model: str, first: _Opened, other: str) -> MeanDifference | None:
    """Compare the scores of single seeds; None where one has a single seed, or a forecast diverged."""
    a, b = (np.array(run.summary["by_seed"][name], float) for run, name in ((one, model), (first, other)))
    if min(len(a), len(b)) < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    if one.folder.read_json("config.json").get("seed") == first.folder.read_json("config.json").get("seed"):
        shared = min(len(a), len(b))
        return paired_difference(a[:shared], other_scores=b[:shared])
    return welch_difference(a, other_scores=b)


def _by_model(opened: Sequence[_Opened], what: str) -> Differences:
    def value(found: Any) -> Any:
        return found["run"] if isinstance(found, Mapping) else found

    each = [one.summary.get(what, {}) for one in opened]
    names = dict.fromkeys(name for one in each for name in one)
    return {name: [value(one.get(name)) for one in each] for name in names}


def _curves(opened: Sequence[_Opened]) -> dict[str, dict[str, np.ndarray]]:
    """Return heading -> run and model -> (S, epochs)."""
    panels: dict[str, dict[str, np.ndarray]] = {}
    for place, one in enumerate(opened):
        records = one.folder.read_metrics()
        for metric, heading in (("loss", "training loss"), ("val_loss", "validation loss")):
            for model in dict.fromkeys(record.get("model") for record in records):
                told = [r for r in records if r.get("model") == model and isinstance(r.get(metric), int | float)]
                if told:
                    name = f"{run_label(place)} {model}" if len(opened) > 1 else str(model)
                    panels.setdefault(heading, {})[name] = _table(told, metric)
    if not panels:
        raise ValueError("no run has logged a loss: leave out plot")
    return panels


def _table(records: Sequence[Mapping[str, Any]], metric: str) -> np.ndarray:
    seeds = sorted({int(record.get("seed", 0)) for record in records})
    values = np.full((len(seeds), max(int(record["epoch"]) for record in records)), np.nan)
    for record in records:
        values[seeds.index(int(record.get("seed", 0))), int(record["epoch"]) - 1] = record[metric]
    return values
