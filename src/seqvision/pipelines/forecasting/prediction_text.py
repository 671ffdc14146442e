"""A prediction as text: a block a forecaster, what the test says of it above its numbers."""

import numpy as np
import pandas as pd

from seqvision.pipelines.forecasting.judged import Judged
from seqvision.scorecards import LEVELS, format_number, level_name, wrapped

NAIVE = "naive forecast"  # the verdict of what the others are judged against


def prediction_text(table: pd.DataFrame, head: str, judged: Judged, seeds: int, notes: tuple[str, ...]) -> str:
    """Return a block for each model and one for the naive forecast, the verdict in the heading and beside each step.

    Args:
      table: as `ForecastPrediction` has it.
      head: the first line.
      judged: what the run's card says.
      seeds: how many each model was trained from.
      notes: what else to say, a sentence each.
    """
    lines = [head]
    naive = table[table["model"] == judged.reference]
    for row, part in table.groupby("model", sort=False):
        name = str(row)
        verdict = judged.verdicts.get(name, f"{name}: the naive forecast that the others are judged against")
        inside = judged.inside(name)
        lines += ["", *wrapped("; ".join(filter(None, (verdict, inside))), 0)]
        lines += _aligned(_columns(part, naive if name != judged.reference else None))
    unlike = "Forecasts are the mean of the seeds ± their spread. " if seeds > 1 else ""
    about = f"{unlike}Skill is 1 - RMSE / RMSE of the {judged.reference} at that step in the test."
    return "\n".join(
        [*lines, "", *wrapped(about, 0), *(line for note in notes for line in wrapped(f"note: {note}", 0))]
    )


def _columns(part: pd.DataFrame, naive: pd.DataFrame | None) -> dict[str, list[str]]:
    spread = part["seed_spread"].to_numpy()
    forecasts = part["forecast"].to_numpy()
    columns = {"step": [str(step) for step in part["step"]]}
    if part["date"].notna().any():
        columns["date"] = [str(date) for date in part["date"]]
    columns["forecast"] = [
        format_number(value) + ("" if np.isnan(around) else f" ± {format_number(around, like=value)}")
        for value, around in zip(forecasts, spread, strict=True)
    ]
    for level in map(level_name, LEVELS):
        ends = zip(part[f"lower_{level}"], part[f"upper_{level}"], strict=True)
        columns[f"{level} % interval"] = [
            "–"
            if np.isnan(low)
            else " to ".join(format_number(end, like=max(abs(low), abs(high))) for end in (low, high))
            for low, high in ends
        ]
    if naive is not None:
        columns[str(naive["model"].iloc[0])] = [format_number(value) for value in naive["forecast"]]
        told = zip(part["verdict"], part["skill"], strict=True)
        columns["test"] = [verdict + ("" if np.isnan(skill) else f" ({100 * skill:+.1f} %)") for verdict, skill in told]
    return columns


def _aligned(columns: dict[str, list[str]]) -> list[str]:
    widths = {name: max(len(name), *map(len, cells)) for name, cells in columns.items()}
    rows = [tuple(columns), *zip(*columns.values(), strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths.values(), strict=True)] for row in rows)
    return ["  ".join(cells).rstrip() for cells in padded]
