"""Score tables: from typed rows and back, and as plain records."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import pandas as pd


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
