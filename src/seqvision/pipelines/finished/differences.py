"""In what settings, data and versions runs differ: only that."""

from collections.abc import Mapping, Sequence
from typing import Any

from seqvision.reporting import RunFolder

_PLACES = {"out", "name"}  # settings that say where a run is written
_DATA = ("name", "columns", "target", "rows", "dates", "sha256", "train_rows", "validation_rows", "test_rows", "scaler")

Differences = dict[str, list[Any]]  # what -> its value in each run, None where a run does not have it


def settings_of(folder: RunFolder) -> dict[str, Any]:
    """Return the settings of a run by name, without where it was written."""
    config = folder.read_json("config.json")
    flat = flatten(config) if isinstance(config, Mapping) else {"config": config}
    return {name: value for name, value in flat.items() if name not in _PLACES}


def data_of(folder: RunFolder) -> dict[str, Any]:
    """Return what a run says of its data: of a series its columns and rows, of images classes and parts."""
    if (folder.path / "data.json").exists():
        saved = folder.read_json("data.json")
        return flatten({name: saved.get(name) for name in _DATA})
    if (folder.path / "images.json").exists():
        kept = folder.read_json("images.json")
        files = kept.get("files", {})
        counts: dict[str, int] = {}
        for _, place in files.values():
            counts[f"{place} files"] = counts.get(f"{place} files", 0) + 1
        return {"classes": kept["classes"], **counts, **flatten(kept.get("parts", {}))}
    return {}


def environment_of(folder: RunFolder) -> dict[str, Any]:
    """Return versions, devices and settings of the process that a run was in."""
    kept = folder.read_json("environment.json")
    return flatten({name: value for name, value in kept.items() if name != "command"})


def differing(values: Sequence[Mapping[str, Any]]) -> Differences:
    """Return the entries that are not the same in all mappings.

    >>> differing([{"hidden": 8, "epochs": 5}, {"hidden": 16, "epochs": 5}])
    {'hidden': [8, 16]}
    """
    names = dict.fromkeys(name for one in values for name in one)
    found = {name: [one.get(name) for one in values] for name in names}
    return {name: each for name, each in found.items() if any(value != each[0] for value in each[1:])}


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings with dots between the names.

    >>> flatten({"packages": {"jax": "0.10.1"}})
    {'packages.jax': '0.10.1'}
    """
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat
