"""The intervals of a run over its last test rows, for a picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.data import ForecastSplit
from seqvision.pipelines.config import ForecastConfig
from seqvision.scorecards import ForecastCard, level_name

_SHOWN = 120  # test rows in the picture


def shown_intervals(
    config: ForecastConfig, split: ForecastSplit, forecasts: Mapping[str, np.ndarray], card: ForecastCard, title: str
) -> dict[str, Any] | None:
    """Return for `plot_intervals` those of what is delivered and of the naive forecast, at the last step.

    Args:
      config: of the run.
      split: the data.
      forecasts: row of the card -> (R, horizon), the forecasts of the test rows.
      card: of the run.
      title: above all panels.

    Returns:
      Its arguments, for the last test rows; None without intervals.
    """
    if card.intervals is None or "at once" not in card.intervals.ways:
        return None
    step = split.horizon
    reference = card.references["one step ahead" if step == 1 else "all steps"]
    found, shown = (
        card.intervals.ways["at once"],
        slice(max(split.test_rows.start, split.test_rows.stop - _SHOWN), None),
    )
    names = [name for name in forecasts if name in card.delivered("one step ahead")] + [reference]
    ends, headings = {}, {}
    count = split.test_rows.stop - shown.start
    for name in names:
        lower, upper = found[name].ends(forecasts[name])
        here = {
            round(100 * level): tuple(np.where(np.isfinite(e[n]), e[n], np.nan)[-count:, -1] for e in (lower, upper))
            for n, level in enumerate(found[name].levels)
        }
        ends[name] = {level: (low, high) for level, (low, high) in here.items()}
        headings[name] = f"{name}{_held(card, name, step)}"
    series = split.series
    return {
        "truth": series.values[shown, split.targets[0]],
        "forecasts": {name: forecasts[name][-count:, -1] for name in names},
        "ends": ends,
        "naive": reference,
        "headings": headings,
        "dates": None if series.dates is None else series.dates[shown],
        "first_row": shown.start,
        "name": series.target or "value",
        "unit": config.unit,
        "title": f"{title}, {counted(step, 'step')} ahead, the last {counted(count, 'test row')}",
    }


def _held(card: ForecastCard, name: str, step: int) -> str:
    """Say how many test rows lay inside."""
    assert card.intervals is not None
    table = card.intervals.scores
    table = table[(table["way"] == "at once") & (table["model"] == name) & (table["step"] == step)].dropna()
    shares = zip(table["level"], table["coverage"], strict=True)
    told = [f"{100 * share:.1f} % in the {level_name(level)} %" for level, share in shares]
    return f": of {counted(card.test_rows, 'test row')} {' and '.join(told)} interval" if told else ""
