"""Pictures of forecasts: against the truth with the naive forecast, their residuals, and their errors by step."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from seqvision._checks import counted
from seqvision.reporting.plain_text import legend_name, short_name
from seqvision.reporting.style import (
    NAIVE,
    TRUTH,
    band_key,
    date_ticks,
    draw_band,
    figure_legend,
    label_axes,
    new_figure,
    time_axis,
    with_colors,
    with_gaps,
    with_unit,
)
from seqvision.scorecards import delivered_name

Floats = NDArray[np.float64]

_DASHES = ("--", ":", "-.")
_BELOW: dict[str, Any] = {"fontsize": 8, "color": NAIVE, "va": "top"}


class _Panel(NamedTuple):
    heading: str
    lines: Mapping[str, ArrayLike]
    naive: Mapping[str, ArrayLike]
    note: str


def plot_forecast(
    truth: ArrayLike,
    *,
    forecasts: Mapping[str, ArrayLike],
    naive: ArrayLike | Mapping[str, ArrayLike],
    ahead: Mapping[str, ArrayLike] | None = None,
    naive_ahead: ArrayLike | Mapping[str, ArrayLike] | None = None,
    steps_ahead: int = 1,
    free_runs: Mapping[str, ArrayLike] | None = None,
    naive_free_run: ArrayLike | Mapping[str, ArrayLike] | None = None,
    naive_name: str = "last value",
    notes: Mapping[str, str] | None = None,
    dates: Any = None,
    first_row: int = 0,
    name: str = "value",
    unit: str = "",
    title: str = "",
    zoom: int = 60,
) -> Figure:
    """Draw forecasts over the truth: one step ahead, the end of that enlarged, many steps ahead, and free-running.

    A line is the mean over seeds and its name says so; a band goes from the lowest seed to the highest. The picture is
    at most three times as high as the range of the truth: a mark is where a line leaves it, and a note below says how
    far it goes. Where dates have a gap, lines have one.

    Args:
      truth: (B,) in original units.
      forecasts: model -> (S, B) over seeds, or (B,), one step ahead.
      naive: (B,), the naive forecast one step ahead; or several, name -> (B,).
      ahead: model -> (S, B) or (B,), forecasts of the same rows made ``steps_ahead`` rows ahead; None for none.
      naive_ahead: the naive forecast of these, as above.
      steps_ahead: how many rows ahead they were made.
      free_runs: model -> (S, B) or (B,), or None for no such panel.
      naive_free_run: the naive forecast from the one origin, as above.
      naive_name: what a naive forecast is called that has no name.
      notes: what else to say above the panels: "one step ahead", "all steps", "free-running" -> a text.
      dates: (B,) datetime64, or None for row numbers from ``first_row`` on.
      first_row: number of the first row in the series.
      name: what is forecast; with the unit on the axis.
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
    told = notes or {}
    everything, last = slice(None), slice(max(0, len(y) - zoom), None)

    def panel(mode: str, heading: str, lines: Mapping[str, ArrayLike], plain: Any) -> _Panel:
        named = plain if isinstance(plain, Mapping) else {} if plain is None else {naive_name: plain}
        return _Panel(heading, lines, named, told.get(mode, ""))

    one = panel("one step ahead", f"one step ahead, {counted(len(y), 'test row')}", forecasts, naive)
    panels = [(one, everything)]
    if len(y) > 1.5 * zoom:
        heading = f"one step ahead, the last {counted(zoom, 'row')}"
        panels.append((one._replace(heading=heading, note=""), last))
    if ahead:
        panels.append((panel("all steps", f"{counted(steps_ahead, 'step')} ahead", ahead, naive_ahead), everything))
    if free_runs:
        heading = "free-running: from the first test row on fed by itself"
        panels.append((panel("free-running", heading, free_runs, naive_free_run), everything))
    figure = new_figure(10.5, 3.0 * len(panels) + 0.4)
    dashes = dict(zip(dict.fromkeys(name for one, _ in panels for name in one.naive), cycle(_DASHES), strict=False))
    for axes, (one, part) in zip(figure.subplots(len(panels), 1, squeeze=False).flat, panels, strict=True):
        left = _draw(axes, x[part], y[part], one, part, dashes)
        heading = "; ".join(filter(None, (one.heading, one.note)))
        label_axes(axes, heading, with_unit(name, unit), xlabel)
        if left:
            axes.text(0.0, -0.13, "▲▼ leaves the picture: " + ", ".join(left), **_BELOW, transform=axes.transAxes)
        date_ticks(axes, x)
        axes.margins(x=0.01)
    seeds = [len(np.atleast_2d(np.asarray(f))) for one, _ in panels for f in one.lines.values()]
    figure_legend(figure, band_key(seeds))
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
      forecasts: model -> (S, B) over seeds, or (B,); the errors are those of the mean over seeds, and its name says so.
      naive: (B,), the naive forecast.
      naive_name, dates, first_row, unit, title: as in ``plot_forecast``.

    >>> len(plot_residuals(np.arange(5.0), forecasts={"GRU": np.ones(5)}, naive=np.zeros(5)).axes)
    4
    """
    y = np.asarray(truth, np.float64)
    x, xlabel = time_axis(dates, first_row, len(y))
    errors = {name: y - mean for name, mean in _delivered(forecasts).items()}
    plain = y - np.asarray(naive, np.float64)
    lines = [*((name, color, errors[name]) for name, color in with_colors(tuple(errors))), (naive_name, NAIVE, plain)]
    figure = new_figure(10.5, 1.75 * len(lines) + 0.5)
    panels = figure.subplots(len(lines), 2, squeeze=False, sharey="row", width_ratios=(3.2, 1))
    reach = max(float(np.nanmax(np.abs(plain))), 1e-12)
    span = max(min(float(np.abs(e[np.isfinite(e)]).max(initial=0.0)), 4 * reach) for _, _, e in lines) * 1.05 or 1.0
    bins = np.linspace(-span, span, 41)
    for (left, right), (name, color, error) in zip(panels, lines, strict=True):
        left.axhline(0.0, color=TRUTH, linewidth=0.8)
        left.plot(*with_gaps(x, error), color=color, linewidth=0.8)
        with np.errstate(over="ignore", invalid="ignore"):
            rmse, mean = float(np.sqrt(np.mean(error**2))), float(np.mean(error))
        outside = int(np.sum(~(np.abs(error) <= span)))
        more = f"; {counted(outside, 'error')} beyond the picture" if outside else ""
        heading = f"{name}: mean {mean:.3g}, RMSE {rmse:.4g} {short_name(unit)}".rstrip() + more
        label_axes(left, heading, with_unit("truth - forecast", unit))
        left.set_ylim(-span, span)
        left.margins(x=0.01)
        date_ticks(left, x)
        bars: dict[str, Any] = {"histtype": "stepfilled", "linewidth": 0, "alpha": 0.85}  # one shape, not 40
        right.hist(np.clip(np.nan_to_num(error), -span, span), bins=bins, color=color, orientation="horizontal", **bars)
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


def plot_step_errors(
    errors: Mapping[str, pd.DataFrame], *, unit: str = "", title: str = "", naive: str = "last value"
) -> Figure:
    """Draw the RMSE of each forecaster by step ahead, a panel a table: models as lines, what is naive in gray dashes.

    Args:
      errors: heading -> a table with one row a forecaster and one column a step, such as the ``rmse`` of a `StepTable`.
      unit: of the errors.
      title: above all panels.
      naive: the first row that is naive; it and all below it are drawn in gray.

    >>> table = pd.DataFrame([[1.0, 1.5], [1.2, 1.4]], index=["GRU", "last value"], columns=[1, 2])
    >>> [line.get_label() for line in plot_step_errors({"24 test rows": table}).axes[0].lines]
    ['GRU', 'last value']
    """
    if not errors:
        raise ValueError("plot_step_errors needs at least one table")
    figure = new_figure(5.3 * len(errors) if len(errors) > 1 else 7.0, 4.0)
    for axes, (heading, table) in zip(figure.subplots(1, len(errors), squeeze=False).flat, errors.items(), strict=True):
        names = [str(name) for name in table.index]
        place = names.index(naive) if naive in names else len(names)
        for name, color in with_colors(names[:place]):
            axes.plot(table.columns, table.loc[name], color=color, marker="o", markersize=3, label=name)
        for n, name in enumerate(names[place:]):
            style: dict[str, Any] = {"linestyle": _DASHES[n % len(_DASHES)], "linewidth": 1.0 + 0.5 * (n > 2)}
            axes.plot(
                table.columns, table.loc[name], color=TRUTH if n == 0 else NAIVE, label=legend_name(name), **style
            )
        label_axes(axes, heading, with_unit("RMSE", unit), "steps ahead")
        finite = table.iloc[place:].to_numpy(np.float64)
        finite = finite[np.isfinite(finite)]
        if finite.size:
            axes.set_ylim(0.0, min(axes.get_ylim()[1], 4.0 * float(finite.max()) or 1.0))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure_legend(figure, [])
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _delivered(forecasts: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Return the mean over seeds of each model, under the name that says so."""
    found = {}
    for name, f in forecasts.items():
        values = np.atleast_2d(np.asarray(f, np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            found[delivered_name(short_name(name), len(values))] = values.mean(axis=0)
    return found


def _label(model: str, seeds: int) -> str:
    """Return what a legend calls a model; a long name is cut, how many seeds it has is not."""
    return delivered_name(legend_name(model), seeds)


def _draw(axes: Axes, x: Any, y: Floats, panel: _Panel, part: slice, dashes: Mapping[str, str]) -> list[str]:
    """Draw truth, naive forecasts and models; return which lines leave the picture, and how far they go."""
    axes.plot(*with_gaps(x, y), color=TRUTH, linewidth=1.3, label="truth", zorder=3)
    drawn = []
    for name, forecast in panel.naive.items():
        values = np.asarray(forecast, np.float64)[part]
        style: dict[str, Any] = {"color": "#555555", "linestyle": dashes[name], "linewidth": 1.1, "zorder": 4}
        axes.plot(*with_gaps(x, values), label=legend_name(name), **style)
        drawn.append((name, "#555555", values))
    for model, color in with_colors(tuple(panel.lines)):
        seeds = np.atleast_2d(np.asarray(panel.lines[model], np.float64))[:, part]
        draw_band(axes, *with_gaps(x, seeds), color, _label(model, len(seeds)), linewidth=1.1)
        with np.errstate(over="ignore", invalid="ignore"):
            drawn.append((model, color, seeds.mean(axis=0)))
    bottom, top = _bound(axes, y)
    left = []
    for short, color, line in drawn:
        if ((line >= bottom) & (line <= top)).all():
            continue
        above, below = ~(line <= top), line < bottom  # what is not a number any more has left upward
        for gone, edge, sign in ((above, top, "^"), (below, bottom, "v")):
            if gone.any():
                axes.plot(x[np.argmax(gone)], edge, sign, color=color, clip_on=False, zorder=6)
        far = line[(above | below) & np.isfinite(line)]
        left.append(short_name(short) + (f" (to {far[np.argmax(np.abs(far - y.mean()))]:.4g})" if far.size else ""))
    return left


def _bound(axes: Axes, truth: Floats) -> tuple[float, float]:
    """Keep a forecast that runs away from flattening the truth: show at most its range again on either side."""
    low, high = float(truth.min()), float(truth.max())
    room = high - low or max(0.05 * abs(high), 1e-12)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low - room), min(top, high + room))
    return axes.get_ylim()
