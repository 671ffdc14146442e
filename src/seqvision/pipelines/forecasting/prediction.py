"""The next values of a series from a finished run: in original units, with the spread over seeds."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from seqvision._checks import check_count
from seqvision.pipelines.config import ForecastConfig, config_from_dict
from seqvision.pipelines.forecasting.data import load_again, read_saved
from seqvision.pipelines.forecasting.judging import free_paths, seed_outputs
from seqvision.pipelines.named_models import build_forecaster
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ForecastPrediction
from seqvision.pipelines.seed_training import load_variables, stack_seeds
from seqvision.reporting import RunFolder, check_output, write_table
from seqvision.scorecards import format_number, last_value


def predict_forecast(
    path: str | Path,
    csv: str | None = None,
    *,
    steps: int | None = None,
    output: str | Path | None = None,
    reading: Reading | None = None,
) -> ForecastPrediction:
    """Forecast the rows after the end of a file with every model of a run.

    Args:
      path: the run folder; its scaler and its parameters are used as they are.
      csv: file with the columns of the run's, read as the run's own was; the default is that file.
      steps: rows to forecast; the default is the run's horizon. More than that are fed by the forecasts themselves,
        which needs a run whose target is its only column.
      output: where to write the table as CSV, or None.
      reading: what is to be read of the file in another way than in training.

    Raises:
      OSError: if output cannot be written, before anything is read.
      ValueError: if the file is shorter than a window or the columns are not those of the run.
    """
    if output is not None:
        check_output(output)
    folder = RunFolder.open(path)
    config = config_from_dict(ForecastConfig, folder.read_json("config.json"))
    saved = read_saved(folder)
    series = load_again(config, saved, csv, reading)
    if len(series) < config.length:
        raise ValueError(f"{series.name} has {len(series)} rows, but the models look at {config.length}")
    steps = config.horizon if steps is None else check_count("steps", steps)
    fed_back = steps > config.horizon
    if fed_back and len(series.columns) > 1:
        raise ValueError(
            f"steps={steps} is beyond the horizon of {config.horizon}, and a run with {len(series.columns)} columns "
            "cannot feed its forecasts back: train with a larger horizon"
        )
    scaler = saved["scaler"]
    at = (series.columns.index(saved["target"]),)
    models = {name: build_forecaster(name, config, at) for name in config.models}
    example = jax.ShapeDtypeStruct((1, config.length, len(series.columns)), jnp.float32)
    variables = load_variables(models, example, config.seeds, folder)
    window = jnp.asarray(scaler.transform(series.values[-config.length :]), jnp.float32)
    table: dict[str, Any] = {"step": np.arange(1, steps + 1)}
    for name, model in models.items():
        stacked = stack_seeds(variables[name])
        if fed_back:
            outputs = np.asarray(free_paths(model, stacked, window, steps))
        else:
            outputs = np.asarray(seed_outputs(model, stacked, window[None]))[:, 0, :steps]
        forecast = scaler.inverse(outputs, at)[..., 0]  # (S, steps)
        table[name] = forecast.mean(axis=0)
        if config.seeds > 1:
            table[f"{name} spread"] = forecast.std(axis=0, ddof=1)
    naive = "zero return" if config.returns else "last value"
    end = series.values[:, at[0]]
    table[naive] = np.zeros(steps) if config.returns else last_value(end, [len(end)], steps)[0]
    frame = pd.DataFrame(table)
    if output is not None:
        write_table(output, frame)
    after = f"row {len(series) - 1}" if series.dates is None else str(series.dates[-1])[:10]
    title = f"{series.name} {series.target}" + (", relative changes" if config.returns else "")
    text = _text(frame, title, after, config)
    return ForecastPrediction(frame, text, after, None if output is None else Path(output))


def _text(table: pd.DataFrame, name: str, after: str, config: ForecastConfig) -> str:
    unit = f", in {config.unit}" if config.unit else ""
    lines = [f"{name} after {after}{unit}" + ("; ± is the spread over seeds" if config.seeds > 1 else "")]
    naive = str(table.columns[-1])
    names = [*config.models, naive]
    lines += [f"{'step':>4}  " + "".join(f"{column:<20}" for column in names).rstrip()]
    for _, row in table.iterrows():
        cells = []
        for column in names:
            spread = (
                f" ± {format_number(row[f'{column} spread'], like=row[column])}" if f"{column} spread" in row else ""
            )
            cells.append(f"{format_number(row[column])}{spread}")
        lines.append(f"{int(row['step']):>4}  " + "".join(f"{cell:<20}" for cell in cells).rstrip())
    return "\n".join(lines)
