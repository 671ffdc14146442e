"""The next values of a series from a finished run: in original units, with what its test says of them."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from seqvision._checks import check_count, counted
from seqvision.data import Scaler, Series, dates_after
from seqvision.pipelines.config import ForecastConfig, config_from_dict
from seqvision.pipelines.forecasting.baselines import restore_baseline
from seqvision.pipelines.forecasting.data import far_outside, load_again, read_saved
from seqvision.pipelines.forecasting.judging import free_paths, seed_outputs
from seqvision.pipelines.named_models import build_forecaster
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ForecastPrediction
from seqvision.pipelines.seed_training import load_variables, stack_seeds
from seqvision.reporting import RunFolder, check_output, write_table
from seqvision.scorecards import Baseline, delivered_name, format_number, wrapped


def predict_forecast(
    path: str | Path,
    csv: str | None = None,
    *,
    steps: int | None = None,
    output: str | Path | None = None,
    reading: Reading | None = None,
) -> ForecastPrediction:
    """Forecast the rows after the end of a file with every model of a run, and say what its score card says of that.

    Of a model trained from several seeds this is the mean of the seeds' forecasts, a row of the score card. Where the
    dates of the file lie at equal steps of time, each forecast has the date of the step that it is for.

    Args:
      path: the run folder; its scaler and its parameters are used as they are.
      csv: file with the columns of the run's, read as the run's own was; the default is that file.
      steps: rows to forecast; the default is the run's horizon. More than that are fed by the forecasts themselves,
        which needs a run whose target is its only column.
      output: where to write the table as CSV, or None.
      reading: what is to be read of the file in another way than in training.

    Raises:
      OSError: if output cannot be written, before anything is read.
      ValueError: if the file is shorter than a window, the columns are not those of the run, or that was not judged
        or is on images.
    """
    if output is not None:
        check_output(output)
    folder = RunFolder.open(path)
    configuration = folder.read_json("config.json")
    if isinstance(configuration, dict) and "data" in configuration:
        raise ValueError(f"{path} is a run on images: only runs on a series forecast what follows")
    config = config_from_dict(ForecastConfig, configuration)
    saved = read_saved(folder)
    series = load_again(config, saved, csv, reading)
    if len(series) < config.length:
        raise ValueError(f"{series.name} has {counted(len(series), 'row')}, but the models look at {config.length}")
    steps = config.horizon if steps is None else check_count("steps", steps)
    fed_back = steps > config.horizon
    if fed_back and len(series.columns) > 1:
        raise ValueError(
            f"steps={steps} is beyond the horizon of {config.horizon}, and a run with {len(series.columns)} columns "
            "cannot feed its forecasts back: train with a larger horizon"
        )
    at = series.columns.index(saved["target"])
    judged = _Judged.read(folder, config, series, fed_back, steps)
    forecasts = _forecasts(folder, config, series, saved["scaler"], at, steps if fed_back else None)
    table: dict[str, Any] = {"step": np.arange(1, steps + 1)}
    ahead = dates_after(series.dates, steps)
    if ahead is not None:
        table["date"] = np.datetime_as_string(ahead, unit="auto")
    for name in config.models:
        forecast = forecasts[name][:, :steps]
        row = delivered_name(name, config.seeds)
        table[row] = forecast.mean(axis=0)
        if config.seeds > 1:
            table[f"{name} spread over seeds"] = forecast.std(axis=0, ddof=1)
        table[f"{name} test RMSE"] = judged.errors(row)
        table[f"{name} verdict"] = judged.outcomes(row)
    end, naive = series.values[:, at], judged.reference
    table[naive] = judged.baseline(end, np.array([len(end)]), steps)[0]
    table[f"{naive} test RMSE"] = judged.errors(naive)
    notes = far_outside(series.values[-config.length :], saved)
    if notes:
        table["note"] = "; ".join(notes)
    frame = pd.DataFrame(table)
    if output is not None:
        write_table(output, frame)
    after = (
        f"row {len(series) - 1}" if series.dates is None else str(np.datetime_as_string(series.dates[-1], unit="auto"))
    )
    title = f"{series.name} {series.target}" + (", relative changes" if config.returns else "")
    text = _text(frame, f"{title} after {after}", config, judged, fed_back)
    text = "\n".join([text, *(line for note in notes for line in textwrap.wrap(f"note: {note}", 110))])
    verdicts = tuple(judged.verdicts[delivered_name(name, config.seeds)] for name in config.models)
    return ForecastPrediction(frame, text, after, verdicts, None if output is None else Path(output), notes)


def _forecasts(
    folder: RunFolder, config: ForecastConfig, series: Series, scaler: Scaler, target: int, fed_back: int | None
) -> dict[str, np.ndarray]:
    """Return the forecasts of every model's seeds (S, steps): of the horizon, or for so many steps if fed back."""
    models = {name: build_forecaster(name, config, (target,)) for name in config.models}
    example = jax.ShapeDtypeStruct((1, config.length, len(series.columns)), jnp.float32)
    variables = load_variables(models, example, config.seeds, folder)
    window = jnp.asarray(scaler.transform(series.values[-config.length :]), jnp.float32)[None]
    found = {}
    for name, model in models.items():
        stacked = stack_seeds(variables[name])
        if fed_back is None:
            outputs = seed_outputs(model, stacked, window)  # (S, 1, horizon, 1)
        else:
            outputs = free_paths(model, stacked, window, fed_back)
        found[name] = scaler.inverse(np.asarray(outputs)[:, 0], (target,))[..., 0]
    return found


