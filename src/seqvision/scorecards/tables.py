"""Score tables as plain records."""

import math
from typing import Any, cast

import pandas as pd

Record = dict[str, Any]


def records(table: pd.DataFrame) -> dict[str, Record]:
    """Return a table as name -> column -> plain value.

    >>> records(pd.DataFrame({"rmse": [1.5]}, index=["last value"]))
    {'last value': {'rmse': 1.5}}
    """
    return cast(dict[str, Record], table.to_dict("index"))


def json_records(table: pd.DataFrame) -> dict[str, Record]:
    """Return a table as ``records`` that strict JSON can hold: what is not finite becomes None, keys are text.

    >>> json_records(pd.DataFrame({1: [float("nan")]}, index=["GRU"]))
    {'GRU': {'1': None}}
    """

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {str(name): {str(k): plain(v) for k, v in row.items()} for name, row in records(table).items()}
