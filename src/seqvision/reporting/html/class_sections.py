"""What classifiers get right and wrong: confusion, mistakes, reliability, and the filters of the first layer."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.interpret import learned_filters
from seqvision.reporting.html.blocks import Block, Cell, Folded, Gallery, Picture, Row, Section, Table, Text
from seqvision.reporting.html.charts import Chart, Line
from seqvision.reporting.html.pictures import MOST_MISTAKES, array_source, load_thumbnails, scaled_bytes
from seqvision.reporting.html.run_files import RunFiles
from seqvision.reporting.html.score_tables import class_table, plain_table, short_of, used_rows
from seqvision.saving import WEIGHTS, model_names
from seqvision.storage import load_weights

logger = logging.getLogger(__name__)

_MOST_CLASSES = 25  # in a matrix that can be read
_MOST_FILTERS = 64


def is_classification(run: RunFiles) -> bool:
    """Return whether a run classified."""
    return isinstance(run.scores.get("scores"), Mapping) and "confusion" in run.scores


def class_card(run: RunFiles) -> list[Block]:
    """Return the table of the score card."""
    scores = run.scores
    names = scores.get("class_names") or []
    rows = counted(scores["rows"], "test row") if isinstance(scores.get("rows"), int) else "test rows"
    return [class_table(scores["scores"], f"{rows}, {counted(len(names), 'class', 'classes')}")]


def confusion_section(run: RunFiles) -> Section | None:
    """Return for what is used in the end who is taken for whom, and the scores of each class."""
    names = [str(name) for name in run.scores.get("class_names") or []]
    blocks: list[Block] = []
    for model in _delivered(run):
        counts = np.asarray(run.scores["confusion"].get(model, []), np.float64)
        if counts.shape != (len(names), len(names)):
            continue
        blocks.append(_matrix(model, counts, names) if len(names) <= _MOST_CLASSES else _map(model, counts))
        blocks.append(_confused(model, counts, names))
        each = (run.scores.get("per_class") or {}).get(model)
        if isinstance(each, Mapping):
            blocks.append(Folded(f"{model}: scores of each class", [_class_rows(each)]))
    return Section("Confusion", blocks) if blocks else None


def mistake_section(run: RunFiles) -> Section | None:
    """Return the surest mistakes of what is used in the end, with their pictures and file names where they are kept."""
    table = run.mistakes
    if table is None or not {"model", "row", "true class", "predicted class", "probability"} <= {*table}:
        return None
    thumbnails = load_thumbnails(run.path)
    blocks: list[Block] = []
    for model in _delivered(run):
        found = table[table["model"] == model]
        told = f"{model}: {counted(len(found), 'mistake')}"
        if not len(found):
            blocks.append(Text([told]))
            continue
        top = found.head(MOST_MISTAKES)
        shown = f"{told}, the surest {len(top)}" if len(top) < len(found) else f"{told}, the surest first"
        lines = top.to_dict("records")
        if all(line["row"] in thumbnails for line in lines):
            blocks.append(Gallery([_mistake(line, thumbnails[line["row"]]) for line in lines], shown, "small"))
        else:
            blocks.append(_mistake_table(lines, shown))
    return Section("Mistakes", blocks) if blocks else None


def reliability_section(run: RunFiles) -> Section | None:
    """Return how often what is used in the end is right, by how sure it is."""
    found = run.summary.get("reliability")
    if not isinstance(found, Mapping) or not found:
        return None
    edges = np.asarray(next(iter(found.values()))["edges"], np.float64)
    middle = (edges[:-1] + edges[1:]) / 2
    lines = [Line("as often right as sure", middle, "naive", 1)]
    for n, (model, bins) in enumerate(found.items()):
        lines.append(Line(short_of(model), np.array(bins["share"], np.float64), n, n // 6))
    note = (
        f"Test rows are sorted into {len(middle)} steps by the probability of the class that was named; below the "
        "dashed line a model is too sure of itself, above it not sure enough."
    )
    chart = Chart("Right, by how sure", np.round(middle, 6), lines, (), "how sure", "share right", note)
    errors = {"calibration error": "error", "largest of a step": "largest_error"}
    table = {model: {name: bins.get(key) for name, key in errors.items()} for model, bins in found.items()}
    return Section("Reliability", [chart, plain_table(table, "How far sureness is from the share that is right")])


def filter_section(run: RunFiles) -> Section | None:
    """Return the filters of the first convolution of each model, of its first seed."""
    blocks: list[Block] = []
    for model, seeds in _parameters(run.path).items():
        first = seeds.get("seed_0") if isinstance(seeds, Mapping) else None
        filters = learned_filters(first["params"]) if isinstance(first, Mapping) and "params" in first else {}
        if not filters:
            continue
        layer, kernels = next(iter(filters.items()))
        shown = kernels[:_MOST_FILTERS]
        color = shown.shape[-1] == 3
        pictures = [
            Picture(array_source(scaled_bytes(k if color else k.mean(axis=-1))), f"filter {n} of {layer}")
            for n, k in enumerate(shown)
        ]
        of = "" if len(shown) == len(kernels) else f", {len(shown)} of {len(kernels)}"
        over = "" if kernels.shape[-1] in (1, 3) else f", mean over {kernels.shape[-1]} channels"
        title = f"{model}, seed 0: {layer}, {counted(len(kernels), 'filter')}{of}{over}"
        blocks.append(Gallery(pictures, title, "tiny", "In each, black is the lowest weight and white the highest."))
    return Section("First-layer filters", blocks) if blocks else None


def _delivered(run: RunFiles) -> list[str]:
    rows = run.scores.get("scores") or {}
    return [name for name in used_rows(rows) if rows[name].get("kind") != "baseline"]


def _matrix(model: str, counts: np.ndarray, names: Sequence[str]) -> Table:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rows = []
    for name, line, part in zip(names, counts, shares, strict=True):
        cells = [Cell(f"{int(n)}" if n else "·", float(n), float(share)) for n, share in zip(line, part, strict=True)]
        rows.append(Row(name, cells))
    note = "A row is a true class, a column what it was taken for; the darker, the larger the share of its row."
    return Table(f"{model}: counts", list(names), [("", rows)], "true class", note, matrix=True)


def _map(model: str, counts: np.ndarray) -> Gallery:
    """Return a matrix of too many classes for numbers as a picture."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    text = f"{model}: confusion of {len(counts)} classes, true ones from top to bottom, those named from left to right"
    picture = Picture(array_source(scaled_bytes(1 - shares), lossless=True), text)
    return Gallery([picture], text, "map", "The darker a point, the larger its share of the true class.")


