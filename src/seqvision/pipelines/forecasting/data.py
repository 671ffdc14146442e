"""From a forecast configuration to a series and its windows."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from seqvision.data import ForecastSplit, Series, find_column, forecast_split, load_goog, read_series
from seqvision.pipelines.config import ForecastConfig


def load_series(config: ForecastConfig, csv: str | None = None, reading: Mapping[str, Any] | None = None) -> Series:
    """Read the target and the further columns, or the bundled series; as relative changes if the configuration says so.

    Args:
      config: what to read, and how.
      csv: another file than the configuration's.
      reading: keyword arguments of `seqvision.data.read_series` that count more than the configuration's: what a run
        has found out of its own file.

    Raises:
      ValueError: if the target cannot be told, or a change is undefined because a value is not positive; and as
        `seqvision.data.read_series`.

    >>> load_series(ForecastConfig(returns=True)).columns
    ('close',)
    """
    path = config.csv if csv is None else csv
    if path is None:
        series = _choose(load_goog(), config)
    else:
        wanted = [config.target, *config.columns] if config.columns and config.target is not None else []
        options = config.given() | dict(reading or {})
        series = read_series(path, config.target, columns=wanted or None, **options)
        if series.target is None:
            listed = ", ".join(series.columns)
            raise ValueError(f"{path} has several columns of numbers: say target=… which to predict, one of {listed}")
    return _relative_changes(series) if config.returns else series


def split_series(config: ForecastConfig, series: Series) -> ForecastSplit:
    """Scale by the training rows and cut into windows of training, validation and test.

    Args:
      config: length, horizon, train, validation and scaler are read.
      series: what `load_series` returned, or any other.

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
        scaler=config.scaler,
    )


def describe_data(split: ForecastSplit) -> dict[str, Any]:
    """Return what a later evaluation or prediction must know of the data, for data.json."""
    series = split.series
    dates = None if series.dates is None else [str(d)[:19] for d in (series.dates[0], series.dates[-1])]
    return {
        "name": series.name,
        "columns": series.columns,
        "target": series.target,
        "rows": len(series),
        "dates": dates,
        "sha256": fingerprint(series),
        "notes": series.notes,
        "train_rows": split.train_rows.stop,
        "validation_rows": split.validation_rows.stop - split.validation_rows.start,
        "test_rows": split.test_rows.stop - split.test_rows.start,
        "scaler": split.scaler,
    }


def fingerprint(series: Series) -> str:
    """Return a hash of the values and the names of the columns.

    >>> fingerprint(Series(np.ones(2), ("a",))) == fingerprint(Series(np.ones(2), ("b",)))
    False
    """
    digest = hashlib.sha256("\0".join(series.columns).encode())
    digest.update(np.ascontiguousarray(series.values, "<f8").tobytes())
    return digest.hexdigest()


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
    held = split.validation_rows.stop - split.validation_rows.start
    lines = [f"{series.name} {series.target}: {len(series)} rows{span}"]
    lines += [
        f"trained on {split.train_rows.stop} rows, "
        + (f"validated on {held}, " if held else "")
        + f"tested on the {split.test_rows.stop - start} from {first} on"
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in series.notes)])


def _choose(series: Series, config: ForecastConfig) -> Series:
    target = series.target if config.target is None else config.target
    assert target is not None
    names = [series.columns[find_column(series.columns, column, series.name)] for column in (target, *config.columns)]
    names = list(dict.fromkeys(names))
    values = np.stack([series.column(name) for name in names], axis=1)
    return replace(series, values=values, columns=tuple(names), target=names[0])


def _relative_changes(series: Series) -> Series:
    if (series.values <= 0).any():
        row = int(np.argmax((series.values <= 0).any(axis=1)))
        raise ValueError(f"returns=True needs positive values, but row {row} has {series.values[row, 0]}")
    changes = series.values[1:] / series.values[:-1] - 1.0
    dates = None if series.dates is None else series.dates[1:]
    notes = (*series.notes, "relative changes from row to row")
    return replace(series, values=changes, dates=dates, notes=notes)
