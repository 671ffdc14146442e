"""Pictures of gradients: by lag, by depth, dead units, and along training with and without clipping."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from seqvision.reporting.plain_text import legend_name
from seqvision.reporting.style import (
    NAIVE,
    PALETTE,
    band_key,
    further_legend,
    label_axes,
    new_figure,
    with_colors,
)

_STYLES = ("-", "--", ":")


def plot_gradient_flow(
    *,
    by_lag: Mapping[str, ArrayLike],
    by_depth: Mapping[str, ArrayLike],
    dead: Mapping[str, ArrayLike],
    traces: Mapping[str, ArrayLike],
    title: str = "",
) -> Figure:
    """Draw four panels, a line a name: the middle of the seeds, with a band from the lowest to the highest.

    A cross ends a line beyond which most seeds are no longer finite.

    Args:
      by_lag: name -> (S, T) or (T,), gradient norms at lags 0 … T-1, on a logarithmic scale.
      by_depth: name -> (S, L) or (L,), gradient norms of layers 1 … L, on a logarithmic scale.
      dead: name -> (S, L) or (L,), share of dead units of layers 1 … L.
      traces: name -> (S, steps) or (steps,), gradient norms before each step of training, on a logarithmic scale.
      title: above all panels.

    >>> curve = {"net": [1.0, 0.5]}
    >>> figure = plot_gradient_flow(by_lag=curve, by_depth=curve, dead={"relu": [0.0, 0.2]}, traces={"sgd": [1.0]})
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['lag, steps back', 'layer', 'layer', 'training step']
    """
    figure = new_figure(10.5, 7.6)
    lag, depth, units, training = figure.subplots(2, 2).flat
    _lines(lag, by_lag, 0)
    label_axes(lag, "Loss at the last step, by lag of the input", "gradient norm", "lag, steps back")
    _lines(depth, by_depth, 1)
    label_axes(depth, "By layer of a deep network", "gradient norm", "layer")
    _lines(units, dead, 1, logarithmic=False)
    units.set_ylim(-0.02, 1.02)
    label_axes(units, "Dead units", "share of the layer", "layer")
    _lines(training, traces, 1)
    label_axes(training, "In the course of training", "gradient norm before clipping", "training step")
    for axes in (lag, depth, units, training):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=7.5, frameon=False)
    tables = (by_lag, by_depth, dead, traces)
    seeds = [len(np.atleast_2d(np.asarray(values))) for table in tables for values in table.values()]
    further_legend(figure, band_key(seeds, line="middle"))
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _lines(axes: Axes, table: Mapping[str, ArrayLike], first: int, *, logarithmic: bool = True) -> None:
    if logarithmic:
        axes.set_yscale("log")
        axes.axhline(1.0, color=NAIVE, linewidth=0.8)
    for n, (name, color) in enumerate(with_colors(list(table))):
        values = np.atleast_2d(np.asarray(table[name], np.float64))
        values = np.where(np.isnan(values), np.inf, values)  # a seed that diverged is above all others
        middle = np.median(values, axis=0)
        shown = np.isfinite(middle) & (middle > 0 if logarithmic else True)
        x, low, high = np.flatnonzero(shown) + first, values.min(axis=0)[shown], values.max(axis=0)[shown]
        style = _STYLES[(n // len(PALETTE)) % len(_STYLES)]
        axes.plot(x, middle[shown], style, color=color, linewidth=1.4, label=legend_name(name))
        axes.fill_between(x, low, high, where=np.isfinite(high), color=color, alpha=0.12, linewidth=0)
        if shown.any() and not np.isfinite(middle[-1]):
            axes.plot(x[-1], middle[shown][-1], "x", color=color)