def _confused(model: str, counts: np.ndarray, names: Sequence[str], most: int = 10) -> Block:
    wrong = counts * (1 - np.eye(len(counts)))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    places = [divmod(int(place), len(counts)) for place in order]
    rows = []
    for true, taken in places:
        many = float(wrong[true, taken])
        if many:
            share = many / float(counts[true].sum())
            cells = [Cell(f"{many:.0f}", many), Cell(f"{100 * share:.1f}", share)]
            rows.append(Row(f"{names[true]} taken for {names[taken]}", cells))
    if not rows:
        return Text([f"{model} takes no test row for another class."])
    return Table(f"{model}: the commonest mistakes", ["rows", "% of the class"], [("", rows)])


def _class_rows(each: Mapping[str, Mapping[str, Any]]) -> Table:
    head = [str(key) for key in dict.fromkeys(key for row in each.values() for key in row)]

    def cell(value: Any) -> Cell:
        if not isinstance(value, int | float):
            return Cell("–")
        return Cell(f"{value:,}" if isinstance(value, int) else f"{value:.4f}", float(value))

    rows = [Row(str(name), [cell(row.get(key)) for key in head]) for name, row in each.items()]
    return Table("", [name.replace("_", " ") for name in head], [("", rows)], "class")


def _mistake(line: Mapping[Any, Any], pixels: np.ndarray) -> Picture:
    told = f"{line['true class']} taken for {line['predicted class']}, {100 * line['probability']:.0f} % sure"
    where = _place(line)
    return Picture(array_source(pixels), f"{where}: {told}", f"{told}; {where}")


def _mistake_table(lines: Sequence[Mapping[Any, Any]], caption: str) -> Table:
    rows = []
    for line in lines:
        sure = float(line["probability"])
        named = [Cell(str(line["true class"])), Cell(str(line["predicted class"]))]
        rows.append(Row(_place(line), [*named, Cell(f"{100 * sure:.0f}", sure)]))
    return Table(caption, ["true class", "taken for", "% sure"], [("", rows)])


def _place(line: Mapping[Any, Any]) -> str:
    return str(line["file"]) if isinstance(line.get("file"), str) else f"test row {line['row']}"


def _parameters(folder: Path) -> dict[str, Any]:
    try:
        return {name: load_weights(path / WEIGHTS) for name, path in model_names(folder).items()}
    except (ValueError, OSError) as error:
        logger.warning(f"no filters in the report: {error}")
        return {}
