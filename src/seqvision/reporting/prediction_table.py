"""predictions.csv: the truth, each forecaster and the naive forecasts, one line a row and step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd


def prediction_table(
    truth: ArrayLike,
    columns: Mapping[str, ArrayLike],
    *,
    dates: Any = None,
    first_row: int = 0,
) -> "pd.DataFrame":
    """Return a table with row (or row and date), truth and one column a forecast, and with steps ahead a line for each.

    Args:
      truth: (B,).
      columns: name -> (B,), or (S, B) over seeds, whose mean is kept; or (S, B, steps), the forecasts of each row made
        1, 2, … rows ahead: then there is a column "step", first all rows of step 1, and row, date and truth are those
        of the row that was forecast.
      dates: (B,) datetime64, or None.
      first_row: number of the first row in the series.

    >>> table = prediction_table([1.0, 2.0], {"GRU": [[1.0, 1.0], [2.0, 3.0]]}, first_row=5)
    >>> table["GRU"].tolist(), table["row"].tolist()
    ([1.5, 2.0], [5, 6])
    >>> prediction_table([1.0, 2.0], {"GRU": np.ones((3, 2, 2))})["step"].tolist()
    [1, 1, 2, 2]
    """
    import pandas as pd

    y = np.asarray(truth, np.float64)
    values = {name: np.asarray(forecast, np.float64) for name, forecast in columns.items()}
    steps = max((f.shape[2] for f in values.values() if f.ndim == 3), default=1)
    table: dict[str, Any] = {"row": np.tile(np.arange(first_row, first_row + len(y)), steps)}
    if dates is not None:
        table["date"] = np.tile(np.asarray(dates, "datetime64"), steps)
    if any(f.ndim == 3 for f in values.values()):
        table["step"] = np.repeat(np.arange(1, steps + 1), len(y))
    table["truth"] = np.tile(y, steps)
    for name, f in values.items():
        if name in table:
            raise ValueError(f"a forecast cannot be called {name!r}: the table has that column already")
        seeds = f[None] if f.ndim == 1 else f
        if seeds.ndim not in (2, 3) or seeds.shape[1] != len(y):
            raise ValueError(
                f"forecast {name!r} has shape {f.shape}, expected (seeds, {len(y)}), (seeds, {len(y)}, steps) or "
                f"({len(y)},)"
            )
        mean = seeds.mean(axis=0)
        table[name] = _by_step(mean, steps) if mean.ndim == 2 else np.tile(mean, steps)
    return pd.DataFrame(table)


def _by_step(forecasts: np.ndarray, steps: int) -> np.ndarray:
    """Return (B, H) as (steps B,), NaN beyond its own steps."""
    rest = np.full((len(forecasts), steps - forecasts.shape[1]), np.nan)
    return np.concatenate([forecasts, rest], axis=1).T.ravel()
