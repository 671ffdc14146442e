"""The intervals of a run over its test rows, as columns of predictions.csv."""

from collections.abc import Mapping

import numpy as np

from seqvision.scorecards import ForecastCard, Way, level_name

_FREE = " free-running"


def with_interval_columns(columns: Mapping[str, np.ndarray], card: ForecastCard, way: Way) -> dict[str, np.ndarray]:
    """Return columns of predictions, each followed by the ends of its intervals: "GRU lower 80", "GRU upper 80", ….

    Args:
      columns: row of the card -> forecasts over seeds (S, R, steps); with " free-running" behind the name those of one
        path (S, R) or (R,). The intervals are around the mean.
      card: of the run.
      way: how these were forecast.
    """
    found: dict[str, np.ndarray] = {}
    known = {} if card.intervals is None else card.intervals.ways.get(way, {})
    wanted = {*card.delivered("one step ahead"), *card.references.values()}  # not those of every baseline
    for name, forecasts in columns.items():
        found[name] = forecasts
        row = name.partition(_FREE)[0]
        if row not in wanted or row not in known:
            continue
        intervals = known[row]
        lower, upper = intervals.ends(forecasts if forecasts.ndim == 1 else forecasts.mean(axis=0))
        for n, level in enumerate(intervals.levels):
            for end, values in (("lower", lower[n]), ("upper", upper[n])):
                shown = np.where(np.isfinite(values), values, np.nan)
                found[f"{name} {end} {level_name(level)}"] = shown if forecasts.ndim == 1 else shown[None]
    return found
