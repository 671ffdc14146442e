"""Score cards as tables of a page, from what summary.json holds of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqvision._checks import counted
from seqvision.reporting.html.blocks import Cell, Row, Table, Told
from seqvision.scorecards import format_number

Scores = Mapping[str, Mapping[str, Any]]  # row -> score -> value

_GROUPS = ("threshold", "mean of seeds", "model", "baseline")
_INTERVALS = (
    "Intervals are made by split conformal prediction from rows that trained nothing. The share inside is the nominal "
    "one where test rows come like those before: series need not. Of the interval score lower is better."
)
_KNOWN = {"kind", "seeds"}


def forecast_table(scores: Scores, caption: str, reference: str) -> Table:
    """Return the scores of forecasters.

    Args:
      scores: a table of a `ForecastCard`, as its ``to_dict`` has it.
      caption: what was forecast.
      reference: the baseline that skill is over.
    """
    columns = {
        "MAE": _spread("mae"),
        "RMSE": _spread("rmse"),
        "MASE": _plain("mase", ".3f"),
        "sMAPE %": _plain("smape", ".2f"),
        "R²": _plain("r2", ".3f"),
        "direction %": _share("direction", bounds=("direction_low", "direction_high")),
        "skill": _share("skill", signed=True),
    }
    note = f"Skill is 1 − RMSE / RMSE of the {reference}." if reference else ""
    hidden = ("mape", "direction_low", "direction_high", "direction_rows")
    return _grouped(scores, caption, columns, hidden, best=("rmse", min), note=note)


def class_table(scores: Scores, caption: str) -> Table:
    """Return the scores of classifiers, as the ``to_dict`` of a `ClassCard` has them."""
    columns = {
        "accuracy %": _share("accuracy", bounds=("accuracy_low", "accuracy_high"), digits=2),
        "balanced accuracy %": _share("balanced_accuracy", digits=2),
        "log-loss": _spread("log_loss"),
        "F1": _plain("f1", ".4f"),
        "ROC area": _plain("roc_area", ".4f"),
        "calibration error": _plain("calibration_error", ".4f"),
    }
    return _grouped(scores, caption, columns, ("accuracy_low", "accuracy_high"), best=("accuracy", max))


def is_sequences(scores: Mapping[str, Any]) -> bool:
    """Return whether these are the scores of encoder-decoders and simple rules."""
    rows = scores.values()
    return bool(rows) and all(isinstance(row, Mapping) and {"kind", "exact", "symbols"} <= {*row} for row in rows)


def sequence_table(scores: Scores, caption: str) -> Table:
    """Return the shares that encoder-decoders and simple rules got right, as summary.json of such a run has them."""
    columns = {"whole sequences %": _share("exact", digits=2), "symbols %": _share("symbols", digits=2)}
    return _grouped(scores, caption, columns, (), best=("exact", max))


def sequence_words(scores: Scores) -> str:
    """Return the best model beside the best rule in a sentence.

    >>> rule, model = {"kind": "baseline", "exact": 0.005}, {"kind": "model", "exact": 0.98}
    >>> sequence_words({"Luong": model, "copy": rule})
    'Luong gets 98.0 % of the sequences wholly right, mean over its seeds; the best simple rule, copy, 0.5 %.'
    """
    values = {name: _number(row.get("exact")) or 0.0 for name, row in scores.items()}
    rules = [name for name in scores if scores[name].get("kind") == "baseline"]
    models = [name for name in scores if name not in rules]
    if not models:
        return ""
    model = max(models, key=lambda name: values[name])
    text = f"{model} gets {100 * values[model]:.1f} % of the sequences wholly right, mean over its seeds"
    rule = max(rules, key=lambda name: values[name], default="")
    return f"{text}; the best simple rule, {rule}, {100 * values[rule]:.1f} %." if rule else f"{text}."


def plain_table(scores: Mapping[str, Any], caption: str) -> Table:
    """Return a table of any numbers: name -> value, or name -> column -> value.

    >>> plain_table({"sobel": {"edges": 0.25}}, "filters").groups[0][1][0].cells[0].text
    '0.2500'
    """
    rows = {str(name): value if isinstance(value, Mapping) else {"": value} for name, value in scores.items()}
    if any("kind" in row for row in rows.values()):
        return _grouped(rows, caption, {}, ())
    head = list(dict.fromkeys(key for row in rows.values() for key in row if not str(key).endswith("_std")))
    made = [Row(name, [_any(row, key) for key in head]) for name, row in rows.items()]
    return Table(caption, [str(key) for key in head] if head != [""] else ["value"], [("", made)])


def step_table(table: Mapping[str, Any], shown: Sequence[str], caption: str) -> Table:
    """Return the RMSE of some steps of forecasts, with what the card says of each.

    Args:
      table: a `StepTable`, as its ``to_dict`` has it.
      shown: its rows to show.
      caption: what was forecast.
    """
    rmse, outcomes = table.get("rmse") or {}, table.get("outcomes") or {}
    steps = max((len(row) for row in rmse.values()), default=0)
    count = min(steps, 8)
    places = [1 + round(k * (steps - 1) / max(count - 1, 1)) for k in range(count)]
    rows = []
    for name, row in rmse.items():
        if name not in shown:
            continue
        told = outcomes.get(name) or {}
        cells = []
        for step in places:
            value, outcome = _number(row.get(str(step))), told.get(str(step)) or ""
            sign = {"skill": " +", "unclear": " ?"}.get(outcome, "")
            cells.append(Cell(_text(value) + sign, value, mark=outcome))
        rows.append(Row(short_of(str(name)), cells))
    note = f"+ skill over the {table.get('reference')}, ? unclear, without a mark none." if outcomes else ""
    return Table(caption, [counted(step, "step") for step in places], [("", rows)], note=note)


def coverage_tables(intervals: Mapping[str, Any], unit: str = "") -> list[Table]:
    """Return what share of the test rows lay inside the intervals, of the first step and the last that has any."""
    found: dict[tuple[str, int], dict[str, dict[float, Mapping[str, Any]]]] = {}
    for one in intervals.get("scores") or []:
        place = found.setdefault((str(one["way"]), int(one["step"])), {})
        place.setdefault(str(one["model"]), {})[float(one["level"])] = one
    known = {place for place, models in found.items() if any(_has_share(each) for each in models.values())}
    ends = {way: max(step for other, step in known if other == way) for way, _ in known}
    tables = []
    for (way, step), models in found.items():
        if step != ends.get(way) and not (step == 1 and way == "at once"):
            continue
        levels = sorted({level for each in models.values() for level in each})
        makers = (_share("coverage"), *(_Column(key, _any) for key in ("width", "score")))
        rows = []
        for name, each in models.items():
            rows.append(Row(short_of(name), [make(each[level]) for level in levels for make in makers]))
        head = [text for level in levels for text in (f"in the {100 * level:g} % one", "mean width", "score")]
        ahead = counted(step, "step") + " ahead" + (", each fed by those before" if way == "fed back" else "")
        tables.append(Table(f"Intervals: % of the test rows inside, {ahead}{unit}", head, [("", rows)]))
    if tables:
        notes = [_INTERVALS, *(f"{str(note)[:1].upper()}{str(note)[1:]}." for note in intervals.get("notes") or [])]
        tables[-1] = replace(tables[-1], note=" ".join(notes))
    return tables


def _has_share(by_level: Mapping[float, Mapping[str, Any]]) -> bool:
    return any(one.get("coverage") is not None for one in by_level.values())


def used_rows(scores: Scores) -> list[str]:
    """Return the rows of a card that are used in the end, and the baselines.

    >>> used_rows({"gru": {"kind": "model", "seeds": 2}, "gru (mean of 2 seeds)": {"kind": "mean of seeds"}})
    ['gru (mean of 2 seeds)']
    """
    used = {str(name): row for name, row in scores.items() if row.get("kind") != "model" or row.get("seeds") == 1}
    decided = {name for name, row in used.items() if row.get("kind") == "threshold"}
    return [name for name in used if not {f"{name} (threshold)", f"{name[:-1]}, threshold)"} & decided]


def short_of(name: str) -> str:
    """Return a model's name without how many seeds it is the mean of.

    >>> short_of("gru (mean of 2 seeds)")
    'gru'
    """
    return name.split(" (mean of ")[0].removesuffix(" (threshold)")


def told_verdicts(scores: Mapping[str, Any]) -> tuple[list[Told], list[Told]]:
    """Return the verdicts on what is used in the end, and those on the seeds alone."""
    tables = [table for table in scores.values() if isinstance(table, Mapping)]
    rows: dict[str, Any] = {}
    for table in tables:
        rows |= {name: row for name, row in table.items() if isinstance(row, Mapping) and "kind" in row}
    delivered = set(used_rows(rows))
    used: list[Told] = []
    alone: list[Told] = []
    for verdict in scores.get("verdicts") or []:
        if not isinstance(verdict, Mapping):
            continue
        name = str(verdict.get("model"))
        told = Told(str(verdict.get("outcome", "")), str(verdict.get("text", "")))
        if name in delivered or name not in rows:
            used.append(told)
        elif rows[name]["kind"] == "model":
            alone.append(told)
    return used, alone


def _grouped(
    scores: Scores,
    caption: str,
    columns: Mapping[str, Callable[[Mapping[str, Any]], Cell]],
    hidden: Sequence[str],
    best: tuple[str, Callable[..., Any]] | None = None,
    note: str = "",
) -> Table:
    """Return rows in groups of one kind: what is used in the end first, the baselines last."""
    known = _KNOWN | set(hidden)
    made = dict(columns)
    named = {cell.source for cell in columns.values() if isinstance(cell, _Column)}
    rest = dict.fromkeys(key for row in scores.values() for key in row)
    for key in rest:
        if key not in known | named and not key.endswith("_std"):
            made[key.replace("_", " ")] = _Column(key, _any)
    groups: list[tuple[str, list[Row]]] = []
    marked = _best(scores, *best) if best else ""
    for kind in dict.fromkeys((*_GROUPS, *(str(row.get("kind")) for row in scores.values()))):
        those = {name: row for name, row in scores.items() if row.get("kind") == kind}
        if not those:
            continue
        rows = []
        for name, row in those.items():
            cells = [make(row) for make in made.values()]
            if name == marked:
                cells = [Cell(c.text, c.value, c.share, "best") for c in cells]
            rows.append(Row(short_of(str(name)) if kind in ("mean of seeds", "threshold") else str(name), cells))
        used = kind == "threshold" or (kind == "mean of seeds" and not groups)
        heading = _heading(kind, {int(row.get("seeds") or 1) for row in those.values()})
        groups.append((heading + (": what is used in the end" if used else ""), rows))
    spread = any(int(row.get("seeds") or 1) > 1 and row.get("kind") == "model" for row in scores.values())
    notes = [note, "± is the spread over seeds, not an interval." if spread else ""]
    notes.append("Bold: the best of what is used in the end and the baselines." if marked else "")
    return Table(caption, list(made), groups, note=" ".join(filter(None, notes)))


def _heading(kind: str, counts: set[int]) -> str:
    seeds = " or ".join(counted(count, "seed") for count in sorted(counts))
    if kind == "mean of seeds":
        return f"mean of {seeds}"
    if kind == "threshold":
        return "by a threshold chosen on validation rows"
    if kind == "model" and counts != {1}:
        return f"single seeds: mean ± spread over {seeds}"
    return f"{kind}s"


def _best(scores: Scores, key: str, choose: Callable[..., Any]) -> str:
    values = {name: value for name in used_rows(scores) if (value := _number(scores[name].get(key))) is not None}
    return choose(values, key=lambda name: values[name]) if values else ""


class _Column:
    """A score and how it is written."""

    def __init__(self, source: str, write: Callable[[Mapping[str, Any], str], Cell]) -> None:
        self.source, self._write = source, write

    def __call__(self, row: Mapping[str, Any]) -> Cell:
        return self._write(row, self.source)


def _spread(key: str) -> _Column:
    return _Column(key, _any)


def _plain(key: str, form: str) -> _Column:
    def write(row: Mapping[str, Any], key: str) -> Cell:
        value = _number(row.get(key))
        if value is None:
            return Cell("–")
        return Cell((f"{value:{form}}" if abs(value) < 1e3 else f"{value:.1e}").replace("-", "−"), value)

    return _Column(key, write)


def _share(key: str, bounds: tuple[str, str] | None = None, signed: bool = False, digits: int = 1) -> _Column:
    def write(row: Mapping[str, Any], key: str) -> Cell:
        value = _number(row.get(key))
        if value is None:
            return Cell("–")
        if signed:
            text = f"{round(100 * value, digits) + 0.0:+.{digits}f} %" if value > -99.995 else "< −9999 %"
            return Cell(text.replace("-", "−"), value)
        text, spread = f"{100 * value:.{digits}f}", _number(row.get(f"{key}_std"))
        text += "" if spread is None else f" ± {100 * spread:.{digits}f}"
        low, high = (_number(row.get(name)) for name in bounds or ("", ""))
        text += "" if low is None or high is None else f" [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"
        return Cell(text, value)

    return _Column(key, write)


def _any(row: Mapping[str, Any], key: str) -> Cell:
    value = row.get(key)
    number = _number(value)
    if number is None:
        if isinstance(value, list) and value and all(_number(v) is not None for v in value):
            texts = [_text(float(v)) for v in value]
            return Cell(", ".join(texts if len(texts) < 5 else [*texts[:2], "…", texts[-1]]))
        return Cell("–" if value is None else str(value)[:200])
    spread = _number(row.get(f"{key}_std"))
    text = f"{int(value):,}" if isinstance(value, int) else _text(number)
    return Cell(text + ("" if spread is None else f" ± {format_number(spread, like=number)}"), number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _text(value: float | None) -> str:
    return "–" if value is None else format_number(value).replace("-", "−")
