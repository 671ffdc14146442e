"""What pipelines return, in one vocabulary of fields.

- folder: the run folder.
- card: the models beside the naive ones on the same test rows.
- text: what a script prints.
- summary: plain numbers, as in summary.json.
- history: model -> metric -> (S, epochs), S the number of seeds.

``to_dict()`` gives what the command line prints as JSON: dicts, lists, text and numbers; what is undefined is None.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from seqvision.reporting import to_plain
from seqvision.scorecards import Baseline, ClassCard, ForecastCard
from seqvision.seq2seq import Generated

History = dict[str, dict[str, np.ndarray]]


class Result(Protocol):
    """What every verb of the command line returns: a text to print, and the same as plain values."""

    @property
    def text(self) -> str:
        """What a script prints."""

    def to_dict(self) -> dict[str, Any]:
        """Return dicts, lists, text and numbers."""


class Run(Result, Protocol):
    """What every finished run is: a result that lies in a folder."""

    @property
    def folder(self) -> Path:
        """The run folder."""


@dataclass(frozen=True)
class ValidationScores:
    """Errors on the validation rows, which train no weights and judge nobody: by them one chooses among settings."""

    metric: str  # "RMSE", in original units over all steps of the horizon, or "log-loss"; less is better
    rows: int
    models: dict[str, float]  # of what is used in the end of each model: the mean of its seeds
    baselines: dict[str, float]  # of the naive answers on the same rows


@dataclass(frozen=True, eq=False)
class JudgedForecasts:
    """Forecasts of every test row, in original units, and their score card."""

    card: ForecastCard
    forecasts: dict[str, np.ndarray]  # model -> (S, B + horizon - 1, horizon) by origin, as `score_forecasts` has it
    free_runs: dict[str, np.ndarray]  # model -> (S, B); none where the models see further columns
    baselines: dict[str, Baseline]  # name -> function of series, origins and steps

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values."""
        return {"scores": self.card.to_dict()}


@dataclass(frozen=True, eq=False)
class ForecastEvaluation(JudgedForecasts):
    """A run of forecasters judged again from its folder."""

    folder: Path
    text: str


@dataclass(frozen=True, eq=False)
class NewRowsEvaluation(ForecastEvaluation):
    """A run of forecasters judged on the rows that have come since; these are the test rows of its card."""

    table: pd.DataFrame  # as predictions.csv of a run: truth and forecasts of every new row and step
    then: dict[str, dict[str, float]]  # row of the card -> "rmse" on the test rows of the run and on the "new" rows
    notes: tuple[str, ...]
    output: Path | None  # where the table was written

    def to_dict(self) -> dict[str, Any]:
        """Return the scores, then and now, and the notes as plain values."""
        return to_plain({**super().to_dict(), "then": self.then, "notes": self.notes})


@dataclass(frozen=True, eq=False)
class ForecastRun(ForecastEvaluation):
    """A run of forecasters: trained, judged, written to its folder."""

    summary: dict[str, Any]  # "data", "scores", "parameters" and "seconds" by model
    history: History
    validation: ValidationScores | None  # None without validation rows

    def to_dict(self) -> dict[str, Any]:
        """Return the folder and the summary as plain values."""
        return to_plain({"folder": self.folder, **self.summary})


