"""The naive forecasts of a run: made from its training rows, kept with it, and made again for a prediction."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from seqvision._checks import counted
from seqvision.data import ForecastSplit, Series, time_axis
from seqvision.pipelines.config import ForecastConfig
from seqvision.scorecards import (
    AutoRegression,
    Baseline,
    constant,
    default_baselines,
    drift,
    last_value,
    seasonal_naive,
)


def naive_forecasts(config: ForecastConfig, split: ForecastSplit) -> dict[str, Baseline]:
    """Return the baselines of a run, by name; to be asked before anything is trained.

    Raises:
      ValueError: if the season is too long for what is known before the first forecast.
    """
    train, held = split.train_rows.stop, split.test_rows.start - split.train_rows.stop
    times = times_of(split.series)
    earliest = train - max(split.horizon, held // 10)
    longest = earliest if times is None else int(times[earliest] - times[0])
    if config.season is not None and config.season > longest:
        raise ValueError(
            f"season={config.season} is too long for {counted(train, 'training row')}: use one of at most {longest}, "
            "more rows, or none"
        )
    rows = split.series.values[:train, split.targets[0]]
    order = min(config.length, (train - 1) // 2)
    return default_baselines(rows, order=order, season=config.season, times=times, returns=config.returns)


def times_of(series: Series) -> np.ndarray | None:
    """Return when each row is, in usual steps of its dates; None without dates or where no step is usual."""
    axis = time_axis(series.dates)
    return None if axis is None else axis.times


def describe_baselines(baselines: Mapping[str, Baseline]) -> dict[str, dict[str, Any]]:
    """Return what each baseline was fitted to, as plain values, for summary.json.

    When each row was, by which a season is one of time, is left out: it belongs to the series.

    >>> describe_baselines({"last value": last_value, "AR(1)": AutoRegression(0.5, (0.9,))})
    {'last value': {}, 'AR(1)': {'intercept': 0.5, 'coefficients': (0.9,)}}
    """
    return {
        name: {key: value for key, value in _settings(f).items() if key != "times"} for name, f in baselines.items()
    }


def restore_baseline(name: str, fitted: Mapping[str, Any], series: Series) -> Baseline:
    """Return a baseline of `default_baselines` for a series by its name and what `describe_baselines` said of it.

    >>> restore_baseline("AR(1)", {"intercept": 0.5, "coefficients": [0.9]}, Series([1.0, 2.0], ("a",)))
    AutoRegression(intercept=0.5, coefficients=(0.9,))
    """
    if "coefficients" in fitted:
        return AutoRegression(float(fitted["intercept"]), tuple(map(float, fitted["coefficients"])))
    if "season" in fitted:
        return partial(seasonal_naive, season=int(fitted["season"]), times=times_of(series))
    if "value" in fitted:
        return partial(constant, value=float(fitted["value"]))
    return {"last value": last_value, "drift": drift, "zero return": constant}[name]


def _settings(baseline: Baseline) -> dict[str, Any]:
    if isinstance(baseline, AutoRegression):
        return vars(baseline)
    return baseline.keywords if isinstance(baseline, partial) else {}
