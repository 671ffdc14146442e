"""Score tables: from typed rows and back, as plain records, and as text of at most 110 columns."""

import math
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, get_args

import pandas as pd

from seqvision._checks import counted
from seqvision.scorecards.class_thresholds import thresholded_name
from seqvision.scorecards.verdict import RowKind, Verdict, delivered_name

WIDTH = 110


class _Row(Protocol):
    def _asdict(self) -> dict[str, Any]: ...


Row = TypeVar("Row")


def table_of(rows: Mapping[str, _Row]) -> pd.DataFrame:
    """Return named tuples as a table, one row a name, one column a field.

    >>> from seqvision.metrics import wilson_interval
    >>> table_of({"GRU": wilson_interval(1, 2)}).loc["GRU", "value"].item()
    0.5
    """
    return pd.DataFrame.from_dict({name: row._asdict() for name, row in rows.items()}, orient="index")


def rows_of(table: pd.DataFrame, kind: Callable[..., Row]) -> dict[str, Row]:
    """Return the rows of a table that ``table_of`` made as named tuples of that kind again."""
    return {str(name): kind(*row) for name, *row in table.itertuples(name=None)}


def json_records(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return a table as name -> column -> value that strict JSON can hold: what is not finite becomes None.

    >>> json_records(pd.DataFrame({1: [float("nan")]}, index=["GRU"]))
    {'GRU': {'1': None}}
    """

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {str(name): {str(k): plain(v) for k, v in row.items()} for name, row in table.to_dict("index").items()}


def row_groups(rows: Mapping[str, Row]) -> list[tuple[str, dict[str, Row]]]:
    """Return rows that have a ``kind`` and ``seeds`` in groups: what they are, and the rows by short names."""
    groups: list[tuple[str, dict[str, Row]]] = []
    for kind in get_args(RowKind):
        those = {name: row for name, row in rows.items() if _field(row, "kind") == kind}
        if those:
            short = {_short_name(name, row): row for name, row in those.items()}
            used = kind == "threshold" or (kind == "mean of seeds" and not groups)
            title = _group_title(kind, sorted({_field(row, "seeds") for row in those.values()}))
            groups.append((title + (": what is used in the end" if used else ""), short))
    return groups


def verdict_lines(verdicts: Mapping[str, Verdict], others: tuple[Verdict, ...]) -> list[str]:
    """Return the verdicts on what is delivered as lines, each with the outcome of its seeds alone.

    Args:
      verdicts: row -> verdict, of what is delivered, in one mode.
      others: all verdicts.
    """
    lines = []
    for name, verdict in verdicts.items():
        alone = [v.outcome for v in others if v.mode == verdict.mode and name.startswith(f"{v.model} (mean of ")]
        lines += wrapped(verdict.text + (f"; its seeds alone: {alone[0]}" if alone else ""))
    return lines


def wrapped(text: str, indent: int = 2) -> list[str]:
    """Return a sentence as lines, indented."""
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (3 * indent))


def _field(row: Any, name: str) -> Any:
    return getattr(row, name)


def _group_title(kind: RowKind, counts: list[int]) -> str:
    seeds = " or ".join(counted(count, "seed") for count in counts)
    if kind == "mean of seeds":
        return f"mean of {seeds}"
    if kind == "threshold":
        return ("" if counts == [1] else f"mean of {seeds}, ") + "by a threshold chosen on validation rows"
    if kind == "model" and counts != [1]:
        return f"single seeds: mean ± spread over {seeds}"
    return f"{kind}s"


def _short_name(name: str, row: Any) -> str:
    if row.kind == "threshold":
        return name.removesuffix(thresholded_name("", row.seeds))
    return name.removesuffix(delivered_name("", row.seeds)) if row.kind == "mean of seeds" else name