@dataclass(frozen=True, eq=False)
class ForecastPrediction:
    """The rows after the end of a file, in original units, and what the run's score card says of such forecasts.

    The table has a row for each step and forecaster, the naive forecast last of each step:

      date         of the row ahead, where the calendar of the file is known
      row          its number, the file's rows counted from 0
      step         1, 2, …
      model        a row of the score card, the mean of several seeds; or the naive forecast
      forecast     in original units
      lower_80, upper_80, lower_95, upper_95
                   intervals of split conformal prediction, by step, as judged on the card; blank where there are none
      seed_spread  of the forecasts of the seeds, blank for one
      test_rmse    at this step in the test, blank where it was not tested
      skill        1 - test_rmse / that of the naive forecast
      verdict      at this step: "no skill", "unclear", "skill" or "not tested"; "naive forecast"
      note         only where the test does not hold
    """

    table: pd.DataFrame
    text: str
    after: str  # the last date or row number of the file
    verdicts: tuple[str, ...]  # what the card says of the whole forecast, a sentence a model
    output: Path | None  # where it was written
    plot: Path | None  # where it was drawn
    calendar: dict[str, Any] | None  # of the dates, as `Calendar.to_dict` has it
    notes: tuple[str, ...] = ()  # where the test does not hold, and which intervals there are not

    def to_dict(self) -> dict[str, Any]:
        """Return the table as one dict a row, the verdicts, the calendar, and the notes."""
        forecast = self.table.to_dict("records")
        told = {"verdicts": self.verdicts, "calendar": self.calendar, "notes": self.notes}
        return to_plain({"after": self.after, "forecast": forecast, **told})


@dataclass(frozen=True, eq=False)
class JudgedClasses:
    """The logits of every test image, and their score card."""

    card: ClassCard
    logits: dict[str, np.ndarray]  # model -> (S, B, C)

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values."""
        return {"scores": self.card.to_dict()}


@dataclass(frozen=True, eq=False)
class ClassifyEvaluation(JudgedClasses):
    """A run of classifiers judged again from its folder."""

    folder: Path
    text: str


@dataclass(frozen=True, eq=False)
class ClassifyRun(ClassifyEvaluation):
    """A run of classifiers: trained, judged, written to its folder."""

    summary: dict[str, Any]  # "scores"; "parameters", "seconds" and what else was measured, by model
    history: History
    validation: ValidationScores | None = None  # None without validation rows

    def to_dict(self) -> dict[str, Any]:
        """Return the folder and the summary as plain values."""
        return to_plain({"folder": self.folder, **self.summary})


@dataclass(frozen=True, eq=False)
class ImagePrediction:
    """The classes of pictures, and what the run's score card says of such predictions.

    The table has a row a file and model: "file"; "model", its row of the card; "class" and its "probability" (of
    several seeds the mean); "probability of …" for each class; "right in test", the share of the test rows that the
    model was as sure of which it got right, and "test rows", how many those were; "verdict" ("no skill", "unclear",
    "skill") over the commonest class; "part", in which the file's content
    was when the run was trained (train, validation, test, or blank); and "note": how the picture differs from the
    training pictures and what was done to it, or why it was not read. Then there is no class, and NaN.
    """

    table: pd.DataFrame
    text: str
    verdicts: tuple[str, ...]  # what the card says of such predictions, a sentence a model
    output: Path | None  # where it was written
    plot: Path | None  # where the pictures were drawn
    notes: tuple[str, ...] = ()  # of the pictures together

    def to_dict(self) -> dict[str, Any]:
        """Return the table as one dict a row, the verdicts, and the notes."""
        predictions = self.table.to_dict("records")
        return to_plain({"predictions": predictions, "verdicts": self.verdicts, "notes": self.notes})


@dataclass(frozen=True, eq=False)
class SequenceRun:
    """A run of encoder-decoders: trained, judged, written to its folder."""

    scores: dict[str, dict[str, Any]]  # model or rule -> kind, seeds, "exact" and "symbols" with "_std" over seeds
    written: dict[str, Generated]  # model -> tokens (S, N, T) and attention of the test rows
    folder: Path
    text: str
    summary: dict[str, Any]  # "scores", "seconds" by model, "test_rows"
    history: History

    def to_dict(self) -> dict[str, Any]:
        """Return the folder and the summary as plain values."""
        return to_plain({"folder": self.folder, **self.summary})


@dataclass(frozen=True)
class ModelSize:
    """What a model maps to what, without the batch axis, and how many numbers it trains."""

    input: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Description:
    """What a run would be."""

    text: str
    models: dict[str, ModelSize]
    examples: dict[str, int]  # "train", "test" and, where there are any, "validation"
    steps: int  # updates of one training

    def to_dict(self) -> dict[str, Any]:
        """Return all but the text as plain values."""
        return to_plain({"models": self.models, "examples": self.examples, "steps": self.steps})
