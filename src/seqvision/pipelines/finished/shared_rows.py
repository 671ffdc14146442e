"""The test rows that two runs share, and what each forecast of them: without such rows nothing is paired."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqvision.pipelines.finished.records import RunRecord
from seqvision.pipelines.forecasting.data import read_saved
from seqvision.pipelines.forecasting.evaluation import evaluate_forecast
from seqvision.pipelines.forecasting.own_rows import own_series
from seqvision.pipelines.results import NewRowsEvaluation
from seqvision.reporting import RunFolder
from seqvision.scorecards import delivered_name, diebold_mariano, mcnemar

_TRUTH = 1e-7  # relative difference of numbers written with nine digits


@dataclass(frozen=True, eq=False)
class TestRows:
    """The test rows of a run as its folder keeps them."""

    __test__ = False  # pytest takes classes of this name for tests
    run: RunRecord
    table: pd.DataFrame  # predictions.csv; its index says which row it is, the same in all runs
    seeds: Mapping[str, int]
    digest: str | None  # of the images without names, whose rows have numbers alone
    classes: tuple[str, ...]


def read_test_rows(record: RunRecord, folder: RunFolder, summary: Mapping[str, Any]) -> TestRows | None:
    """Read predictions.csv of a run; None if it has none, or its rows cannot be told."""
    path = folder.path / "predictions.csv"
    if not path.exists() or record.kind not in ("forecast", "classify"):
        return None
    table = pd.read_csv(path)
    seeds = {name: len(scores) for name, scores in summary.get("by_seed", {}).items()}
    if record.kind == "forecast":
        key = "date" if "date" in table else "row"
        step = table.get("step", 1)
        return TestRows(record, table.assign(step=step).set_index([key, "step"]), seeds, None, ())
    if not (folder.path / "images.json").exists():
        return None
    kept, classes = folder.read_json("images.json"), tuple(summary["scores"]["class_names"])
    if "file" not in table:
        return TestRows(record, table.set_index("row"), seeds, kept.get("parts", {}).get("test"), classes)
    hashes = [kept["files"].get(name, [f"{name} of {record.name}"])[0] for name in table["file"]]
    table.index = pd.Index(hashes)
    return TestRows(record, table[~table.index.duplicated()], seeds, None, classes)


class SharedScores(NamedTuple):
    """What two models did on the test rows that both have."""

    rows: int
    test: str  # its name
    statistic: float  # negative if the other one is better
    p_value: float
    score: float  # of the first, on these rows: RMSE or accuracy
    other_score: float


def with_rows_since(first: TestRows, folder: RunFolder, other: RunFolder) -> TestRows:
    """Add what a run would have said of rows that came after it and that another run on the series knows.

    Args:
      first: of the run.
      folder: of the run.
      other: of the other run.

    Returns:
      The test rows as they were if the other run knows no later ones, or its earlier ones are not the same.
    """
    saved = read_saved(other)
    if folder.read_json("config.json").get("returns") or read_saved(folder)["columns"] != saved["columns"]:
        return first
    try:
        judged = evaluate_forecast(folder.path, series=own_series(saved))
    except ValueError:
        return first
    if not isinstance(judged, NewRowsEvaluation):
        return first
    key, _ = first.table.index.names
    new = judged.table.assign(step=judged.table.get("step", 1))
    if key == "date":
        new["date"] = new["date"].astype(str)
    return replace(first, table=pd.concat([first.table, new.set_index([key, "step"])]))


def compare_rows(first: TestRows, model: str, other: TestRows, other_model: str) -> SharedScores | str:
    """Compare what two runs deliver on the test rows that both have.

    Args:
      first: of the one run.
      model: of it.
      other: of the other run; the statistic is negative if its model is better.
      other_model: of it.

    Returns:
      Scores on the rows that both have and what the test says; or why there is nothing to test.
    """
    if first.run.kind != other.run.kind:
        return "one run forecasts, the other classifies"
    if first.digest != other.digest or first.classes != other.classes:
        return "the test images are not the same" if first.classes == other.classes else "the classes are not the same"
    if first.table.index.names != other.table.index.names:
        return "the test rows of one have dates, those of the other none"
    rows = first.table.index.intersection(other.table.index, sort=False)
    if not len(rows):
        return "they have no test row in common"
    a, b = first.table.loc[rows], other.table.loc[rows]
    if first.run.kind == "classify":
        return _compare_classes(a, _row(first, model), b, _row(other, other_model))
    if not np.allclose(a["truth"], b["truth"], rtol=_TRUTH, atol=0):
        return "the truth of the test rows is not the same"
    return _compare_forecasts(a, _row(first, model), b, _row(other, other_model))


def _compare_classes(a: pd.DataFrame, row: str, b: pd.DataFrame, other: str) -> SharedScores | str:
    if (a["truth"].astype(str) != b["truth"].astype(str)).any():
        return "the labels of the test images are not the same"
    ours, theirs = ((table[name] == table["truth"]).to_numpy(bool) for table, name in ((a, row), (b, other)))
    result = mcnemar(theirs, other_right=ours)
    return SharedScores(len(a), "McNemar's test", *result, float(ours.mean()), float(theirs.mean()))


def _compare_forecasts(a: pd.DataFrame, row: str, b: pd.DataFrame, other: str) -> SharedScores | str:
    steps = min(int(table.index.get_level_values("step").max()) for table in (a, b))
    losses = []
    for table, name in ((a, row), (b, other)):
        with np.errstate(over="ignore", invalid="ignore"):
            squared = ((table["truth"] - table[name]) ** 2).unstack("step").reindex(columns=range(1, steps + 1))
        losses.append(squared.dropna().mean(axis=1))
    rows = losses[0].index.intersection(losses[1].index, sort=False)
    values = [loss.loc[rows].to_numpy() for loss in losses]
    if len(rows) <= max(steps, 1) or not all(np.isfinite(value).all() for value in values):
        return f"{len(rows)} test rows in common are too few for a test, or a forecast diverged"
    test = "Diebold-Mariano" + (f" over steps 1 to {steps}" if steps > 1 else ", one step ahead")
    result = diebold_mariano(values[1], other_losses=values[0], horizon=steps)
    ours, theirs = (float(np.sqrt(value.mean())) for value in values)
    return SharedScores(len(rows), test, *result, ours, theirs)


def _row(rows: TestRows, model: str) -> str:
    return delivered_name(model, rows.seeds[model])
