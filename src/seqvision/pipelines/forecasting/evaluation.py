"""A finished run of forecasters judged again: on its own test rows, or on the rows that have come since."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seqvision._checks import check_flag, counted
from seqvision._compilation import kept_on_disk
from seqvision._phases import phases
from seqvision.data import ForecastSplit, Series, Windows, find_column
from seqvision.pipelines.config import ForecastConfig, config_from_dict
from seqvision.pipelines.forecasting.data import describe_split, far_outside, read_saved, split_series
from seqvision.pipelines.forecasting.judging import judge_forecasts
from seqvision.pipelines.forecasting.new_rows import JoinedRows, load_joined
from seqvision.pipelines.forecasting.own_rows import own_series
from seqvision.pipelines.forecasting.report import forecast_table
from seqvision.pipelines.forecasting.run import build_forecasters, window_shape
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ForecastEvaluation, JudgedForecasts, NewRowsEvaluation
from seqvision.pipelines.saved_variables import load_variables
from seqvision.reporting import RunFolder, check_output, write_table
from seqvision.scorecards import Mode, format_number, wrapped

_FEW = 20  # new rows on which a verdict may well change with the next ones


@kept_on_disk()
@phases()
def evaluate_forecast(
    path: str | Path,
    csv: str | None = None,
    *,
    reading: Reading | None = None,
    series: Series | None = None,
    revised: bool = False,
    output: str | Path | None = None,
) -> ForecastEvaluation:
    """Judge a run again: on its own test rows or, with a file that has grown, on the rows that have come since.

    New rows are forecast by what the run has: its parameters, its scaler, its intervals, each forecast from the rows
    before it alone; the naive forecasts of the same rows stand beside them. The file holds the rows of the run and new
    ones after them; where there are dates it may begin later, up to the first new row.

    Args:
      path: the run folder, which has the rows that the run was made from.
      csv: the file that has grown; a copy of the run's own file gives the card of the run.
      reading: what is to be read of it in another way than in training.
      series: rows in memory, in place of a file.
      revised: go on with the values of the file where it has others than the run had; by default that is an error.
      output: where to write truth and forecasts of the new rows as CSV, or None.

    Returns:
      `NewRowsEvaluation` if there are new rows.

    Raises:
      OSError: if output cannot be written, before anything is read.
      ValueError: if values that the run knows differ (naming row, date, old and new value), rows of it are missing, or
        none is new; or the parameters do not fit the models.
    """
    check_flag("revised", revised, owner="evaluate_forecast")
    check_output(output)
    folder = RunFolder.open(path)
    config = config_from_dict(ForecastConfig, folder.read_json("config.json"))
    saved = read_saved(folder)
    own = own_series(saved)
    if isinstance(config.target, str) and own.columns[find_column(own.columns, config.target)] != saved["target"]:
        raise ValueError(f"{folder.path}: config.json has target {config.target!r}, data.json {saved['target']!r}")
    split = split_series(config, own, saved["scaler"])
    if csv is None and series is None:
        return _again(folder, config, split)
    joined = load_joined(config, saved, csv, reading, series)
    _check_known(joined, folder, revised)
    if joined.first == len(joined.series):
        if joined.changed is None and len(joined.series) == len(own):
            return _again(folder, config, split)
        raise ValueError(f"{joined.series.name} has no row after {_last(own)}, where {folder.path} ends: none is new")
    split = _grown(split, joined)
    judged = judge_again(folder, config, split)
    table = forecast_table(split, judged)
    if "date" in table:
        table["date"] = table["date"].astype(str)
    if output is not None:
        write_table(output, table)
    then = _then(folder.read_json("summary.json"), judged)
    notes = _notes(joined, config, saved, folder)
    text = [_head(split, folder), *(line for note in notes for line in wrapped(f"note: {note}", 0))]
    text += ["", *_then_text(then, judged), "", judged.card.text()]
    return NewRowsEvaluation(
        **vars(judged),
        folder=folder.path,
        text="\n".join(text),
        table=table,
        then=then,
        notes=notes,
        output=None if output is None else Path(output),
    )


def _again(folder: RunFolder, config: ForecastConfig, split: ForecastSplit) -> ForecastEvaluation:
    judged = judge_again(folder, config, split)
    text = "\n".join([describe_split(split), "", judged.card.text()])
    return ForecastEvaluation(**vars(judged), folder=folder.path, text=text)


def judge_again(folder: RunFolder, config: ForecastConfig, split: ForecastSplit) -> JudgedForecasts:
    """Return what the models of a run forecast of a split, and their card."""
    models = build_forecasters(config, split)
    return judge_forecasts(config, split, models, load_variables(models, window_shape(split), config.seeds, folder))


def _check_known(joined: JoinedRows, folder: RunFolder, revised: bool) -> None:
    name, anew = joined.series.name, f"train anew with seqvision refit {shlex.quote(str(folder.path))} --csv …"
    if joined.moved is not None:
        raise ValueError(
            f"{name} does not have the rows of {folder.path}: {joined.moved}; give a file that has them, or {anew}"
        )
    if joined.changed is not None and not revised:
        raise ValueError(
            f"{name} does not have the values of {folder.path}: {joined.changed}; say revised=True (--revised) to go "
            f"on with those of the file, or {anew}"
        )


def _grown(split: ForecastSplit, joined: JoinedRows) -> ForecastSplit:
    """Return the split of a run whose test rows are the new ones; scaler and what it trained on stay."""
    series, first = joined.series, joined.first
    scaled = split.scaler.transform(series.values[first - split.horizon + 1 - split.length :])
    test = Windows(scaled, split.length, split.horizon, targets=split.targets)
    return replace(split, series=series, test_rows=slice(first, len(series)), test=test)


def _head(split: ForecastSplit, folder: RunFolder) -> str:
    series, rows = split.series, split.test_rows
    span = f"rows {rows.start} to {rows.stop - 1}"
    if series.dates is not None:
        first, last = (str(np.datetime_as_string(series.dates[at], unit="auto")) for at in (rows.start, -1))
        span = f"{first} to {last}"
    count = counted(rows.stop - rows.start, "new row")
    return f"{series.name} {series.target}: {count}, {span}, after the {rows.start} that {folder.path.name} knows"


def _notes(joined: JoinedRows, config: ForecastConfig, saved: Mapping[str, Any], folder: RunFolder) -> tuple[str, ...]:
    new = len(joined.series) - joined.first
    notes = []
    if new < _FEW:
        notes.append(f"{counted(new, 'new row')} say little: a verdict on so few may change with the next ones")
    if joined.changed is not None:
        notes.append(
            f"the file has other values than {folder.path.name} was trained on, and they count: {joined.changed}"
        )
    if joined.gap is not None:
        notes.append(joined.gap)
    return (*notes, *far_outside(joined.series.values[joined.first - config.length :], saved))


def _then(summary: Mapping[str, Any], judged: JudgedForecasts) -> dict[str, dict[str, float]]:
    """Return the errors of what is delivered and of the baselines on the test rows of the run, and on the new rows."""
    card = judged.card
    name, table = ("one_step", card.one_step) if card.all_steps is None else ("all_steps", card.all_steps)
    rows = table.index[(table["kind"] != "model") | (table["seeds"] == 1)]
    try:
        old = {row: summary["scores"][name][row]["rmse"] for row in rows}
        return {
            row: {"rmse": np.nan if old[row] is None else float(old[row]), "new": float(table.loc[row, "rmse"])}
            for row in rows
        }
    except (KeyError, TypeError, ValueError):
        raise ValueError("summary.json does not say how the forecasters did in the test: train again") from None


def _then_text(then: Mapping[str, Mapping[str, float]], judged: JudgedForecasts) -> list[str]:
    card = judged.card
    mode: Mode = "one step ahead" if card.all_steps is None else "all steps"
    reference = card.references[mode]
    heads = ("in the run's test", "on the new rows")
    title = f"RMSE {mode}; skill over the {reference}"
    width = max(len(name) for name in (title, *then)) + 4
    lines = [f"{title:<{width}}" + "".join(f"{head:<26}" for head in heads).rstrip()]
    for row, errors in then.items():
        cells = []
        for key in ("rmse", "new"):
            error, naive = errors[key], then[reference][key]
            skill = "" if row == reference or not naive > 0 else f" ({100 * (1 - error / naive):+.1f} %)"
            cells.append(f"{format_number(error) + skill:<26}")
        lines.append(f"  {row:<{width - 2}}" + "".join(cells).rstrip())
    return lines


def _last(series: Series) -> str:
    if series.dates is None:
        return f"row {len(series) - 1}"
    return str(np.datetime_as_string(series.dates[-1], unit="auto"))
