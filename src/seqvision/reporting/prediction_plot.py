"""A picture of a prediction: the last rows, what each model says of the next ones, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seqvision.reporting.plain_text import legend_name
from seqvision.reporting.style import (
    NAIVE,
    TRUTH,
    date_ticks,
    figure_legend,
    interval_key,
    interval_shades,
    label_axes,
    new_figure,
    time_axis,
    with_colors,
    with_gaps,
    with_unit,
)


def plot_prediction(
    table: pd.DataFrame,
    history: ArrayLike,
    *,
    naive: str,
    dates: Any = None,
    ahead: Any = None,
    levels: Sequence[int] = (80, 95),
    headings: Mapping[str, str] | None = None,
    name: str = "value",
    unit: str = "",
    title: str = "",
) -> Figure:
    """Draw a panel a model: the last rows, its forecasts with their intervals, and the naive forecast with its own.

    Args:
      table: rows of "model", "row", "forecast" and, for each level, "lower_80", "upper_80", as a prediction has them.
      history: (N,) the rows before.
      naive: the model in the table that is the naive forecast; without others it has the only panel.
      dates: (N,) datetime64 of the rows before, or None for row numbers.
      ahead: (steps,) datetime64 of the rows ahead; None for row numbers.
      levels: of the intervals, in percent.
      headings: model -> what its panel says of it; by default its name.
      name: what is forecast; with the unit on the axis.
      unit: of the series.
      title: above all panels.

    >>> table = pd.DataFrame({"model": ["GRU", "last value"], "row": [2, 2], "forecast": [2.0, 1.5]})
    >>> for n, end in enumerate(("lower_80", "upper_80", "lower_95", "upper_95")):
    ...     table[end] = table["forecast"] + (n % 2 - 0.5) * (n + 2)
    >>> len(plot_prediction(table, [1.0, 1.5], naive="last value").axes)
    1
    """
    y = np.asarray(history, np.float64)
    reach = _reach(y)
    ends = [f"{end}_{level}" for level in levels for end in ("lower", "upper")]
    table = table.assign(**{name: _within(table[name], reach) for name in ("forecast", *ends)})
    plain = table[table["model"] == naive]
    shown = [model for model in dict.fromkeys(table["model"]) if model != naive] or [naive]
    dated = dates is not None and ahead is not None
    first = int(table["row"].min())
    x, xlabel = time_axis(dates if dated else None, first - len(y), len(y))
    later = time_axis(ahead if dated else None, first, len(plain))[0]
    figure = new_figure(10.5, 3.0 * len(shown) + 0.6)
    panels = figure.subplots(len(shown), 1, squeeze=False).flat
    for axes, (model, color) in zip(panels, with_colors(shown), strict=True):
        part = table[table["model"] == model]
        axes.plot(*with_gaps(x, y), color=TRUTH, linewidth=1.3, label="truth")
        axes.plot(later, plain["forecast"], color=NAIVE, linestyle="--", marker=_mark(later), label=legend_name(naive))
        for end in ("lower", "upper"):
            line = plain[f"{end}_{levels[-1]}"].to_numpy(np.float64)
            label = f"{legend_name(naive)}, {levels[-1]} % interval" if end == "lower" else None
            axes.plot(later, line, color=NAIVE, linestyle=":", linewidth=1.0, marker=_mark(later), label=label)
        if model != naive:
            for level, opacity in interval_shades(levels):
                low, high = (part[f"{end}_{level}"].to_numpy(np.float64) for end in ("lower", "upper"))
                _band(axes, later, low, high, color, opacity)
            axes.plot(later, part["forecast"], color=color, marker=_mark(later), label=legend_name(str(model)))
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, reach[0]), min(top, reach[1]))
        label_axes(axes, (headings or {}).get(str(model), str(model)), with_unit(name, unit), xlabel)
        axes.margins(x=0.01)
        date_ticks(axes, x)
    figure_legend(figure, interval_key(levels) if shown != [naive] else [])
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _within(values: Any, reach: tuple[float, float]) -> np.ndarray:
    """Return values with what lies beyond twice the reach put there, out of the picture."""
    room = reach[1] - reach[0]
    return np.clip(np.asarray(values, np.float64), reach[0] - room, reach[1] + room)


def _band(axes: Axes, x: Any, low: np.ndarray, high: np.ndarray, color: str, opacity: float) -> None:
    """Fill between the ends; a single step gets a bar."""
    if len(low) > 1:
        axes.fill_between(x, low, high, color=color, alpha=opacity, linewidth=0)
    else:
        axes.vlines(x, low, high, color=color, alpha=min(1.0, 2 * opacity), linewidth=6)


def _mark(x: Any) -> str | None:
    return "o" if len(x) == 1 else None  # a line of one point is not seen


def _reach(truth: np.ndarray) -> tuple[float, float]:
    """Return what is drawn at most, so that what runs away does not flatten the truth: its range four times beyond."""
    low, high = float(truth.min()), float(truth.max())
    room = 4.0 * (high - low) or max(0.05 * abs(high), 1e-12)
    return low - room, high + room
