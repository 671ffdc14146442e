"""Pictures of training: the losses of each model, and curves of several runs to be compared."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from seqvision._checks import check_flag
from seqvision.reporting.plain_text import legend_name, short_lines, short_name
from seqvision.reporting.style import (
    PALETTE,
    band_key,
    draw_band,
    further_legend,
    label_axes,
    new_figure,
)

Floats = NDArray[np.float64]
_STYLES = (("", "#0072B2", "-", "training"), ("val_", "#D55E00", "--", "validation"))
_LINES = ("-", "--", ":")


def plot_losses(
    histories: Mapping[str, Mapping[str, ArrayLike]],
    *,
    loss: str = "loss",
    metrics: tuple[str, ...] = (),
    title: str = "",
) -> Figure:
    """Draw training and validation curves of every model over epochs, a panel a model: mean line and band over seeds.

    Args:
      histories: model -> {"loss": (S, epochs) or (epochs,), "val_loss": … if there was one, and the metrics}.
      loss: what to call the loss on the axis.
      metrics: further entries of the histories, such as "accuracy", each with panels of its own below.
      title: above all panels.

    >>> len(plot_losses({"GRU": {"loss": [1.0, 0.5]}}).axes)
    1
    """
    if not histories:
        raise ValueError("plot_losses needs the history of at least one model")
    columns = min(len(histories), 4)
    lines = -(-len(histories) // columns)
    labels = {"loss": loss, **{metric: metric for metric in metrics}}
    figure = new_figure(max(3.1 * columns, 5.0), 2.7 * lines * len(labels) + 0.3)
    panels = figure.subplots(lines * len(labels), columns, sharex=False, squeeze=False)
    for n, (metric, label) in enumerate(labels.items()):
        block = list(panels[n * lines : (n + 1) * lines].flat)
        everything = _curves(block, histories, metric, label)
        finite = np.concatenate([v[np.isfinite(v)] for v in everything]) if everything else np.zeros(0)
        if metric == "loss" and finite.size and finite.min() > 0 and finite.max() / finite.min() > 10:
            block[0].set_yscale("log")
    seeds = [len(np.atleast_2d(np.asarray(values))) for one in histories.values() for values in one.values()]
    further_legend(figure, band_key(seeds, line="mean"))
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _curves(
    panels: list[Axes], histories: Mapping[str, Mapping[str, ArrayLike]], metric: str, label: str
) -> list[Floats]:
    """Draw one metric of each model on its panel, all on one scale; return what was drawn."""
    drawn: list[Floats] = []
    for axes, (name, history) in zip(panels, histories.items(), strict=False):
        if axes is not panels[0]:
            axes.sharey(panels[0])
        for prefix, color, style, part in _STYLES:
            if prefix + metric in history:
                values = np.atleast_2d(np.asarray(history[prefix + metric], np.float64))
                draw_band(axes, np.arange(1, values.shape[1] + 1), values, color, part, style)
                drawn.append(values)
        label_axes(axes, short_name(name), label if axes is panels[0] else "", "epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=8, frameon=False)
    for axes in panels[len(histories) :]:
        axes.set_visible(False)
    return drawn


def plot_epoch_curves(
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

    >>> figure = plot_epoch_curves({"rules": {"sgd": [[3.0, 2.0], [2.0, 1.0]], "adam": [2.0, 1.0]}}, log=True)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['sgd', 'adam']
    """
    check_flag("log", log, owner="plot_epoch_curves")
    if not panels:
        raise ValueError("plot_epoch_curves needs at least one panel")
    figure = new_figure(5.2 * len(panels), 4.2)
    for axes, (heading, curves) in zip(
        figure.subplots(1, len(panels), squeeze=False).flat, panels.items(), strict=True
    ):
        for n, (name, values) in enumerate(curves.items()):
            each = np.atleast_2d(np.asarray(values, np.float64))
            epochs = np.arange(1, each.shape[1] + 1)
            color, line = PALETTE[n % len(PALETTE)], _LINES[n // len(PALETTE) % len(_LINES)]
            axes.plot(
                epochs, np.median(each, axis=0), color=color, linestyle=line, linewidth=1.4, label=legend_name(name)
            )
            if len(each) > 1:
                axes.fill_between(epochs, each.min(axis=0), each.max(axis=0), color=color, alpha=0.15, linewidth=0)
        label_axes(axes, short_lines(heading), ylabel, xlabel)
        if log:
            axes.set_yscale("log")
        axes.legend(fontsize=8, frameon=False)
    seeds = [len(np.atleast_2d(np.asarray(values))) for one in panels.values() for values in one.values()]
    further_legend(figure, band_key(seeds, line="middle"))
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
