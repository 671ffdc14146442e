"""The test rows that two runs share, and what each forecast of them: without such rows nothing is paired."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqvision.pipelines.finished.records import RunRecord
from seqvision.reporting import RunFolder
from seqvision.scorecards import Comparison, delivered_name, diebold_mariano, mcnemar

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


def compare_rows(first: TestRows, model: str, other: TestRows, other_model: str) -> tuple[int, str, Comparison] | str:
    """Compare what two runs deliver on the test rows that both have.

    Args:
      first: of the one run.
      model: of it.
      other: of the other run; the statistic is negative if its model is better.
      other_model: of it.

    Returns:
      How many rows both have, the name of the test, and what it says; or why there is nothing to test.
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


def _compare_classes(a: pd.DataFrame, row: str, b: pd.DataFrame, other: str) -> tuple[int, str, Comparison] | str:
    if (a["truth"].astype(str) != b["truth"].astype(str)).any():
        return "the labels of the test images are not the same"
    right = [(table[name] == table["truth"]).to_numpy(bool) for table, name in ((b, other), (a, row))]
    return len(a), "McNemar's test", mcnemar(right[0], other_right=right[1])


def _compare_forecasts(a: pd.DataFrame, row: str, b: pd.DataFrame, other: str) -> tuple[int, str, Comparison] | str:
    steps = min(int(table.index.get_level_values("step").max()) for table in (a, b))
    losses = []
    for table, name in ((b, other), (a, row)):
        with np.errstate(over="ignore", invalid="ignore"):
            squared = ((table["truth"] - table[name]) ** 2).unstack("step").reindex(columns=range(1, steps + 1))
        losses.append(squared.dropna().mean(axis=1))
    rows = losses[0].index.intersection(losses[1].index, sort=False)
    values = [loss.loc[rows].to_numpy() for loss in losses]
    if len(rows) <= max(steps, 1) or not all(np.isfinite(value).all() for value in values):
        return f"{len(rows)} test rows in common are too few for a test, or a forecast diverged"
    test = "Diebold-Mariano" + (f" over steps 1 to {steps}" if steps > 1 else ", one step ahead")
    return len(rows), test, diebold_mariano(values[0], other_losses=values[1], horizon=steps)


def _row(rows: TestRows, model: str) -> str:
    return delivered_name(model, rows.seeds[model])
