"""The next values of a series from a finished run: in original units, with what its test says of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from seqvision._checks import check_count, counted
from seqvision._compilation import kept_on_disk
from seqvision._phases import phase, phases
from seqvision.data import Calendar, Scaler, Series, infer_calendar
from seqvision.pipelines.config import ForecastConfig, config_from_dict, is_of_images
from seqvision.pipelines.forecasting.data import IN_UTC, far_outside, load_again, read_saved
from seqvision.pipelines.forecasting.forecaster import Forecaster
from seqvision.pipelines.forecasting.judged import Judged
from seqvision.pipelines.forecasting.prediction_text import NAIVE, prediction_text
from seqvision.pipelines.named_models import build_forecaster
from seqvision.pipelines.reading import Reading
from seqvision.pipelines.results import ForecastPrediction
from seqvision.pipelines.saved_variables import load_variables
from seqvision.reporting import PICTURES, RunFolder, check_output, write_table
from seqvision.scorecards import delivered_name, level_name

_SHOWN = 60  # rows before the prediction that are drawn, at least


@kept_on_disk()
@phases()
def predict_forecast(
    path: str | Path,
    csv: str | None = None,
    *,
    steps: int | None = None,
    output: str | Path | None = None,
    plot: str | Path | None = None,
    calendar: str | None = None,
    timezone: str | None = None,
    reading: Reading | None = None,
    series: Series | None = None,
) -> ForecastPrediction:
    """Forecast the rows after the end of a file with every model of a run, and say what its score card says of that.

    Of a model trained from several seeds this is the mean of the seeds' forecasts, a row of the score card, and so is
    the naive forecast beside it. Intervals are those that the card judged: half widths by step, from rows that trained
    nothing. The dates ahead are those of the calendar that the file's own dates show; see `infer_calendar`.

    Args:
      path: the run folder; its scaler and its parameters are used as they are.
      csv: file with the columns of the run's, read as the run's own was; the default is that file.
      steps: rows to forecast; the default is the run's horizon. More than that are fed by the forecasts themselves,
        which needs a run whose target is its only column.
      output: where to write the prediction, by its ending: .csv, a row a date and model, or .json; None for nowhere.
      plot: where to draw it, by its ending: .png, .svg or .pdf; None for nowhere.
      calendar: what the dates do not decide: "daily", "business" (Monday to Friday) or the code of an exchange.
      timezone: by whose clock the rows come, such as "Europe/Paris".
      reading: what is to be read of the file in another way than in training.
      series: rows in memory, in place of a file.

    Raises:
      OSError: if output or plot cannot be written, before anything is read.
      ValueError: if calendar or timezone contradict the dates, the file is shorter than a window, the columns are not
        those of the run, or that was not judged or is on images.
    """
    check_output(output)
    check_output(plot, PICTURES, name="plot")
    folder = RunFolder.open(path)
    configuration = folder.read_json("config.json")
    if is_of_images(configuration):
        raise ValueError(f"{path} is a run on images: only runs on a series forecast what follows")
    config = config_from_dict(ForecastConfig, configuration)
    saved = read_saved(folder)
    series = load_again(config, saved, csv, reading, series)
    if len(series) < config.length:
        raise ValueError(f"{series.name} has {counted(len(series), 'row')}, but the models look at {config.length}")
    steps = _check_steps(steps, config, saved, series)
    fed_back = steps > config.horizon
    found, ahead = _dates_ahead(series, steps, calendar, timezone)
    at = series.columns.index(saved["target"])
    judged = Judged.read(folder, config, series, fed_back, steps)
    forecasts = _forecasts(folder, config, series, saved["scaler"], at, steps if fed_back else None)
    rows = {delivered_name(name, config.seeds): f[:, :steps] for name, f in forecasts.items()}
    rows[judged.reference] = judged.baseline(series.values[:, at], np.array([len(series)]), steps)
    frame = _table(rows, judged, len(series), None if ahead is None else np.datetime_as_string(ahead, unit="auto"))
    far = far_outside(series.values[-config.length :], saved)
    if far:
        frame["note"] = "; ".join(far)
    after = (
        f"row {len(series) - 1}" if series.dates is None else str(np.datetime_as_string(series.dates[-1], unit="auto"))
    )
    title = f"{series.name} {series.target}" + (", relative changes" if config.returns else "")
    head = f"{title} after {after}" + (f", in {config.unit}" if config.unit else "")
    head += "; every step is fed by the forecasts before it" if fed_back else ""
    notes = (*far, *_said_of_dates(series, found), *judged.notes())
    text = prediction_text(frame, head, judged, config.seeds, notes)
    verdicts = tuple(judged.verdicts[row] for row in rows if row != judged.reference)
    kept = None if found is None else found.to_dict()
    written, drawn = (None if file is None else Path(file) for file in (output, plot))
    prediction = ForecastPrediction(frame, text, after, verdicts, written, drawn, kept, notes)
    if output is not None:
        write_table(output, frame, prediction.to_dict())
    if plot is not None:
        from seqvision.reporting import plot_prediction, save_figure

        headings = {row: judged.heading(row) for row in rows if row != judged.reference}
        tail = max(_SHOWN, 2 * steps)
        dates = None if series.dates is None else series.dates[-tail:]
        with phase("drawing"):
            figure = plot_prediction(
                frame,
                series.values[-tail:, at],
                naive=judged.reference,
                dates=dates,
                ahead=ahead,
                headings=headings,
                name=series.target or "value",
                unit=config.unit,
                title=head,
            )
            save_figure(figure, plot)
    return prediction


def _check_steps(steps: int | None, config: ForecastConfig, saved: Mapping[str, Any], series: Series) -> int:
    """Return how many rows are forecast, the horizon if it is not said; refuse what the run cannot forecast."""
    if config.horizon >= saved["rows"]:
        raise ValueError(
            f"{saved['folder']} has horizon {config.horizon}, but was made from {saved['rows']} rows: train again"
        )
    steps = config.horizon if steps is None else check_count("steps", steps, below=1_000_000)
    if steps > config.horizon and len(series.columns) > 1:
        raise ValueError(
            f"steps={steps} is beyond the horizon of {config.horizon}, and a run with {len(series.columns)} columns "
            "cannot feed its forecasts back: train with a larger horizon"
        )
    return steps


@phase("reading", "calendar")
def _dates_ahead(
    series: Series, steps: int, calendar: str | None, timezone: str | None
) -> tuple[Calendar | None, np.ndarray | None]:
    """Return the calendar of the rows and the next dates (steps,), where there are any."""
    found = infer_calendar(series.dates, calendar=calendar, timezone=timezone, utc=IN_UTC in series.notes)
    if series.dates is None or found is None:
        return found, None
    return found, found.after(series.dates[-1], steps)


def _said_of_dates(series: Series, found: Calendar | None) -> tuple[str, ...]:
    """Return what is to be said of the dates ahead."""
    if found is not None:
        zone = f", by the clock of {found.timezone}" if found.timezone else ""
        zone += ", in UTC" if IN_UTC in series.notes else ""
        return (f"dates go on by {found.step}{zone}", *found.notes)
    return () if series.dates is None else ("no dates ahead: the rows of the file come at no usual step",)


def _table(rows: dict[str, np.ndarray], judged: Judged, first: int, dates: np.ndarray | None) -> pd.DataFrame:
    """Return a row for each step and forecaster, the naive forecast last of each step.

    Args:
      rows: row of the card -> forecasts of its seeds (S, steps).
      judged: what the card says of them.
      first: number of the first row ahead.
      dates: (steps,) as text, or None.
    """
    parts = []
    naive = judged.errors(judged.reference)
    for row, seeds in rows.items():
        several = len(seeds) > 1
        with np.errstate(over="ignore", invalid="ignore"):
            forecast = seeds.mean(axis=0)
            spread = seeds.std(axis=0, ddof=1) if several else np.full(judged.steps, np.nan)
        part: dict[str, Any] = {"date": dates, "row": np.arange(first, first + judged.steps)}
        part |= {"step": np.arange(1, judged.steps + 1), "model": row, "forecast": forecast}
        for level, (lower, upper) in judged.ends(row, forecast).items():
            part |= {f"lower_{level_name(level)}": lower, f"upper_{level_name(level)}": upper}
        errors = judged.errors(row)
        with np.errstate(divide="ignore", invalid="ignore"):
            skill = np.where(naive > 0, 1.0 - errors / naive, np.nan)
        is_naive = row == judged.reference
        part |= {"seed_spread": spread, "test_rmse": errors, "skill": np.nan if is_naive else skill}
        part["verdict"] = NAIVE if is_naive else judged.outcomes(row)
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True).sort_values("step", kind="stable", ignore_index=True)


def _forecasts(
    folder: RunFolder, config: ForecastConfig, series: Series, scaler: Scaler, target: int, fed_back: int | None
) -> dict[str, np.ndarray]:
    """Return the forecasts of every model's seeds (S, steps): of the horizon, or for so many steps if fed back."""
    models = {name: build_forecaster(name, config, (target,)) for name in config.models}
    example = jax.ShapeDtypeStruct((1, config.length, len(series.columns)), "float32")
    variables = load_variables(models, example, config.seeds, folder)
    window = scaler.transform(series.values[-config.length :])[None]
    found = {}
    with phase("forecasting"):
        for name, model in models.items():
            forecaster = Forecaster(model, variables[name], config.horizon, targets=1)
            outputs = forecaster.forecast(window) if fed_back is None else forecaster.run_freely(window, fed_back)
            found[name] = scaler.inverse(outputs[:, 0], (target,))[..., 0]
    return found
