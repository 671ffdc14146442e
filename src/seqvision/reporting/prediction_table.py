"""predictions.csv: the truth, each model's mean forecast and the naive forecast, one line a test row."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def prediction_table(
    truth: ArrayLike,
    columns: Mapping[str, ArrayLike],
    *,
    dates: Any = None,
    first_row: int = 0,
) -> pd.DataFrame:
    """Return a table with row (or date and row), truth and one column a forecast.

    Args:
      truth: (B,).
      columns: name -> (B,), or (S, B) over seeds, whose mean is kept.
      dates: (B,) datetime64, or None.
      first_row: number of the first row in the series.

    >>> table = prediction_table([1.0, 2.0], {"GRU": [[1.0, 1.0], [2.0, 3.0]]}, first_row=5)
    >>> table["GRU"].tolist(), table["row"].tolist()
    ([1.5, 2.0], [5, 6])
    """
    y = np.asarray(truth, np.float64)
    table: dict[str, Any] = {"row": np.arange(first_row, first_row + len(y))}
    if dates is not None:
        table["date"] = np.asarray(dates, "datetime64[ns]")
    table["truth"] = y
    for name, forecast in columns.items():
        if name in table:
            raise ValueError(f"a forecast cannot be called {name!r}: the table has that column already")
        values = np.atleast_2d(np.asarray(forecast, np.float64))
        if values.ndim != 2 or values.shape[1] != len(y):
            raise ValueError(
                f"forecast {name!r} has shape {np.shape(forecast)}, expected (seeds, {len(y)}) or ({len(y)},)"
            )
        table[name] = values.mean(axis=0)
    return pd.DataFrame(table)


def write_table(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Write a table as CSV: ISO dates, nine significant digits, no index."""
    table.to_csv(path, index=False, float_format="%.9g", encoding="utf-8")


def check_output(path: str | os.PathLike[str]) -> None:
    """Refuse a file that `write_table` could not write, before what it is to hold is computed.

    Raises:
      OSError: naming it.

    >>> check_output("no such folder/table.csv")
    Traceback (most recent call last):
    FileNotFoundError: cannot write no such folder/table.csv: there is no folder no such folder
    """
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"cannot write {file}: it is a folder")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"cannot write {file}: there is no folder {file.parent}")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise PermissionError(f"cannot write {file}: permission denied")
