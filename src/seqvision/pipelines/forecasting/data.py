"""From a forecast configuration to a series and its windows."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from seqvision._phases import phase
from seqvision.data import (
    ForecastSplit,
    Scaler,
    Series,
    find_column,
    forecast_split,
    infer_calendar,
    load_goog,
    read_series,
)
from seqvision.pipelines.config import ForecastConfig
from seqvision.pipelines.forecasting.own_rows import fingerprint, own_series
from seqvision.pipelines.reading import READING, Reading
from seqvision.reporting import RunFolder

IN_UTC = "times with an offset turned to UTC"  # a note of the reader

_ORDERS = {"date", "date_format", "dayfirst", "yearfirst"}  # to say one anew takes the others back
_FEW = 10  # rows that say too little of their usual step


def load_series(
    config: ForecastConfig,
    csv: str | None = None,
    reading: Mapping[str, Any] | None = None,
    *,
    series: Series | None = None,
) -> Series:
    """Read the target and the further columns, or the bundled series; as relative changes if the configuration says so.

    Args:
      config: what to read, and how.
      csv: another file than the configuration's.
      reading: keyword arguments of `seqvision.data.read_series` that count more than the configuration's: what a run
        has found out of its own file.
      series: rows in memory, in place of a file.

    Raises:
      ValueError: if the target cannot be told, or a change is undefined because a value is not positive; and as
        `seqvision.data.read_series`.

    >>> load_series(ForecastConfig(returns=True)).columns
    ('close',)
    """
    path = config.csv if csv is None else csv
    if series is not None:
        series = _choose(series, config)
    elif path is None:
        with phase("reading", "GOOG"):
            series = _choose(load_goog(), config)
    else:
        wanted = [config.target, *config.columns] if config.columns and config.target is not None else []
        options = config.given() | dict(reading or {})
        with phase("reading", Path(path).name):
            series = read_series(path, config.target, columns=wanted or None, **options)
        if series.target is None:
            listed = ", ".join(map(repr, series.columns))
            raise ValueError(f"{path} has several columns of numbers: say target=… which to predict, one of {listed}")
    return _relative_changes(series) if config.returns else series


def load_again(
    config: ForecastConfig,
    saved: Mapping[str, Any],
    csv: str | None = None,
    reading: Reading | None = None,
    series: Series | None = None,
) -> Series:
    """Read a file as the file of a finished run was read.

    Args:
      config: of the run.
      saved: what `read_saved` returned.
      csv: another file than the configuration's.
      reading: what is to be read in another way.
      series: rows in memory, in place of a file.

    Raises:
      ValueError: if the columns are not those of the run, or the rows are much nearer or further in time; and as
        `load_series`.
    """
    given = {} if reading is None else reading.given()
    kept = {name: value for name, value in saved["reading"].items() if not (name in _ORDERS and _ORDERS & given.keys())}
    try:
        if csv is None and series is None and saved.get("source") == "memory":
            return own_series(saved)
        series = load_series(config, csv, kept | given, series=series)
    except FileNotFoundError as error:
        if csv is not None:
            raise
        raise FileNotFoundError(f"{error}, which the run was trained on: say csv=… where it is now") from error
    if tuple(saved["columns"]) != series.columns:
        raise ValueError(f"the run was trained on columns {saved['columns']}, the file gives {list(series.columns)}")
    usual, now = saved["step_seconds"], _usual_seconds(series)
    if usual is not None and now is not None and len(series) >= _FEW and not usual / 2 < now < usual * 2:
        raise ValueError(
            f"the rows of {series.name} are {_span(now)} apart, those that the run was trained on {_span(usual)}: "
            "give a file with the same steps of time, or train on this one"
        )
    return series


def read_saved(folder: RunFolder) -> dict[str, Any]:
    """Read what `describe_data` returned of the data of a run, with the `Scaler` and the reading ready for use.

    Raises:
      ValueError: if data.json does not have it.
    """
    saved = folder.read_json("data.json")
    try:
        columns, scaler = saved["columns"], saved["scaler"]
        shift, scale = (tuple(map(float, scaler[name])) for name in ("shift", "scale"))
        usual = saved["step_seconds"]
        well = (
            all(isinstance(column, str) for column in columns)
            and saved["target"] in columns
            and len(shift) == len(scale) == len(columns)
            and np.isfinite([*shift, *scale]).all()
            and min(scale) > 0
            and scaler["kind"] in ("standard", "minmax", "none")
            and (usual is None or (np.isfinite(float(usual)) and usual > 0))
            and np.isfinite(np.array(saved["train_range"], float).reshape(len(columns), 2)).all()
            and isinstance(saved["sha256"], str)
            and isinstance(saved["rows"], int)
        )
        given = Reading(**saved["reading"]).given()
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{folder.path / 'data.json'} does not describe the data of a run ({error!r})") from error
    if not well:
        raise ValueError(f"{folder.path / 'data.json'} does not describe the data of a run")
    return {**saved, "scaler": Scaler(scaler["kind"], shift, scale), "reading": given, "folder": folder.path}


def far_outside(window: np.ndarray, saved: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the columns whose last rows lie far from all that the models were trained on, with both ranges.

    Far is beyond the range of the training rows by more than its width, or below a tenth of the least size there.

    Args:
      window: (L, D) rows that the models see.
      saved: what `read_saved` returned.

    >>> far_outside(np.array([[5.0], [9.0]]), {"columns": ["a"], "train_range": [[0.0, 4.0]]})[0][:45]
    "the 2 rows of 'a' that the models see lie bet"
    >>> far_outside(np.array([[5.0], [8.0]]), {"columns": ["a"], "train_range": [[0.0, 4.0]]})
    ()
    """
    notes = []
    for name, (low, high), column in zip(saved["columns"], saved["train_range"], window.T, strict=True):
        beyond = max(low - column.min(), column.max() - high) > high - low
        if beyond or (low * high > 0 and abs(column).max() < min(abs(low), abs(high)) / 10):
            notes.append(
                f"the {len(column)} rows of {name!r} that the models see lie between {column.min():.6g} and "
                f"{column.max():.6g}, far outside the {low:.6g} to {high:.6g} of the training rows: the test errors "
                "shown do not hold there (is it the same column, in the same unit?)"
            )
    return tuple(notes)


