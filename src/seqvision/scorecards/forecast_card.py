"""The score card of forecasts: models and naive baselines on the same rows, with a verdict on each model."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pandas as pd

from seqvision.metrics import Moves
from seqvision.scorecards.forecast_scores import ForecastScores
from seqvision.scorecards.forecast_text import horizons_text, scores_text, wrapped
from seqvision.scorecards.tables import json_records, rows_of

Mode = Literal["one step ahead", "free-running"]


class Verdict(NamedTuple):
    """What a model's numbers say against the leading baseline."""

    model: str
    mode: Mode
    outcome: Literal["no skill", "unclear", "skill"]
    text: str


@dataclass(frozen=True)
class ForecastCard:
    """Scores of models and baselines on the same test rows.

    Attributes:
      one_step: one row a forecaster, one column a field of ``ForecastScores``.
      free_running: the same for one forecast path over all test rows, or None. Its direction (from the last value
        before the path) has no interval: the rows of one path are not independent.
      by_horizon: mean RMSE, one row a forecaster, one column a step 1..horizon, on the origins for which all steps lie
        in the series; None if the horizon is 1.
      verdicts: two for each model, or one if nothing ran freely.
      moves: how many test rows rise from the row before, fall and stay (for returns: their signs).
      test_rows: how many rows were forecast.
      unit: of the series, for the text.
    """

    one_step: pd.DataFrame
    free_running: pd.DataFrame | None
    by_horizon: pd.DataFrame | None
    verdicts: tuple[Verdict, ...]
    moves: Moves
    test_rows: int
    unit: str = ""

    def text(self) -> str:
        """Return the card as text for a terminal, at most 110 columns wide."""
        unit = f", in {self.unit}" if self.unit else ""
        parts = [f"One step ahead: {self.test_rows} test rows, every past value known{unit}"]
        parts += [scores_text(rows_of(self.one_step, ForecastScores))]
        if self.free_running is not None:
            parts += ["", f"Free-running: one path of {self.test_rows} rows fed by its own forecasts{unit}"]
            parts += [scores_text(rows_of(self.free_running, ForecastScores))]
        if self.by_horizon is not None:
            parts += ["", f"RMSE by steps ahead{unit}", horizons_text(self.by_horizon)]
        up, down, _ = self.moves
        if up + down:
            commoner, hits = ("up", up) if up >= down else ("down", down)
            text = f"Of the rows {100 * up / self.test_rows:.1f} % went up, {100 * down / self.test_rows:.1f} % down: "
            text += f"always saying {commoner} is right in {100 * hits / (up + down):.1f} % of those that moved."
            parts += ["", text]
        note = "± is the spread over seeds; " if self.one_step["seeds"].max() > 1 else ""
        parts += [note + "skill is 1 - RMSE / RMSE of the best baseline."]
        parts += ["", "Verdict"]
        for verdict in self.verdicts:
            parts += wrapped(verdict.text)
        return "\n".join(parts)

    def __str__(self) -> str:
        """Return ``text()``."""
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers; what is undefined is None."""
        tables = {"one_step": self.one_step, "free_running": self.free_running, "by_horizon": self.by_horizon}
        return {
            **{name: None if table is None else json_records(table) for name, table in tables.items()},
            "verdicts": [verdict._asdict() for verdict in self.verdicts],
            "moves": self.moves._asdict(),
            "test_rows": self.test_rows,
            "unit": self.unit,
        }
