"""How the plots look: one palette, fonts that read in a terminal-sized picture, no global state."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from seqvision.reporting.drawing import drawn_twice, png_of
from seqvision.reporting.plain_text import PlainFigure, short_name
from seqvision.storage import write_file

TRUTH, NAIVE = "#222222", "#8a8a8a"
# Okabe and Ito's colors, told apart by color-blind readers too.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_OPACITY = (0.30, 0.15)  # of the bands of intervals, the narrowest first


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure in inches that no global state knows of."""
    figure = PlainFigure(figsize=(width, height), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure, whole or not at all, in the form that the ending says: .png, .svg, .pdf.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(new_figure(2, 1), Path(folder) / "empty.png").stat().st_size > 100
    True
    """
    path = Path(path)
    form = path.suffix[1:].lower() or "png"
    write_file(path, png_of(figure) if form == "png" else drawn_twice(figure, form))
    return path


def with_colors(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pair names with colors of the palette, round and round."""
    for i, name in enumerate(names):
        yield name, PALETTE[i % len(PALETTE)]


def draw_band(
    axes: Axes, x: Any, values: NDArray[np.float64], color: str, label: str, style: str = "-", linewidth: float = 1.5
) -> None:
    """Draw the mean of (S, B) as a line and, for several seeds, the range from the lowest to the highest as a band."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = values.mean(axis=0)
    marker = "o" if np.size(x) == 1 else None  # a line of one point is not seen
    axes.plot(x, mean, color=color, linestyle=style, linewidth=linewidth, label=label, marker=marker, markersize=4)
    if len(values) > 1:
        axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=color, alpha=0.18, linewidth=0)


def band_key(seeds: Iterable[int], *, line: str = "") -> list[Patch]:
    """Return the entry of a legend that says what the bands are; none where there is only one seed.

    Args:
      seeds: how many each line has.
      line: what the lines are, where their labels do not say it: "mean" or "middle".

    >>> [entry.get_label() for entry in band_key([5, 5], line="mean")]
    ['lines: mean of 5 seeds, bands: lowest to highest']
    >>> band_key([1])
    []
    """
    several = sorted({count for count in seeds if count > 1})
    if not several:
        return []
    of = f"{' or '.join(map(str, several))} seeds"
    text = f"lines: {line} of {of}, bands: lowest to highest" if line else f"bands: lowest to highest of {of}"
    return [Patch(facecolor=NAIVE, alpha=0.3, linewidth=0, label=text)]


def interval_shades(levels: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Pair the levels of intervals, ascending, with the opacity of their bands, the widest first, as they are drawn.

    >>> list(interval_shades((80, 95)))
    [(95, 0.15), (80, 0.3)]
    """
    return zip(reversed(levels), reversed(_OPACITY), strict=True)


def interval_key(levels: Sequence[int]) -> list[Patch]:
    """Return the entries of a legend that say what the bands of intervals are, the narrowest first.

    >>> [entry.get_label() for entry in interval_key((80, 95))][0]
    'band: 80 % interval, split conformal'
    """
    return [
        Patch(facecolor=NAIVE, alpha=2 * opacity, linewidth=0, label=f"band: {level} % interval, split conformal")
        for level, opacity in zip(levels, _OPACITY, strict=True)
    ]


def label_axes(axes: Axes, title: str = "", ylabel: str = "", xlabel: str = "") -> None:
    """Give axes their texts, a light grid and open sides."""
    axes.set_title(title.replace("\n", " "), loc="left", fontsize=10, y=1.0)  # said, or each draw looks for room
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
    dates = np.asarray(dates, dtype="datetime64")
    if dates.shape != (rows,):
        raise ValueError(f"dates has shape {dates.shape}, expected ({rows},): one date a row that is plotted")
    return dates, ""


def with_gaps(x: Any, values: NDArray[np.float64]) -> tuple[Any, NDArray[np.float64]]:
    """Break lines (…, B) where dates have a gap of more than 20 usual steps: a NaN between is not drawn over.

    >>> days = np.datetime64("2020-01-01") + np.array([0, 1, 2, 90, 91])
    >>> with_gaps(days, np.ones(5))[1].tolist()
    [1.0, 1.0, 1.0, nan, 1.0, 1.0]
    """
    dates = np.asarray(x)
    if dates.dtype.kind != "M" or len(dates) < 3:
        return x, values
    steps = np.diff(dates)
    gaps = np.flatnonzero(steps > 20 * np.median(steps.astype(np.int64)).astype(steps.dtype)) + 1
    return np.insert(dates, gaps, dates[gaps - 1] + steps[gaps - 1] // 2), np.insert(values, gaps, np.nan, axis=-1)


def figure_legend(figure: Figure, further: Sequence[Any]) -> None:
    """Name every line of every panel once, below all panels, and add further entries."""
    named: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    further_legend(figure, [*named.values(), *further])


def further_legend(figure: Figure, entries: Sequence[Any]) -> None:
    """Put a legend below all panels, if there is anything to say."""
    if entries:
        style: dict[str, Any] = {"fontsize": 8, "frameon": False, "ncols": 4}
        labels = [entry.get_label() for entry in entries]
        figure.legend(list(entries), labels, loc="outside lower center", **style)


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
