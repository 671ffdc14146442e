"""report.html: what a run folder holds, as one page."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqvision._checks import counted
from seqvision.reporting.going_on import hint_if_stopped
from seqvision.reporting.html.blocks import Block, Facts, Folded, Section, Text, Verdicts
from seqvision.reporting.html.class_sections import (
    class_card,
    confusion_section,
    filter_section,
    is_classification,
    mistake_section,
    reliability_section,
)
from seqvision.reporting.html.forecast_sections import error_section, forecast_card, forecast_section, is_forecast
from seqvision.reporting.html.page import render_page
from seqvision.reporting.html.pictures import folder_gallery
from seqvision.reporting.html.provenance_sections import (
    configuration_section,
    data_section,
    environment_section,
    repeat_section,
)
from seqvision.reporting.html.run_files import RunFiles, read_run
from seqvision.reporting.html.score_tables import (
    is_sequences,
    plain_table,
    sequence_table,
    sequence_words,
    told_verdicts,
)
from seqvision.reporting.html.training_sections import training_section
from seqvision.storage import write_file

logger = logging.getLogger(__name__)

NAME = "report.html"


def write_report(folder: str | os.PathLike[str]) -> Path:
    """Write report.html into a run folder, from what lies there; nothing else is changed.

    Args:
      folder: of a run that is done, or was stopped or failed.

    Returns:
      The file.

    Raises:
      FileNotFoundError: if there is no such folder.
      OSError: if it cannot be written.
    """
    path = Path(folder) / NAME
    write_file(path, render_report(folder))
    return path


def render_report(folder: str | os.PathLike[str]) -> str:
    """Return one HTML page about a run: needs no network, is readable on a phone, on paper and in the dark.

    Verdict and score card come first, then what the run kept: forecasts or confusion and mistakes, training, data,
    configuration and environment, and how to repeat it. What a file does not hold is left out.

    Args:
      folder: of the run.

    Raises:
      FileNotFoundError: if there is no such folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as empty:
    ...     render_report(empty).startswith("<!DOCTYPE html>")
    True
    """
    run = read_run(Path(folder))
    problems = list(run.problems)
    if run.status not in ("done", "running"):
        problems.insert(0, f"This run is not done: {run.status}{hint_if_stopped(run.path, run.status)}")
    sections = []
    for make in (_verdict, *_makers(run)):
        try:
            section = make(run)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError) as error:
            logger.warning(f"{run.path}: a section of the report cannot be made", exc_info=error)
            problems.append(f"A section cannot be shown, since the files of the run are not as expected: {error!r}")
            continue
        if section is not None:
            sections.append(section)
    return render_page(run.name, sections, subtitle=_subtitle(run), problems=problems, footer=footer())


def _makers(run: RunFiles) -> tuple[Callable[[RunFiles], Section | None], ...]:
    """Return what makes the sections of a run of its kind, in order."""
    end = (data_section, configuration_section, environment_section, repeat_section)
    if is_forecast(run):
        return (_forecast_card, forecast_section, error_section, training_section, _pictures, *end)
    if is_classification(run):
        judged = (_class_card, confusion_section, mistake_section, reliability_section)
        return (*judged, training_section, filter_section, _pictures, *end)
    return (_plain_card, training_section, _pictures, *end)


def _verdict(run: RunFiles) -> Section | None:
    used, alone = told_verdicts(run.scores)
    blocks: list[Block] = [Verdicts(used)] if used else []
    if is_sequences(run.scores):
        blocks.append(Text([sequence_words(run.scores)]))
    if alone:
        blocks.append(Folded("What single seeds would do", [Verdicts(alone)]))
    if isinstance(run.scores.get("choice"), str):
        blocks.append(Text([run.scores["choice"]]))
    return Section("Verdict", blocks) if blocks else None


def _forecast_card(run: RunFiles) -> Section:
    return Section("Score card", forecast_card(run))


def _class_card(run: RunFiles) -> Section:
    return Section("Score card", class_card(run))


def _pictures(run: RunFiles) -> Section | None:
    """Return the pictures of the folder, but for those of what the page shows in charts and tables."""
    drawn = ["losses."] if run.history else []
    if is_forecast(run) and run.predictions is not None:
        drawn += ["forecast.", "intervals.", "residuals.", "errors-by-step."]
    if is_classification(run):
        drawn += ["confusion-", "misclassified-", "filters-"]
        drawn += ["reliability."] if run.summary.get("reliability") else []
    gallery = folder_gallery(run.path, drawn)
    return None if gallery is None else Section("Pictures", [gallery])


def _plain_card(run: RunFiles) -> Section | None:
    """Return the summary of a run of another kind: its numbers as tables."""
    blocks: list[Block] = []
    if is_sequences(run.scores):
        rows = run.summary.get("test_rows")
        caption = "Share right" + (f" of {counted(rows, 'test row')}" if isinstance(rows, int) else "")
        return Section("Score card", [sequence_table(run.scores, caption)])
    scores = run.scores or {key: value for key, value in run.summary.items() if key not in ("seconds", "parameters")}
    flat = {key: value for key, value in scores.items() if not isinstance(value, dict)}
    nested = {key: value for key, value in scores.items() if isinstance(value, dict)}
    deep = any(isinstance(item, dict) for value in nested.values() for item in value.values())
    if nested and not deep:
        blocks.append(plain_table(nested, "Scores"))
    for key, value in nested.items() if deep else ():
        blocks.append(plain_table(_flattened(value), str(key)))
    if flat:
        blocks.append(Facts([(str(key), _short(value)) for key, value in flat.items()]))
    return Section("Score card", blocks) if blocks else None


def _subtitle(run: RunFiles) -> str:
    data = run.data
    parts = []
    if data.get("name"):
        parts.append(f"{data['name']} {data.get('target') or ''}".strip())
    if isinstance(data.get("rows"), int):
        parts.append(f"{data['rows']:,} rows")
    dates = data.get("dates")
    if isinstance(dates, list) and len(dates) == 2 and all(isinstance(day, str) for day in dates):
        parts.append(" to ".join(day.removesuffix("T00:00:00") for day in dates))
    if not data and isinstance(run.config.get("data"), str):
        parts.append(str(run.config.get("folder") or run.config["data"]))
    models = run.config.get("models")
    if isinstance(models, list) and models:
        parts.append(", ".join(map(str, models)))
    return " · ".join(parts)


def footer() -> str:
    """Return by what a page was written, and when."""
    from seqvision import __version__

    return f"Written by seqvision {__version__} on {time.strftime('%Y-%m-%d %H:%M')}; needs no network."


def _flattened(values: dict[str, Any]) -> dict[str, Any]:
    """Return at most two levels: what lies deeper is told in a word."""
    flat = {}
    for key, value in values.items():
        inner = value.items() if isinstance(value, dict) else ()
        flat[key] = {k: _short(v) if isinstance(v, dict) else v for k, v in inner} if inner else value
    return flat


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
