"""Intervals on a score card: made from rows before the test, judged on the test rows."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision._checks import counted
from seqvision.metrics import interval_coverage, interval_score
from seqvision.scorecards.conformal import LEVELS, ConformalIntervals, Intervals, level_name, missing_levels
from seqvision.scorecards.forecast_baselines import Baseline
from seqvision.scorecards.forecast_rows import Task, forecasters
from seqvision.scorecards.forecast_text import format_number
from seqvision.scorecards.tables import json_records, wrapped

Floats = NDArray[np.float64]
Way = Literal["at once", "fed back"]

_NAME, _CELL = 28, 10


class Calibration(NamedTuple):
    """Forecasts of rows that neither trained nor chose anything, from which intervals are made.

    Of every origin the steps that lie within the rows count alone.
    """

    rows: slice  # of the series, before the test
    origins: ArrayLike  # (O,), the row that is forecast first each time
    forecasts: Mapping[str, ArrayLike]  # model -> (S, O, horizon)
    path_origins: ArrayLike = ()  # (P,)
    paths: Mapping[str, ArrayLike] | None = None  # model -> (S, P, K), fed by their own forecasts


class ForecastIntervals(NamedTuple):
    """The intervals of all that is delivered and of the baselines, and how they did in the test.

    Attributes:
      ways: "at once" -> row of the card -> its intervals by step of the horizon; "fed back" by step of free runs.
      scores: a row for each way, row of the card ("model"), step and level: the share of the test rows inside
        ("coverage"), the mean "width" and the interval "score"; NaN where there is no interval.
      rows: how many they were made from.
      notes: what they lack, a sentence each.
    """

    ways: dict[Way, dict[str, ConformalIntervals]]
    scores: pd.DataFrame
    rows: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; a width that is infinite is None."""
        ways = {way: {name: one.to_dict() for name, one in found.items()} for way, found in self.ways.items()}
        scores = list(json_records(self.scores).values())
        return {"ways": ways, "scores": scores, "rows": self.rows, "notes": list(self.notes)}

    def text(self, unit: str = "") -> list[str]:
        """Return how the first and the last step of each way that have intervals did, as lines."""
        lines = wrapped(
            f"Intervals around the forecasts, by split conformal prediction from the {counted(self.rows, 'row')} "
            "before the test: how many test rows lie inside, the mean width, and the interval score (lower is better)"
            + (f", in {unit}" if unit else ""),
            0,
        )
        levels = sorted(self.scores["level"].unique())
        heads = [f"{f'{level_name(level)} %: in':>{_CELL}}{'width':>{_CELL}}{'score':>{_CELL}}" for level in levels]
        lines.append((" " * _NAME + "".join(heads)).rstrip())
        for (way, step), part in self.scores.groupby(["way", "step"], sort=False):
            known = self.scores[(self.scores["way"] == way) & self.scores["coverage"].notna()]
            if step != known["step"].max() and not (step == 1 and way == "at once"):
                continue
            ahead = "one step ahead" if step == 1 else f"{step} steps ahead"
            lines.append(ahead + (", each fed by those before" if way == "fed back" else ""))
            for name, each in part.groupby("model", sort=False):
                by_level = each.set_index("level").to_dict("index")
                cells = [cell for level in levels for cell in _cells(by_level[level])]
                lines.append(f"  {str(name)[: _NAME - 3]:<{_NAME - 2}}" + "".join(f"{cell:>{_CELL}}" for cell in cells))
        promise = "The share inside is the nominal one where test rows come like those before: series need not."
        return [*lines, *wrapped(promise), *(line for note in self.notes for line in wrapped(note))]


