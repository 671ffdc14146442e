"""Curves of several runs in one picture, to be compared."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seqvision.reporting.style import PALETTE, finish, new_figure

_LINES = ("-", "--", ":")


def plot_comparison(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    ylabel: str = "loss",
    xlabel: str = "epoch",
    log: bool = False,
    title: str = "",
) -> Figure:
    """Draw curves over epochs, several in a panel: the middle of the seeds as a line, their range as a band.

    Args:
      panels: heading -> name -> (S, epochs) or (epochs,); what is not a number is left out.
      ylabel: of the values.
      xlabel: of the epochs, counted from 1.
      log: draw the values on a logarithmic scale.
      title: above all panels.

    >>> figure = plot_comparison({"rules": {"sgd": [[3.0, 2.0], [2.0, 1.0]], "adam": [2.0, 1.0]}}, log=True)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['sgd', 'adam']
    """
    if not panels:
        raise ValueError("plot_comparison needs at least one panel")
    figure = new_figure(5.2 * len(panels), 4.2)
    for axes, (heading, curves) in zip(
        figure.subplots(1, len(panels), squeeze=False).flat, panels.items(), strict=True
    ):
        for n, (name, values) in enumerate(curves.items()):
            each = np.atleast_2d(np.asarray(values, np.float64))
            epochs = np.arange(1, each.shape[1] + 1)
            color, line = PALETTE[n % len(PALETTE)], _LINES[n // len(PALETTE) % len(_LINES)]
            axes.plot(epochs, np.median(each, axis=0), color=color, linestyle=line, linewidth=1.4, label=name)
            if len(each) > 1:
                axes.fill_between(epochs, each.min(axis=0), each.max(axis=0), color=color, alpha=0.15, linewidth=0)
        finish(axes, heading, ylabel, xlabel)
        if log:
            axes.set_yscale("log")
        axes.legend(fontsize=8, frameon=False)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
