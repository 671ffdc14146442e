"""The tables of a forecast card: who was judged on which rows, and against what."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision._checks import counted
from seqvision.scorecards.forecast_baselines import Baseline
from seqvision.scorecards.forecast_card import StepTable
from seqvision.scorecards.forecast_rows import Task, score_rows
from seqvision.scorecards.forecast_verdicts import (
    by_target,
    chances_of,
    choose_reference,
    judge_rows,
    outcomes_by_step,
    step_errors,
)
from seqvision.scorecards.tables import table_of
from seqvision.scorecards.verdict import Mode, Verdict

Floats = NDArray[np.float64]


class Scored(NamedTuple):
    """One table, and what it says."""

    table: pd.DataFrame
    reference: str
    verdicts: list[Verdict]


class Paths(NamedTuple):
    """Paths that feed their own forecasts back, from several origins."""

    models: dict[str, Floats]  # (S, O, K)
    origins: NDArray[np.int64]  # (O,), rising

    @property
    def steps(self) -> int:
        """How long they are."""
        return next(iter(self.models.values())).shape[2]

    @property
    def gap(self) -> int:
        """How far apart two of them begin."""
        return int(np.diff(self.origins).min()) if len(self.origins) > 1 else 1

    @property
    def overlap(self) -> int:
        """How many of them share rows with one."""
        return -(-self.steps // self.gap)


class CardTables(NamedTuple):
    """What all tables of a card have in common."""

    y: Floats
    train_rows: int
    cutoff: int
    baselines: Mapping[str, Baseline]
    reference: str | None
    scale: float
    returns: bool

    def task(self, models: Mapping[str, Floats], steps: int) -> Task:
        """Return every test row, forecast 1 to ``steps`` rows ahead."""
        origins = np.arange(self.cutoff - steps + 1, len(self.y))
        naive = {name: by_target(f(self.y, origins, steps)) for name, f in self.baselines.items()}
        truth = np.repeat(self.y[self.cutoff :, None], steps, axis=1)
        before = by_target(np.repeat(self.y[origins - 1, None], steps, axis=1))
        targets = {name: by_target(f) for name, f in models.items()}
        return Task(truth, np.zeros_like(truth) if self.returns else before, targets, naive)

    def path_task(self, paths: Mapping[str, Floats], origins: NDArray[np.int64]) -> Task:
        """Return the rows from each origin on, forecast in one go."""
        steps = next(iter(paths.values())).shape[2]
        naive = {name: f(self.y, origins, steps) for name, f in self.baselines.items()}
        truth = self.y[origins[:, None] + np.arange(steps)[None, :]]
        before = np.zeros_like(truth) if self.returns else np.repeat(self.y[origins - 1, None], steps, axis=1)
        return Task(truth, before, paths, naive)

    def score(self, task: Task, mode: Mode) -> Scored:
        """Score and judge a table of test rows, forecast at one step or at all."""
        steps = task.truth.shape[1]
        reference = self.chosen(steps)
        rows = score_rows(task, reference, self.scale, independent=mode == "one step ahead")
        return Scored(table_of(rows), reference, judge_rows(rows, reference, mode, chances_of(task, reference, steps)))

    def score_path(self, free: Mapping[str, Floats], paths: "Paths | None") -> Scored:
        """Score one path (S, B) of each model over all test rows; of chance only several paths can tell."""
        reference = self.chosen(len(self.y) - self.cutoff)
        task = self.path_task({name: f[:, None, :] for name, f in free.items()}, np.array([self.cutoff]))
        rows = score_rows(task, reference, self.scale, independent=False)
        chances = {} if paths is None else chances_of(self.path_task(*paths), reference, paths.overlap)
        return Scored(table_of(rows), reference, judge_rows(rows, reference, "free-running", chances))

    def chosen(self, steps: int) -> str:
        """Return the baseline that forecasts of so many steps are judged against."""
        if self.reference is not None:
            return self.reference
        # Errors of so many steps overlap: few rows between training and test say nothing of long forecasts.
        steps = max(1, min(steps, (self.cutoff - self.train_rows) // 10))
        return choose_reference(self.y, self.train_rows, self.cutoff, self.baselines, steps)

    def choice(self) -> str:
        """Return how the reference was chosen, in a sentence."""
        first, rows = next(iter(self.baselines)), self.cutoff - self.train_rows
        if self.reference is not None:
            return f"The {self.reference} was declared as what is to be beaten."
        if not rows or len(self.baselines) == 1:
            return f"The {first} is what is to be beaten."
        return (
            f"What is to be beaten: the {first}, unless another baseline is better by more than chance (p < .05) on "
            f"the {counted(rows, 'row')} between training and test."
        )

    def by_step(self, task: Task, reference: str, overlap: Mapping[int, int]) -> StepTable:
        """Score and judge each step of a task."""
        steps = range(1, task.truth.shape[1] + 1)
        errors = pd.DataFrame(step_errors(task), index=steps).T
        outcomes = outcomes_by_step(task, reference, overlap)
        full = {name: [*each, *[None] * (len(steps) - len(each))] for name, each in outcomes.items()}
        return StepTable(errors, pd.DataFrame(full, index=steps, dtype=object).T, reference, len(task.truth))

    def by_path_step(self, paths: "Paths") -> StepTable:
        """Score and judge each step of paths that feed their own forecasts back."""
        reference = self.chosen(len(self.y) - self.cutoff)  # as of one path over all test rows
        overlap = {k: -(-(k + 1) // paths.gap) for k in range(paths.steps)}
        return self.by_step(self.path_task(*paths), reference, overlap)

    def paths(self, paths: Mapping[str, ArrayLike], path_origins: ArrayLike) -> "Paths":
        """Check paths and their origins."""
        origins = np.asarray(path_origins)
        arrays = {name: np.asarray(f, np.float64) for name, f in paths.items()}
        shapes = {f.shape[1:] for f in arrays.values()}
        steps = next(iter(shapes))[1] if all(f.ndim == 3 for f in arrays.values()) else 0
        apart = np.diff(origins)
        if shapes != {(len(origins), steps)} or not steps or (apart < 1).any():
            raise ValueError(
                f"paths must each be (seeds, {len(origins)}, K) for {len(origins)} path_origins in rising order, got "
                f"{[f.shape for f in arrays.values()]}"
            )
        if origins[0] < self.cutoff or origins[-1] + steps > len(self.y):
            raise ValueError(
                f"path_origins must lie in {self.cutoff}..{len(self.y) - steps} for paths of {steps} rows, got "
                f"{origins[0]}..{origins[-1]}"
            )
        return Paths(arrays, origins)
