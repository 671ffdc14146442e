"""How the plots look: one palette, fonts that read in a terminal-sized picture, no global state."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seqvision.reporting.plain_text import PlainFigure, legend_name, short_name

TRUTH, NAIVE = "#222222", "#8a8a8a"
# Okabe and Ito's colors, told apart by color-blind readers too.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure in inches that no global state knows of."""
    figure = PlainFigure(figsize=(width, height), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(new_figure(2, 1), Path(folder) / "empty.png").stat().st_size > 100
    True
    """
    path = Path(path)
    figure.savefig(path, format="png", bbox_inches="tight")  # a square matrix can leave no room for labels
    return path


def with_colors(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pair names with colors of the palette, round and round."""
    for i, name in enumerate(names):
        yield name, PALETTE[i % len(PALETTE)]


def draw_band(
    axes: Axes, x: Any, values: NDArray[np.float64], color: str, label: str, style: str = "-", linewidth: float = 1.5
) -> None:
    """Draw the mean of (S, B) and the range from the least to the largest."""
    axes.plot(x, values.mean(axis=0), color=color, linestyle=style, linewidth=linewidth, label=legend_name(label))
    if len(values) > 1:
        axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=color, alpha=0.18, linewidth=0)


def label_axes(axes: Axes, title: str = "", ylabel: str = "", xlabel: str = "") -> None:
    """Give axes their texts, a light grid and open sides."""
    axes.set_title(title.replace("\n", " "), loc="left", fontsize=10)
    axes.set_ylabel(ylabel.replace("\n", " "), fontsize=9)
    axes.set_xlabel(xlabel.replace("\n", " "), fontsize=9)
    axes.tick_params(labelsize=8, which="both")
    axes.grid(True, color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def time_axis(dates: Any, first_row: int, rows: int) -> tuple[Any, str]:
    """Return x values for plotting and the label of the axis: dates where they are known, else row numbers."""
    if dates is None:
        return np.arange(first_row, first_row + rows), "row"
    dates = np.asarray(dates, dtype="datetime64[ns]")
    if dates.shape != (rows,):
        raise ValueError(f"dates has shape {dates.shape}, expected ({rows},): one date a row that is plotted")
    return dates, ""


def date_ticks(axes: Axes, x: Any) -> None:
    """Write dates briefly, if x holds dates."""
    if np.asarray(x).dtype.kind == "M":
        locator = mdates.AutoDateLocator(maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def with_unit(name: str, unit: str) -> str:
    """Return "name (unit)", or the name alone.

    >>> with_unit("close", "USD"), with_unit("close", "")
    ('close (USD)', 'close')
    """
    return f"{short_name(name)} ({short_name(unit)})" if unit else short_name(name)