def split_series(config: ForecastConfig, series: Series, scaler: Scaler | None = None) -> ForecastSplit:
    """Scale by the training rows and cut into windows of training, validation and test.

    Args:
      config: length, horizon, train, validation, scaler and whether validation rows stop training are read.
      series: what `load_series` returned, or any other.
      scaler: that of a finished run; by default one is fitted.

    Raises:
      ValueError: if a part is too short for a window.

    >>> split = split_series(ForecastConfig(length=5), Series(np.arange(100.0)[:, None], ("ramp",)))
    >>> len(split.train), split.test_rows
    (66, slice(80, 100, None))
    """
    return forecast_split(
        series,
        config.length,
        config.horizon,
        train=config.train,
        validation=config.validation,
        stopping=config.stops_on_validation,
        scaler=config.scaler if scaler is None else scaler,
    )


def describe_data(split: ForecastSplit, source: Literal["file", "memory"] = "file") -> dict[str, Any]:
    """Return what a later evaluation or prediction must know of the data, for data.json."""
    series = split.series
    dates = None if series.dates is None else [str(d)[:19] for d in (series.dates[0], series.dates[-1])]
    return {
        "name": series.name,
        "source": source,
        "columns": series.columns,
        "target": series.target,
        "rows": len(series),
        "dates": dates,
        "sha256": fingerprint(series),
        "notes": series.notes,
        "reading": {name: value for name, value in series.reading.items() if name in READING and value is not None},
        "step_seconds": _usual_seconds(series),
        "calendar": _calendar(series),
        "train_rows": split.train_rows.stop,
        "train_range": [[float(f(column)) for f in (np.min, np.max)] for column in series.values[split.train_rows].T],
        "validation_rows": split.validation_rows.stop - split.validation_rows.start,
        "test_rows": split.test_rows.stop - split.test_rows.start,
        "scaler": split.scaler,
    }


def describe_split(split: ForecastSplit) -> str:
    """Return one or two lines on what is trained and tested on.

    >>> config = ForecastConfig()
    >>> print(describe_split(split_series(config, load_series(config))))
    GOOG close: 1047 rows, 2004-08-19 to 2008-10-14
    trained on 735 rows, validated on 103, tested on the 209 from 2007-12-17 on
    """
    series = split.series
    span = "" if series.dates is None else f", {str(series.dates[0])[:10]} to {str(series.dates[-1])[:10]}"
    start = split.test_rows.start
    first = f"row {start}" if series.dates is None else str(series.dates[start])[:10]
    held, apart = (rows.stop - rows.start for rows in (split.validation_rows, split.calibration_rows))
    lines = [f"{series.name} {series.target}: {len(series)} rows{span}"]
    lines += [
        f"trained on {split.train_rows.stop} rows, "
        + (f"validated on {held}, " if held else "")
        + (f"intervals from {apart} more, " if split.calibration_rows != split.validation_rows else "")
        + f"tested on the {split.test_rows.stop - start} from {first} on"
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in series.notes)])


def _choose(series: Series, config: ForecastConfig) -> Series:
    target = series.target if config.target is None else config.target
    if target is None:
        if len(series.columns) > 1:
            raise ValueError(f"say target=… which column to predict, one of {', '.join(series.columns)}")
        target = 0
    names = [series.columns[find_column(series.columns, column, series.name)] for column in (target, *config.columns)]
    names = list(dict.fromkeys(names))
    values = np.stack([series.column(name) for name in names], axis=1)
    return replace(series, values=values, columns=tuple(names), target=names[0])


def _calendar(series: Series) -> dict[str, Any] | None:
    """Return which dates follow those of the rows, as `Calendar.to_dict` has it."""
    found = infer_calendar(series.dates, utc=IN_UTC in series.notes, exchanges=False)
    return None if found is None else found.to_dict()


def _usual_seconds(series: Series) -> float | None:
    """Return the median step of time."""
    if series.dates is None or len(series) < 2:
        return None
    return float(np.median(np.diff(series.dates) / np.timedelta64(1, "s")))


def _span(seconds: float) -> str:
    number, unit = (seconds / 86_400, "day") if seconds >= 86_400 else (seconds, "second")
    return f"{number:g} {unit}" + ("" if number == 1 else "s")


def _relative_changes(series: Series) -> Series:
    if (series.values <= 0).any():
        row = int(np.argmax((series.values <= 0).any(axis=1)))
        raise ValueError(f"returns=True needs positive values, but row {row} has {series.values[row, 0]}")
    changes = series.values[1:] / series.values[:-1] - 1.0
    dates = None if series.dates is None else series.dates[1:]
    notes = (*series.notes, "relative changes from row to row")
    return replace(series, values=changes, dates=dates, notes=notes)