@dataclass(frozen=True)
class _Judged:
    """What the score card of a run says of forecasts of so many steps."""

    steps: int
    rmse: dict[str, dict[str, float | None]]  # row of the card -> step -> RMSE
    marks: dict[str, dict[str, str | None]]  # row of the card -> step -> outcome
    verdicts: dict[str, str]  # row of the card -> sentence
    reference: str
    baseline: Baseline

    @classmethod
    def read(cls, folder: RunFolder, config: ForecastConfig, series: Series, fed_back: bool, steps: int) -> "_Judged":
        """Read summary.json.

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
            wanted = {delivered_name(name, config.seeds) for name in config.models}
            judged = cls(steps, table["rmse"], table["outcomes"], verdicts, reference, baseline)
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


def _text(table: pd.DataFrame, head: str, config: ForecastConfig, judged: _Judged, fed_back: bool) -> str:
    several, naive = config.seeds > 1, judged.reference
    unit = f", in {config.unit}" if config.unit else ""
    lines = [f"{head}{unit}" + ("; every step is fed by the forecasts before it" if fed_back else "")]
    rows = {name: delivered_name(name, config.seeds) for name in config.models} | {naive: naive}
    marks = {"skill": "+", "unclear": "?"}
    columns = {name: [str(value) for value in table[name]] for name in ("step", "date") if name in table}
    for name, row in rows.items():
        spread = table.get(f"{name} spread over seeds")
        outcomes = table.get(f"{name} verdict")
        cells = []
        for n, value in enumerate(table[row]):
            around = "" if spread is None else f" ± {format_number(spread[n], like=value)}"
            missed = table[f"{name} test RMSE"][n]
            error = format_number(missed, like=max(abs(value), missed))
            cells.append(
                f"{format_number(value)}{around} [{error}]" + ("" if outcomes is None else marks.get(outcomes[n], ""))
            )
        columns[name] = cells
    widths = {name: max(len(name), *map(len, cells)) for name, cells in columns.items()}
    lines.append("  ".join(name.ljust(widths[name]) for name in columns).rstrip())
    for line in zip(*columns.values(), strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths.values(), strict=True)).rstrip())
    mean = f"Forecasts are the mean of {counted(config.seeds, 'seed')} ± the spread over seeds; in" if several else "In"
    untested = " (–: it was not tested)" if any("[–]" in line for line in lines) else ""
    note = f"{mean} brackets the RMSE of that step in the test{untested}. "
    note += f"+ skill over the {naive} there, ? unclear, without a mark none."
    told = [judged.verdicts[row] for name, row in rows.items() if name != naive]
    lines += [*textwrap.wrap(note, 110), "", "What the test says of such forecasts"]
    return "\n".join([*lines, *(line for text in told for line in wrapped(text))])
