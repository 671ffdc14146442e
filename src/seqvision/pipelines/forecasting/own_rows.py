"""The rows that a run was made from, kept in its folder: judged again, and what a new file is held against."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seqvision._phases import phase
from seqvision.data import Series
from seqvision.reporting import RunFolder
from seqvision.storage import load_weights, record_files, save_weights

ROWS = "series.safetensors"


def save_series(folder: RunFolder, series: Series) -> None:
    """Write the rows of a run into its folder."""
    leaves = {"values": series.values}
    if series.dates is not None:
        leaves["dates_" + np.datetime_data(series.dates.dtype)[0]] = series.dates.view(np.int64)
    save_weights(folder.path / ROWS, leaves)
    record_files(folder.path, [ROWS])


@phase("reading", ROWS)
def own_series(saved: Mapping[str, Any]) -> Series:
    """Return the rows of a run as they were.

    Args:
      saved: what `read_saved` returned.

    Raises:
      FileNotFoundError: if the folder does not have them.
      ValueError: if they are not those that data.json speaks of.
    """
    path = Path(saved["folder"]) / ROWS
    leaves = load_weights(path)
    dates = next((leaves[name].view(f"M8[{name[6:]}]") for name in ("dates_ns", "dates_s") if name in leaves), None)
    try:
        series = Series(
            leaves["values"],
            tuple(saved["columns"]),
            dates=dates,
            target=saved["target"],
            name=str(saved["name"]),
            notes=tuple(map(str, saved["notes"])),
            reading=saved["reading"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not hold the rows of the run ({error!r}): restore it from a copy") from error
    if fingerprint(series) != saved["sha256"]:
        raise ValueError(f"{path} does not hold the rows that data.json speaks of: restore both from a copy")
    return series


def fingerprint(series: Series) -> str:
    """Return a hash of the values, the names of the columns and the dates.

    >>> fingerprint(Series(np.ones(2), ("a",))) == fingerprint(Series(np.ones(2), ("b",)))
    False
    """
    digest = hashlib.sha256("\0".join(series.columns).encode())
    digest.update(np.ascontiguousarray(series.values, "<f8").tobytes())
    if series.dates is not None:
        digest.update(series.dates.astype("datetime64[s]").astype("<i8").tobytes())
    return digest.hexdigest()
