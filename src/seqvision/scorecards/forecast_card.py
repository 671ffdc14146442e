"""The score card of forecasts: models and naive baselines on the same rows, with a verdict on each model."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from seqvision._checks import counted
from seqvision.metrics import Moves
from seqvision.scorecards.forecast_intervals import ForecastIntervals
from seqvision.scorecards.forecast_scores import ForecastScores
from seqvision.scorecards.forecast_text import scores_text, steps_text
from seqvision.scorecards.tables import json_records, rows_of, verdict_lines, wrapped
from seqvision.scorecards.verdict import Mode, Verdict


class StepTable(NamedTuple):
    """Every step of a forecast, scored and judged on the same rows."""

    rmse: pd.DataFrame  # one row a forecaster, one column a step 1, 2, …; mean over seeds of a model
    outcomes: pd.DataFrame  # of each model and mean over seeds: "no skill", "unclear" or "skill"
    reference: str  # the baseline that the outcomes are against
    rows: int  # how many forecasts of each step there were

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        tables = {"rmse": json_records(self.rmse), "outcomes": json_records(self.outcomes)}
        return {**tables, "reference": self.reference, "rows": self.rows}


@dataclass(frozen=True)
class ForecastCard:
    """Scores of models and baselines on the same test rows.

    Every table has a row for each model, the mean of its seeds; where those are several, one for "name (mean of S
    seeds)", the forecaster whose forecast is the mean of theirs; and one for each baseline.

    Attributes:
      one_step: one row a forecaster, one column a field of ``ForecastScores``.
      all_steps: the same over all steps 1..horizon of the same test rows; None if the horizon is 1.
      free_running: the same for one forecast path over all test rows, or None. Its direction (from the last value
        before the path) has no interval: the rows of one path are not independent.
      by_horizon: each step of the horizon, on the same test rows; None if the horizon is 1.
      by_path_step: each step of free runs from several origins within the test rows, or None.
      verdicts: one for each model, and one for each mean over seeds, in each mode.
      references: mode -> the baseline that its skill and verdicts are against.
      choice: how these were chosen, in a sentence.
      intervals: around what is delivered and the baselines, and how they did in the test; None without rows for them.
      moves: how many test rows rise from the row before, fall and stay (for returns: their signs).
      test_rows: how many rows were forecast.
      unit: of the series, for the text.
    """

    one_step: pd.DataFrame
    all_steps: pd.DataFrame | None
    free_running: pd.DataFrame | None
    by_horizon: StepTable | None
    by_path_step: StepTable | None
    verdicts: tuple[Verdict, ...]
    references: dict[Mode, str]
    choice: str
    intervals: ForecastIntervals | None
    moves: Moves
    test_rows: int
    unit: str = ""

    def delivered(self, mode: Mode) -> dict[str, Verdict]:
        """Return the verdicts on what is used in the end, in one mode: the mean of a model's seeds, or its only one."""
        shown = self._shown()
        return {verdict.model: verdict for verdict in self.verdicts if verdict.mode == mode and verdict.model in shown}

    def text(self) -> str:
        """Return the card as text for a terminal, at most 110 columns wide."""
        rows, horizon = (
            counted(self.test_rows, "test row"),
            1 if self.by_horizon is None else self.by_horizon.rmse.shape[1],
        )
        parts = [self._title(f"One step ahead: {rows}, every past value known", "one step ahead")]
        parts += [scores_text(rows_of(self.one_step, ForecastScores))]
        if self.all_steps is not None:
            parts += ["", self._title(f"All steps 1 to {horizon}, each of the same {rows}", "all steps")]
            parts += [scores_text(rows_of(self.all_steps, ForecastScores))]
        if self.by_horizon is not None:
            parts += [
                "",
                self._title(f"RMSE by steps ahead, on the same {rows}", None),
                *steps_text(self.by_horizon, self._shown()),
            ]
        if self.free_running is not None:
            fed = f"Free-running: one path of {counted(self.test_rows, 'row')} fed by its own forecasts"
            parts += ["", self._title(fed, "free-running"), scores_text(rows_of(self.free_running, ForecastScores))]
        if self.by_path_step is not None:
            origins = counted(self.by_path_step.rows, "origin")
            title = self._title(f"RMSE by steps of free runs from {origins} in the test rows", None)
            parts += ["", title, *steps_text(self.by_path_step, self._shown())]
        if self.intervals is not None:
            parts += ["", *self.intervals.text(self.unit)]
        lines = [line for mode in self.references for line in verdict_lines(self.delivered(mode), self.verdicts)]
        return "\n".join([*parts, "", *self._notes(), "", "Verdict", *lines])

    def __str__(self) -> str:
        """Return ``text()``."""
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers; what is undefined is None."""
        tables = {"one_step": self.one_step, "all_steps": self.all_steps, "free_running": self.free_running}
        steps = {"by_horizon": self.by_horizon, "by_path_step": self.by_path_step}
        return {
            **{name: None if table is None else json_records(table) for name, table in tables.items()},
            **{name: None if table is None else table.to_dict() for name, table in steps.items()},
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
            "references": dict(self.references),
            "choice": self.choice,
            "intervals": None if self.intervals is None else self.intervals.to_dict(),
            "moves": self.moves._asdict(),
            "test_rows": self.test_rows,
            "unit": self.unit,
        }

    def _shown(self) -> list[str]:
        """Return what is used in the end, and the baselines."""
        table = self.one_step
        return list(table.index[(table["kind"] != "model") | (table["seeds"] == 1)])

    def _title(self, text: str, mode: Mode | None) -> str:
        unit = f", in {self.unit}" if self.unit else ""
        return text + unit + (f"; skill over the {self.references[mode]}" if mode else "")

    def _notes(self) -> list[str]:
        up, down, _ = self.moves
        lines = []
        if up + down:
            commoner, hits = ("up", up) if up >= down else ("down", down)
            text = f"Of the rows {100 * up / self.test_rows:.1f} % went up, {100 * down / self.test_rows:.1f} % down: "
            lines.append(
                text + f"always saying {commoner} is right in {100 * hits / (up + down):.1f} % of those that moved."
            )
        seeds = "± is the spread over seeds, not an interval; " if self.one_step["seeds"].max() > 1 else ""
        skill = f"{seeds}skill is 1 - RMSE / RMSE of what is to be beaten. {self.choice}"
        lines += wrapped(skill, 0)
        if self.by_path_step is not None:
            runs = f"{counted(self.by_path_step.rows, 'run')} of {counted(self.by_path_step.rmse.shape[1], 'row')}"
            lines += wrapped(f"Whether chance explains a free run is told by {runs}.", 0)
        if self.one_step["mase"].isna().all():
            lines += wrapped(
                "There is no MASE: on the training rows the naive forecast makes no error to measure by.", 0
            )
        return lines
