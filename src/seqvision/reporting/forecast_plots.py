"""Pictures of forecasts: against the truth with the naive forecast, and their residuals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from seqvision.reporting.plain_text import legend_name, short_name
from seqvision.reporting.style import (
    NAIVE,
    TRUTH,
    date_ticks,
    draw_band,
    label_axes,
    new_figure,
    time_axis,
    with_colors,
    with_unit,
)

Floats = NDArray[np.float64]


def plot_forecast(
    truth: ArrayLike,
    *,
    forecasts: Mapping[str, ArrayLike],
    naive: ArrayLike,
    free_runs: Mapping[str, ArrayLike] | None = None,
    naive_free_run: ArrayLike | None = None,
    naive_name: str = "last value",
    dates: Any = None,
    first_row: int = 0,
    name: str = "value",
    unit: str = "",
    title: str = "",
    zoom: int = 60,
) -> Figure:
    """Draw forecasts over the truth: one step ahead, the end of that enlarged, and free-running.

    Args:
      truth: (B,) in original units.
      forecasts: model -> (S, B) over seeds, or (B,), one step ahead; the mean is drawn and a band over seeds.
      naive: (B,), the naive forecast one step ahead.
      free_runs: model -> (S, B) or (B,), or None for no such panel.
      naive_free_run: (B,), the naive forecast from the one origin.
      naive_name: what the naive forecast is called.
      dates: (B,) datetime64, or None for row numbers from ``first_row`` on.
      first_row: number of the first row.
      name: of the series, with unit on the axis.
      unit: of the series.
      title: above all panels.
      zoom: rows in the enlarged panel.

    >>> y = np.arange(5.0)
    >>> figure = plot_forecast(y, forecasts={"GRU": y + 1}, naive=y - 1, free_runs={"GRU": y}, naive_free_run=0 * y)
    >>> len(figure.axes)
    2
    """
    y = np.asarray(truth, np.float64)
    x, xlabel = time_axis(dates, first_row, len(y))
    enlarged, free = len(y) > 1.5 * zoom, bool(free_runs)
    figure = new_figure(10.5, 3.0 * (1 + enlarged + free))
    panels = list(figure.subplots(1 + enlarged + free, 1, squeeze=False).flat)
    label = with_unit(name, unit)

    def draw(axes: Axes, part: slice, lines: Mapping[str, ArrayLike], plain: ArrayLike | None, heading: str) -> None:
        axes.plot(x[part], y[part], color=TRUTH, linewidth=1.3, label="truth", zorder=3)
        if plain is not None:
            values = np.asarray(plain, np.float64)[part]
            axes.plot(
                x[part], values, color="#555555", linestyle="--", linewidth=1.1, label=legend_name(naive_name), zorder=4
            )
        for model, color in with_colors(tuple(lines)):
            values = np.atleast_2d(np.asarray(lines[model], np.float64))[:, part]
            draw_band(axes, x[part], values, color, model, linewidth=1.1)
        label_axes(axes, heading, label, xlabel)
        date_ticks(axes, x)
        axes.margins(x=0.01)
        _bound(axes, y[part])

    rows = slice(None)
    draw(panels[0], rows, forecasts, naive, f"one step ahead, {len(y)} test rows")
    panels[0].legend(fontsize=8, frameon=False, ncols=6, loc="best")
    if enlarged:
        draw(panels[1], slice(len(y) - zoom, None), forecasts, naive, f"one step ahead, the last {zoom} rows")
    if free_runs:
        draw(panels[-1], rows, free_runs, naive_free_run, "free-running: from the first test row on fed by itself")
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def plot_residuals(
    truth: ArrayLike,
    *,
    forecasts: Mapping[str, ArrayLike],
    naive: ArrayLike,
    naive_name: str = "last value",
    dates: Any = None,
    first_row: int = 0,
    unit: str = "",
    title: str = "",
) -> Figure:
    """Draw the errors truth - forecast of each model over time and as a histogram, with the naive forecast's.

    Args:
      truth: (B,) in original units.
      forecasts: model -> (S, B) over seeds, or (B,); the mean over seeds is judged.
      naive: (B,), the naive forecast.
      naive_name, dates, first_row, unit, title: as in ``plot_forecast``.

    >>> len(plot_residuals(np.arange(5.0), forecasts={"GRU": np.ones(5)}, naive=np.zeros(5)).axes)
    4
    """
    y = np.asarray(truth, np.float64)
    x, xlabel = time_axis(dates, first_row, len(y))
    errors = {name: y - np.atleast_2d(np.asarray(f, np.float64)).mean(axis=0) for name, f in forecasts.items()}
    plain = y - np.asarray(naive, np.float64)
    lines = [*((name, color, errors[name]) for name, color in with_colors(tuple(errors))), (naive_name, NAIVE, plain)]
    figure = new_figure(10.5, 1.75 * len(lines) + 0.5)
    panels = figure.subplots(len(lines), 2, squeeze=False, sharey="row", width_ratios=(3.2, 1))
    reach = max(float(np.nanmax(np.abs(plain))), 1e-12)
    span = max(min(float(np.abs(e[np.isfinite(e)]).max(initial=0.0)), 4 * reach) for _, _, e in lines) * 1.05
    bins = np.linspace(-span, span, 41)
    for (left, right), (name, color, error) in zip(panels, lines, strict=True):
        left.axhline(0.0, color=TRUTH, linewidth=0.8)
        left.plot(x, error, color=color, linewidth=0.8)
        rmse = float(np.sqrt(np.mean(error**2)))
        label_axes(
            left, f"{short_name(name)}: mean {error.mean():.3g}, RMSE {rmse:.4g}", with_unit("truth - forecast", unit)
        )
        left.set_ylim(-span, span)
        left.margins(x=0.01)
        date_ticks(left, x)
        right.hist(np.clip(error, -span, span), bins=bins, color=color, orientation="horizontal", alpha=0.85)
        if error is not plain:
            outline = {"histtype": "step", "color": TRUTH, "linewidth": 0.9, "label": legend_name(naive_name)}
            right.hist(plain, bins=bins, orientation="horizontal", **outline)
            right.legend(fontsize=8, frameon=False)
        label_axes(right)
    panels[-1][0].set_xlabel(xlabel, fontsize=9)
    panels[-1][1].set_xlabel("rows", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _bound(axes: Axes, truth: Floats) -> None:
    """Keep a forecast that runs away from flattening the truth: show at most its range again on either side."""
    low, high = float(truth.min()), float(truth.max())
    room = 1.0 * max(high - low, 1e-12)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low - room), min(top, high + room))
