"""Forecast the test rows with trained models, and score them beside the naive forecasts."""

from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import numpy as np

from seqvision._phases import phase
from seqvision.data import ForecastSplit
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.baselines import naive_forecasts, times_of
from seqvision.pipelines.forecasting.forecaster import Forecaster
from seqvision.pipelines.results import JudgedForecasts
from seqvision.scorecards import Calibration, score_forecasts

_PATH_STEPS, _PATH_ORIGINS = 30, 100  # of the free runs whose every step is scored, at most
_LONGEST = 100  # steps of free runs that have intervals


@phase("judging")
def judge_forecasts(
    config: ForecastConfig,
    split: ForecastSplit,
    models: Mapping[str, nn.Module],
    variables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> JudgedForecasts:
    """Forecast every test row at every step and, where the target is all there is, in free runs; score all.

    Args:
      config: length, season, returns and unit are read.
      split: what `split_series` returns.
      models: from windows (B, T, D) to forecasts (B, horizon, K), by name.
      variables: what each is applied with, one tree a seed, as ``TrainedSeeds.variables`` has them.
    """
    start, rows = split.test_rows.start, split.test_rows.stop - split.test_rows.start
    scaled = split.scaler.transform(split.series.values)
    first = start - split.horizon + 1  # from here on every test row is forecast at every step
    known = split.calibration_rows
    known_first = known.start - split.horizon + 1  # and every row that calibrates
    earliest = min(first, known_first)
    inputs = windows_before(scaled, earliest, len(scaled) - 1, config.length)
    alone = len(split.targets) == len(split.series.columns)
    origins, steps = path_origins(start, rows)
    before, steps_before = _calibration_origins(known)
    every = np.concatenate([before, origins])
    histories = scaled[every[:, None] - config.length + np.arange(config.length)[None, :]]
    at_once: dict[str, np.ndarray] = {}
    fed_back: dict[str, np.ndarray] = {}
    forecasts: dict[str, np.ndarray] = {}
    free_runs: dict[str, np.ndarray] = {}
    paths: dict[str, np.ndarray] = {}
    for name, model in models.items():
        forecaster = Forecaster(model, variables[name], split.horizon, len(split.targets))
        outputs = split.inverse(forecaster.forecast(inputs))[..., 0]
        forecasts[name] = outputs[:, first - earliest :]
        at_once[name] = outputs[:, known_first - earliest : known.stop - earliest]
        if alone:
            free = forecaster.run_freely(scaled[None, start - config.length : start], rows)
            short = split.inverse(forecaster.run_freely(histories, max(steps, steps_before)))[..., 0]
            free_runs[name], paths[name] = split.inverse(free)[:, 0, :, 0], short[:, len(before) :, :steps]
            fed_back[name] = short[:, : len(before), :steps_before]
    baselines = naive_forecasts(config, split)
    card = score_forecasts(
        split.series.values[:, split.targets[0]],
        start,
        forecasts=forecasts,
        free_runs=free_runs or None,
        paths=paths or None,
        path_origins=origins,
        calibration=Calibration(known, np.arange(known_first, known.stop), at_once, before, fed_back or None),
        train_rows=split.train_rows.stop,
        baselines=baselines,
        season=config.season,
        times=times_of(split.series),
        returns=config.returns,
        unit=config.unit,
    )
    return JudgedForecasts(card, forecasts, free_runs, baselines)


def path_origins(start: int, rows: int) -> tuple[np.ndarray, int]:
    """Return from where in the test rows free runs are scored step by step, evenly, and for how many steps.

    >>> origins, steps = path_origins(100, 60)
    >>> origins[0].item(), origins[-1].item(), len(origins), steps
    (100, 130, 31, 30)
    """
    steps = max(1, min(_PATH_STEPS, rows // 2))
    last = start + rows - steps
    return np.arange(start, last + 1, -(-(last - start + 1) // _PATH_ORIGINS)), steps


def _calibration_origins(rows: slice) -> tuple[np.ndarray, int]:
    """Return from where in the rows that calibrate free runs begin, evenly, and for how many steps.

    >>> origins, steps = _calibration_origins(slice(100, 160))
    >>> len(origins), steps
    (60, 30)
    """
    count = rows.stop - rows.start
    return np.arange(rows.start, rows.stop, max(1, -(-count // _PATH_ORIGINS))), min(_LONGEST, count // 2)


def windows_before(scaled: np.ndarray, first: int, last: int, length: int) -> np.ndarray:
    """Return the rows before each of the rows first .. last, a view (last - first + 1, length, D).

    >>> windows_before(np.arange(5.0)[:, None], 3, 5, 2)[..., 0].tolist()
    [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]
    """
    views = np.lib.stride_tricks.sliding_window_view(scaled[first - length : last], length, axis=0)
    return views.swapaxes(1, 2)
