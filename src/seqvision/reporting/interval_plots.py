"""Intervals of forecasts over the test rows: what they promised, and where the truth left them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
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

_OUTSIDE = "#c00000"


def plot_intervals(
    truth: ArrayLike,
    *,
    forecasts: Mapping[str, ArrayLike],
    ends: Mapping[str, Mapping[int, tuple[ArrayLike, ArrayLike]]],
    naive: str = "",
    headings: Mapping[str, str] | None = None,
    dates: Any = None,
    first_row: int = 0,
    name: str = "value",
    unit: str = "",
    title: str = "",
) -> Figure:
    """Draw a panel a forecaster: the truth, its forecasts with a band a level, and the truths outside the widest band.

    Args:
      truth: (B,) in original units.
      forecasts: forecaster -> (B,).
      ends: forecaster -> level in percent -> lower and upper ends (B,); NaN draws none.
      naive: the forecaster that is drawn in gray.
      headings: forecaster -> what its panel says of it; by default its name.
      dates: (B,) datetime64, or None for row numbers from ``first_row`` on.
      first_row: number of the first row in the series.
      name: what is forecast; with the unit on the axis.
      unit: of the series.
      title: above all panels.

    >>> y = np.array([1.0, 2.0, 9.0])
    >>> ends = {"GRU": {80: (y * 0, y * 0 + 3), 95: (y * 0, y * 0 + 4)}}
    >>> figure = plot_intervals(y, forecasts={"GRU": y * 0 + 2}, ends=ends)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['truth', 'GRU', 'outside the 95 % interval']
    """
    y = np.asarray(truth, np.float64)
    x, xlabel = time_axis(dates, first_row, len(y))
    figure = new_figure(10.5, 2.4 * len(forecasts) + 0.5)
    room = float(y.max() - y.min()) or 1.0
    reach = y.min() - 9 * room, y.max() + 9 * room  # what runs away is put out of the picture
    panels = figure.subplots(len(forecasts), 1, squeeze=False).flat
    levels: tuple[int, ...] = ()
    for axes, (model, palette) in zip(panels, with_colors(tuple(forecasts)), strict=True):
        color = NAIVE if model == naive else palette
        levels = tuple(sorted(ends[model]))
        axes.plot(*with_gaps(x, y), color=TRUTH, linewidth=1.2, label="truth", zorder=3)
        for level, opacity in interval_shades(levels):
            low, high = (np.clip(np.asarray(end, np.float64), *reach) for end in ends[model][level])
            axes.fill_between(x, low, high, color=color, alpha=opacity, linewidth=0)
        line = np.clip(np.asarray(forecasts[model], np.float64), *reach)
        axes.plot(*with_gaps(x, line), color=color, label=legend_name(model))
        low, high = (np.asarray(end, np.float64) for end in ends[model][levels[-1]])
        outside = (y < low) | (y > high)
        label = f"outside the {levels[-1]} % interval"
        axes.plot(x[outside], y[outside], ".", color=_OUTSIDE, markersize=6, label=label, zorder=4)
        label_axes(axes, (headings or {}).get(model, model), with_unit(name, unit), xlabel)
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, y.min() - room), min(top, y.max() + room))
        axes.margins(x=0.01)
        date_ticks(axes, x)
    figure_legend(figure, interval_key(levels))
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
