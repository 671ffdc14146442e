"""Pictures of attention: which source steps were read while each token was written."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seqvision.reporting.plain_text import name_ticks, short_lines
from seqvision.reporting.style import new_figure


def plot_attention(
    weights: Sequence[ArrayLike],
    *,
    sources: Sequence[Sequence[str]],
    targets: Sequence[Sequence[str]],
    title: str = "",
) -> Figure:
    """Draw attention maps, a panel an example: a row for each symbol written, a column for each one read.

    Args:
      weights: one map an example, (T, S) or larger: what lies beyond the symbols is cut off.
      sources: the S symbols read, of each example.
      targets: the T symbols written, of each example.
      title: above all panels.

    Raises:
      ValueError: if numbers differ, or a map is smaller than its symbols.

    >>> plot_attention([np.eye(3)], sources=["abc"], targets=["xyz"]).axes[0].get_xlabel()
    'read'
    """
    if not len(weights) == len(sources) == len(targets) or not len(weights):
        raise ValueError(f"got {len(weights)} maps, {len(sources)} sources, {len(targets)} targets: numbers must agree")
    widths = [max(2.0, 0.27 * len(source) + 0.9) for source in sources]
    height = max(0.27 * len(target) for target in targets) + 1.1
    figure = new_figure(sum(widths) + 0.6, max(height, 2.2))
    panels = figure.subplots(1, len(weights), squeeze=False, width_ratios=widths)[0]
    pictures = []
    for axes, shares, source, target in zip(panels, weights, sources, targets, strict=True):
        table = np.asarray(shares)
        if table.ndim != 2 or table.shape[0] < len(target) or table.shape[1] < len(source):
            raise ValueError(f"a map of shape {table.shape} is too small for {len(target)} x {len(source)} symbols")
        table = table[: len(target), : len(source)]
        pictures.append(axes.imshow(table, cmap="Blues", vmin=0.0, vmax=1.0, aspect="equal"))
        name_ticks(axes.xaxis, source, fontsize=8)
        name_ticks(axes.yaxis, target, fontsize=8)
        axes.set_xlabel("read", fontsize=9)
        axes.tick_params(length=0)
    panels[0].set_ylabel("written", fontsize=9)
    bar = figure.colorbar(pictures[-1], ax=list(panels), fraction=0.04, pad=0.02)
    bar.set_label("attention", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def plot_image_attention(
    images: ArrayLike, weights: ArrayLike, targets: Sequence[Sequence[str]], *, title: str = ""
) -> Figure:
    """Draw where in an image each symbol was read: a row an image, a panel a symbol, the attention laid over it.

    Args:
      images: (N, H, W) or (N, H, W, 1), in shades of gray.
      weights: (N, T, h, w), T at least the symbols of the longest target; the map is stretched over the image.
      targets: the symbols written, of each image; where none are, the image stands alone.
      title: above all panels.

    Raises:
      ValueError: if numbers differ.

    >>> len(plot_image_attention(np.zeros((1, 8, 8, 1)), np.ones((1, 3, 4, 4)) / 16, ["one"]).axes)
    4
    """
    pictures, maps = np.asarray(images), np.asarray(weights)
    pictures = pictures[..., 0] if pictures.ndim == 4 else pictures
    longest = max(map(len, targets), default=0)
    if not len(pictures) == len(maps) == len(targets) or not len(targets) or maps.ndim != 4 or maps.shape[1] < longest:
        raise ValueError(
            f"got {len(pictures)} images, weights {maps.shape} and {len(targets)} targets of up to {longest} symbols: "
            "weights must be (N, T, h, w) with T of at least that"
        )
    figure = new_figure(1.0 * (1 + longest) + 0.3, 1.25 * len(pictures) + 0.3)
    panels = figure.subplots(len(pictures), 1 + longest, squeeze=False)
    extent = (-0.5, pictures.shape[2] - 0.5, pictures.shape[1] - 0.5, -0.5)
    for row, picture, shares, target in zip(panels, pictures, maps, targets, strict=True):
        row[0].imshow(picture, cmap="gray_r")
        for axes in row:
            axes.set_axis_off()
        for axes, table, symbol in zip(row[1:], shares, target, strict=False):
            axes.imshow(picture, cmap="gray_r")
            axes.imshow(table, cmap="Reds", alpha=0.55, vmin=0.0, vmax=maps.max(), extent=extent)
            axes.set_title(short_lines(symbol), fontsize=10)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure
