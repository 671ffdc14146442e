"""Several runs on one page: their scores in a table, what differs between them, their curves in one picture."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqvision.reporting.html.blocks import Block, Cell, Row, Section, Table, Text, Verdicts
from seqvision.reporting.html.charts import Chart, Line
from seqvision.reporting.html.class_sections import is_classification
from seqvision.reporting.html.forecast_sections import forecasters, is_forecast, time_of
from seqvision.reporting.html.page import render_page
from seqvision.reporting.html.provenance_sections import said
from seqvision.reporting.html.report import footer
from seqvision.reporting.html.run_files import RunFiles, read_run
from seqvision.reporting.html.score_tables import (
    class_table,
    forecast_table,
    is_sequences,
    plain_table,
    sequence_table,
    sequence_words,
    short_of,
    told_verdicts,
    used_rows,
)
from seqvision.reporting.html.training_sections import mean_of_seeds
from seqvision.storage import write_file

Runs = Mapping[str, RunFiles]


def write_comparison(
    path: str | os.PathLike[str],
    folders: Sequence[str | os.PathLike[str]],
    *,
    sentences: Sequence[str] = (),
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write a page about several runs; see `render_comparison`.

    Args:
      path: the file; its folder is made.
      folders: of the runs.
      sentences: what the comparison shows.
      tables: heading -> further table.

    Raises:
      FileNotFoundError: if there is no such run folder.
      OSError: if the file cannot be written.
    """
    path = Path(path)
    page = render_comparison(folders, sentences=sentences, tables=tables)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, page)
    return path