def judge_intervals(
    series: Floats,
    calibration: Calibration | None,
    baselines: Mapping[str, Baseline],
    tests: Mapping[Way, Task],
) -> ForecastIntervals | None:
    """Make the intervals of every forecaster from rows before the test, and judge them on the test rows.

    Args:
      series: (N,) in original units.
      calibration: forecasts of the rows before the test; None gives no intervals.
      baselines: get intervals in the same way as the models.
      tests: "at once" and "fed back" -> what was forecast in the test.
    """
    if calibration is None or calibration.rows.stop <= calibration.rows.start:
        return None
    ways: dict[Way, dict[str, ConformalIntervals]] = {}
    records: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for way, task in tests.items():
        fed = way == "fed back"
        models = (calibration.paths or {}) if fed else calibration.forecasts
        origins = np.asarray(calibration.path_origins if fed else calibration.origins)
        if not models or not len(origins):
            continue
        ways[way] = _calibrate(series, calibration.rows, models, origins, baselines)
        records += _scores(way, task, ways[way])
        least = next(iter(ways[way].values())).rows
        notes |= dict.fromkeys(missing_levels(least))
        if len(least) < task.truth.shape[1]:
            how = " of free runs" if fed else ""
            notes[f"no intervals beyond step {len(least)}{how}: a larger validation=… reaches further"] = None
    return ForecastIntervals(ways, pd.DataFrame(records), calibration.rows.stop - calibration.rows.start, tuple(notes))


def _calibrate(
    series: Floats,
    rows: slice,
    models: Mapping[str, ArrayLike],
    origins: NDArray[np.int64],
    baselines: Mapping[str, Baseline],
) -> dict[str, ConformalIntervals]:
    """Return the intervals of each forecaster by the steps 1, 2, … that its forecasts from the origins have."""
    arrays = {name: np.asarray(f, np.float64) for name, f in models.items()}
    steps = max(f.shape[2] for f in arrays.values())
    naive = {name: f(series, origins, steps) for name, f in baselines.items()}
    ahead = origins[:, None] + np.arange(steps)
    there = (rows.start <= ahead) & (ahead < rows.stop)
    truth = series[np.minimum(ahead, rows.stop - 1)]
    found = {}
    for name, one in forecasters(Task(truth, truth, arrays, naive)).items():
        if one.kind != "model" or one.seeds == 1:
            with np.errstate(over="ignore", invalid="ignore"):
                errors = truth[:, : one.forecasts.shape[2]] - one.forecasts[0]
            residuals = [errors[there[:, h], h] for h in range(errors.shape[1])]
            found[name] = ConformalIntervals.calibrated(residuals, LEVELS)
    return found


def _scores(way: Way, task: Task, found: Mapping[str, Intervals]) -> list[dict[str, Any]]:
    """Return a record for each step, forecaster and level."""
    each = {name: one.forecasts[0] for name, one in forecasters(task).items() if name in found}
    ends = {name: found[name].ends(forecasts) for name, forecasts in each.items()}
    records = []

    def ends_at(side: Floats, level: int, step: int) -> Floats:
        return side[level, :, step] if step < side.shape[-1] else np.full(len(task.truth), np.nan)

    for step in range(task.truth.shape[1]):
        truth = task.truth[:, step]
        for name, (lower, upper) in ends.items():
            for at, level in enumerate(found[name].levels):
                record: dict[str, Any] = {"way": way, "step": step + 1, "model": name, "level": level}
                low, high = ends_at(lower, at, step), ends_at(upper, at, step)
                if not np.isfinite([low, high]).all():
                    records.append(record | dict.fromkeys(("coverage", "width", "score"), np.nan))
                    continue
                score = interval_score(truth, lower=low, upper=high, level=level)
                share = interval_coverage(truth, lower=low, upper=high)
                with np.errstate(over="ignore"):
                    width = float(np.mean(high - low))
                records.append(record | {"coverage": share, "width": width, "score": score})
    return records


def _cells(row: Mapping[Any, float]) -> list[str]:
    share = "–" if np.isnan(row["coverage"]) else f"{100 * row['coverage']:.1f} %"
    return [share, format_number(row["width"]), format_number(row["score"])]
