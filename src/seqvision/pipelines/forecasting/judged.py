"""What the score card of a finished run says of forecasts of so many steps, read from its folder."""

from dataclasses import dataclass

import numpy as np

from seqvision.data import Series
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.baselines import restore_baseline
from seqvision.reporting import RunFolder
from seqvision.scorecards import (
    LEVELS,
    Baseline,
    ConformalIntervals,
    Ends,
    Way,
    delivered_name,
    level_name,
    missing_levels,
)


@dataclass(frozen=True)
class Judged:
    """What a score card says of forecasts of the steps 1, 2, … by what is delivered and by the naive forecast."""

    steps: int
    rmse: dict[str, dict[str, float | None]]  # row of the card -> step -> RMSE
    marks: dict[str, dict[str, str | None]]  # row of the card -> step -> outcome
    verdicts: dict[str, str]  # row of the card -> sentence
    decisions: dict[str, str]  # row of the card -> its outcome in all
    reference: str
    baseline: Baseline
    intervals: dict[str, ConformalIntervals]  # row of the card -> its intervals; empty without
    coverage: dict[tuple[str, int, float], float | None]  # row of the card, step, level -> share of test rows inside

    @classmethod
    def read(cls, folder: RunFolder, config: ForecastConfig, series: Series, fed_back: bool, steps: int) -> "Judged":
        """Read summary.json.

        Args:
          folder: of the run.
          config: of the run.
          series: what is forecast, by whose times a seasonal baseline goes.
          fed_back: whether the steps are fed by the forecasts before them.
          steps: how many.

        Raises:
          ValueError: if the run was not judged, or by another version.
        """
        summary = folder.read_json("summary.json")
        try:
            card = summary["scores"]
            mode = "free-running" if fed_back else "one step ahead" if steps == 1 else "all steps"
            told = {v["model"]: v for v in card["verdicts"] if v["mode"] == mode}
            table = card["by_path_step"] if fed_back else card["by_horizon"]
            if table is None:
                rmse = {name: {"1": row["rmse"]} for name, row in card["one_step"].items()}
                table = {"rmse": rmse, "outcomes": {name: {"1": v["outcome"]} for name, v in told.items()}}
            reference = table.get("reference", card["references"][mode])
            baseline = restore_baseline(reference, summary["baselines"][reference], series)
            verdicts = {name: v["text"] for name, v in told.items()}
            decisions = {name: v["outcome"] for name, v in told.items()}
            wanted = {delivered_name(name, config.seeds) for name in config.models}
            way: Way = "fed back" if fed_back else "at once"
            kept = card["intervals"] or {"ways": {}, "scores": []}
            saved = kept["ways"].get(way, {})
            intervals = {row: ConformalIntervals.from_dict(saved[row]) for row in (*wanted, reference) if saved}
            coverage = {
                (one["model"], int(one["step"]), float(one["level"])): one["coverage"]
                for one in kept["scores"]
                if one["way"] == way
            }
            judged = cls(
                steps, table["rmse"], table["outcomes"], verdicts, decisions, reference, baseline, intervals, coverage
            )
            for row in (*wanted, reference):
                judged.errors(row)
            texts = [text for row in wanted for text in (reference, verdicts[row], *judged.outcomes(row))]
            if not all(isinstance(text, str) for text in texts):
                raise TypeError
        except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError):
            message = f"{folder.path / 'summary.json'} does not say how its forecasters did in the test: train again"
            raise ValueError(message) from None
        return judged

    def errors(self, row: str) -> np.ndarray:
        """Return the RMSE of each step in the test; NaN where it was not tested."""
        found = [self.rmse[row].get(str(step)) for step in range(1, self.steps + 1)]
        return np.array([np.nan if error is None else float(error) for error in found])

    def outcomes(self, row: str) -> list[str]:
        """Return what the test says of each step."""
        return [self.marks[row].get(str(step)) or "not tested" for step in range(1, self.steps + 1)]

    def ends(self, row: str, forecasts: np.ndarray) -> dict[float, tuple[np.ndarray, np.ndarray]]:
        """Return the ends (steps,) of the interval of each level around forecasts; NaN where there is no interval."""
        nothing = np.full((len(LEVELS), self.steps), np.nan)
        one = self.intervals.get(row)
        lower, upper = Ends(nothing, nothing) if one is None else one.ends(forecasts)
        there = np.isfinite(lower) & np.isfinite(upper)
        levels = LEVELS if one is None else one.levels
        return {
            level: (np.where(there[n], lower[n], np.nan), np.where(there[n], upper[n], np.nan))
            for n, level in enumerate(levels)
        }

    def heading(self, row: str) -> str:
        """Return what a picture says of a forecaster: its name, and whether it has skill."""
        clear = {"skill": "skill", "unclear": "no clear skill"}.get(self.decisions.get(row, ""), "no skill")
        return f"{row}: {clear} over the {self.reference} in the test"

    def inside(self, row: str) -> str:
        """Say how many test rows lay inside the intervals of the last of these steps that was tested; or nothing."""
        steps = [step for name, step, _ in self.coverage if name == row and step <= self.steps]
        levels = self.intervals[row].levels if row in self.intervals and steps else ()
        found = [(level, self.coverage[row, max(steps), level]) for level in levels]
        told = [f"{100 * share:.1f} % in the {level_name(level)} %" for level, share in found if share is not None]
        return f"of the test rows lay {' and '.join(told)} interval of step {max(steps)}" if told else ""

    def notes(self) -> tuple[str, ...]:
        """Say where there are no intervals, and why."""
        if not self.intervals:
            return ("no intervals: there were no rows between training and test to make them from",)
        rows = min((one.rows for one in self.intervals.values()), key=len)
        beyond = f"no intervals beyond step {len(rows)}: the rows between training and test do not reach further"
        said = (*([beyond] if self.steps > len(rows) else []), *missing_levels(rows[: self.steps]))
        return (*said[:-1], f"{said[-1]}; train with a larger validation=… for more") if said else ()