def render_comparison(
    folders: Sequence[str | os.PathLike[str]],
    *,
    sentences: Sequence[str] = (),
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> str:
    """Return one HTML page about several runs, self-contained as that of one run is.

    Args:
      folders: of the runs; of a single one the page has its models beside each other.
      sentences: what the comparison shows, above all else.
      tables: heading -> further table, rows by its index.

    Raises:
      ValueError: for no runs.
      FileNotFoundError: if there is no such run folder.

    >>> render_comparison([])
    Traceback (most recent call last):
    ValueError: folders names no run: give one or more
    """
    if not folders:
        raise ValueError("folders names no run: give one or more")
    runs = _named([read_run(Path(folder)) for folder in folders])
    blocks: list[Block] = [Text(list(sentences))] if sentences else []
    blocks += [_table(heading, table) for heading, table in (tables or {}).items()]
    sections = [Section("What differs in the result", blocks)] if blocks else []
    sections += [Section("Scores", _scores(runs)), Section("Verdicts", _verdicts(runs))]
    if len(runs) > 1:
        sections.append(Section("What differs in the settings", _settings(runs)))
    charts: list[Block] = [*_forecasts(runs), *_curves(runs)]
    sections += [Section("Curves", charts)] if charts else []
    problems = [f"{name}: {problem}" for name, run in runs.items() for problem in _problems(run)]
    title = " and ".join(runs) if len(runs) < 3 else f"{len(runs)} runs compared"
    return render_page(
        title, sections, subtitle=" · ".join(runs) if len(runs) > 1 else "", problems=problems, footer=footer()
    )


def _named(runs: Sequence[RunFiles]) -> dict[str, RunFiles]:
    """Return runs by their folders' names, numbered where two are alike."""
    named: dict[str, RunFiles] = {}
    for run in runs:
        name, number = run.name, 1
        while name in named:
            number += 1
            name = f"{run.name} ({number})"
        named[name] = run
    return named


def _problems(run: RunFiles) -> list[str]:
    return [*run.problems, *([] if run.status == "done" else [f"not done: {run.status}"])]


def _tables(run: RunFiles) -> dict[str, Table]:
    """Return the tables of a run's score card, of what is used in the end and the baselines, by what they are of."""
    scores = run.scores
    if is_forecast(run):
        named = {"One step ahead": "one_step", "All steps": "all_steps", "Free-running": "free_running"}
        found = {title: scores[key] for title, key in named.items() if isinstance(scores.get(key), Mapping)}
        return {title: forecast_table(_used(rows), title, "") for title, rows in found.items()}
    if is_classification(run):
        return {"Classification": class_table(_used(scores["scores"]), "Classification")}
    if is_sequences(scores):
        return {"Sequences": sequence_table(scores, "Sequences")}
    plain = {name: row for name, row in scores.items() if isinstance(row, Mapping)}
    return {"Scores": plain_table(plain, "Scores")} if plain else {}


def _used(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {name: rows[name] for name in used_rows(rows)}


def _scores(runs: Runs) -> list[Block]:
    """Return each part of the cards with the rows of one run below those of the other."""
    blocks: list[Block] = []
    each = {name: _tables(run) for name, run in runs.items()}
    for title in dict.fromkeys(title for tables in each.values() for title in tables):
        those = {name: tables[title] for name, tables in each.items() if title in tables}
        head = list(dict.fromkeys(column for table in those.values() for column in table.head))
        groups = [(name, _rows(table, head)) for name, table in those.items()]
        note = "Skill is over what is to be beaten in each run, as its verdicts say; bold is the best of a run."
        blocks.append(Table(title, head, groups, note=note if "skill" in head else ""))
    marks = {name: _data_mark(run) for name, run in runs.items()}
    if len(set(marks.values())) > 1:
        told = "These runs were not judged on the same rows: their scores cannot be compared line by line."
        blocks.insert(0, Text([told]))
    return blocks


def _rows(table: Table, head: Sequence[str]) -> list[Row]:
    """Return all rows of a table under another head."""
    found = []
    for _, rows in table.groups:
        for row in rows:
            cells = dict(zip(table.head, row.cells, strict=True))
            found.append(Row(short_of(row.name), [cells.get(column, Cell("–")) for column in head]))
    return found


def _data_mark(run: RunFiles) -> str:
    """Return by what to know the rows that a run was judged on."""
    data = {key: run.data.get(key) for key in ("sha256", "test_rows", "target")}
    return repr((data, run.images.get("parts"), run.images.get("files")))


def _verdicts(runs: Runs) -> list[Block]:
    blocks: list[Block] = []
    for name, run in runs.items():
        used, _ = told_verdicts(run.scores)
        words = sequence_words(run.scores) if is_sequences(run.scores) else "no verdicts"
        blocks += [Text([name]), Verdicts(used)] if used else [Text([f"{name}: {words}"])]
    return blocks


def _settings(runs: Runs) -> list[Block]:
    """Return what differs in configuration, data and environment."""
    blocks: list[Block] = []
    parts = {
        "Configuration": {
            name: {key: value for key, value in run.config.items() if key not in ("out", "name")}
            for name, run in runs.items()
        },
        "Data": {name: run.data for name, run in runs.items()},
        "Versions": {name: run.environment.get("packages") or {} for name, run in runs.items()},
        "Devices": {
            name: {key: run.environment.get(key) for key in ("backend", "devices", "processor", "python")}
            for name, run in runs.items()
        },
    }
    for title, each in parts.items():
        rows = []
        for key in dict.fromkeys(key for one in each.values() for key in one):
            values = [said(one[key]) if key in one else "–" for one in each.values()]
            if len(set(values)) > 1:
                rows.append(Row(str(key), [Cell(value) for value in values]))
        if rows:
            blocks.append(Table(title, list(each), [("", rows)], corner="setting"))
    return blocks or [Text(["Configuration, data and environment are the same."])]


def _curves(runs: Runs) -> list[Chart]:
    """Return one chart a metric: the mean over seeds of every model of every run."""
    charts = []
    found = [metric for run in runs.values() for one in run.history.values() for metric in one]
    for metric in dict.fromkeys(metric.removeprefix("val_") for metric in found):
        shown = f"val_{metric}" if f"val_{metric}" in found else metric
        lines = []
        for n, (name, run) in enumerate(runs.items()):
            for m, (model, one) in enumerate(run.history.items()):
                if shown in one:
                    color, dash = (n, m) if len(runs) > 1 else (m, 0)
                    lines.append(Line(f"{name}: {model}", mean_of_seeds(one[shown]), color, dash))
        epochs = max(len(np.asarray(line.values)) for line in lines)
        filled = []
        for line in lines:
            values = np.asarray(line.values, np.float64)
            padded = np.concatenate([values, np.full(epochs - len(values), np.nan)])
            filled.append(Line(line.name, padded, line.color, line.dash))
        part = "validation" if shown != metric else "training"
        note = "A color is a run, a dash a model; each line is the mean over seeds." if len(runs) > 1 else ""
        charts.append(Chart(f"{part} {metric}", np.arange(1, epochs + 1), filled, (), "epoch", metric, note))
    return charts


def _forecasts(runs: Runs) -> list[Chart]:
    """Return the forecasts one step ahead of all runs over the truth, on the rows that they share."""
    tables = {}
    for name, run in runs.items():
        table = run.predictions
        if is_forecast(run) and table is not None and {"row", "truth"} <= {*table}:
            tables[name] = table[table["step"] == table["step"].min()] if "step" in table else table
    if len(tables) < len(runs):
        return []
    place = "date" if all("date" in table for table in tables.values()) else "row"
    indexed = {name: table.drop_duplicates(place).set_index(place) for name, table in tables.items()}
    first = next(iter(indexed.values()))
    shared = [key for key in first.index if all(key in table.index for table in indexed.values())]
    truths = [table.loc[shared, "truth"].to_numpy(np.float64) for table in indexed.values()]
    if len(shared) < 2 or any(not np.array_equal(truths[0], truth, equal_nan=True) for truth in truths):
        return []
    lines = []
    for n, (name, table) in enumerate(indexed.items()):
        baselines = {row for row, told in runs[name].scores["one_step"].items() if told.get("kind") == "baseline"}
        models = [column for column in forecasters(table.reset_index()) if column not in baselines]
        for m, column in enumerate(models):
            color, dash = (n, m) if len(runs) > 1 else (m, 0)
            lines.append(Line(f"{name}: {short_of(column)}", table.loc[shared, column], color, dash))
    lines.append(Line("truth", truths[0], "truth", anchor=True))
    x, label = time_of(first.loc[shared].reset_index())
    note = "A color is a run, a dash a model." if len(runs) > 1 else ""
    tested = f"One step ahead, {len(shared):,} rows" + (" that all runs tested" if len(runs) > 1 else "")
    return [Chart(tested, x, lines, (), label, "value", note)]


def _table(heading: str, table: pd.DataFrame) -> Table:
    rows = {str(name): row for name, row in table.to_dict("index").items()}
    return plain_table({name: {str(k): v for k, v in row.items()} for name, row in rows.items()}, heading)
