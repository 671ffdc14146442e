"""Where a run comes from: its data, configuration, environment, and how to repeat it."""

import shlex
from collections.abc import Mapping
from typing import Any

from seqvision.reporting.html.blocks import Block, Cell, Facts, Folded, Row, Section, Table, Text
from seqvision.reporting.html.run_files import RunFiles

_DATA = {
    "name": "name",
    "source": "read from",
    "target": "what is forecast",
    "columns": "columns that the models see",
    "rows": "rows",
    "dates": "first and last date",
    "train_rows": "rows to train on",
    "validation_rows": "rows to validate on",
    "test_rows": "rows to test on",
    "classes": "classes",
    "scaler": "scaling",
    "sha256": "SHA-256 of the values",
}
_PARENT = {
    "name": "refitted from",
    "path": "which was at",
    "manifest": "SHA-256 of its manifest.json",
    "from_weights": "began with its weights",
}


def data_section(run: RunFiles) -> Section | None:
    """Return what the data are, and what was noted while they were read."""
    items: list[tuple[str, str]] = []
    data = run.data or ({"classes": run.images["classes"]} if "classes" in run.images else {})
    for key, term in _DATA.items():
        if data.get(key) is not None:
            items.append((term, said(data[key])))
    if isinstance(data.get("step_seconds"), int | float):
        items.append(("usual step of time", _duration(float(data["step_seconds"]))))
    if run.images:
        items += _pictures(run.images)
    blocks: list[Block] = [Facts(items)] if items else []
    notes = data.get("notes")
    if isinstance(notes, list) and notes:
        blocks.append(Text([f"Noted while reading: {note}" for note in notes]))
    if isinstance(data.get("reading"), Mapping) and data["reading"]:
        rows = [Row(str(key), [Cell(said(value))]) for key, value in data["reading"].items()]
        blocks.append(Folded("How the file was read", [Table("", ["value"], [("", rows)], corner="setting")]))
    return Section("Data", blocks) if blocks else None


def configuration_section(run: RunFiles) -> Section | None:
    """Return the settings: what differs from the defaults first."""
    if not run.config:
        return None
    defaults = run.defaults.get("settings") if isinstance(run.defaults.get("settings"), Mapping) else None
    if defaults is None:
        return Section("Configuration", [_settings("Settings", run.config)])
    changed = {key: value for key, value in run.config.items() if key not in defaults or defaults[key] != value}
    blocks: list[Block] = []
    if changed:
        rows = [
            Row(key, [Cell(said(value)), Cell(said(defaults[key]) if key in defaults else "none: it must be given")])
            for key, value in changed.items()
        ]
        blocks.append(Table("What differs from the defaults", ["value", "default"], [("", rows)], corner="setting"))
    else:
        blocks.append(Text(["Every setting is the default."]))
    rest = {key: value for key, value in run.config.items() if key not in changed}
    if rest:
        blocks.append(Folded(f"The {len(rest)} settings left at their defaults", [_settings("", rest)]))
    return Section("Configuration", blocks)


def repeat_section(run: RunFiles) -> Section:
    """Return how to make the run again, and by what to know its files."""
    blocks: list[Block] = []
    command = run.environment.get("command")
    if isinstance(command, list) and command:
        blocks += [Text(["The command, as it was typed:"]), Text([typed_command([str(w) for w in command])], code=True)]
    kind = run.defaults.get("class")
    functions = {"ForecastConfig": "run_forecast", "ClassifyConfig": "run_classify"}
    if kind in functions:
        defaults = run.defaults.get("settings", {})
        given = ", ".join(
            f"{key}={tuple(value) if isinstance(value, list) else value!r}"
            for key, value in run.config.items()
            if key not in defaults or defaults[key] != value
        )
        code = f"from seqvision.pipelines import {kind}, {functions[kind]}\n\n{functions[kind]}({kind}({given}))"
        blocks += [Text(["The same from Python:"]), Text([code], code=True)]
        verbs = ["evaluate", "predict"] if kind == "ForecastConfig" else ["evaluate"]
        again = "\n".join(shlex.join(["seqvision", verb, str(run.path)]) for verb in verbs)
        blocks += [Text(["To judge it again and to use it:"]), Text([again], code=True)]
    facts = [("folder", run.name), ("state", run.status)]
    facts += [(term, said(run.parent[key])) for key, term in _PARENT.items() if key in run.parent]
    if run.manifest:
        facts.append(("SHA-256 of manifest.json, which has those of all files", run.manifest))
    return Section("How to repeat it", [*blocks, Facts(facts)])


def environment_section(run: RunFiles) -> Section | None:
    """Return versions, devices and what else changes numbers."""
    found = run.environment
    if not found:
        return None
    items = [("device", ", ".join(map(str, found.get("devices") or [found.get("backend", "unknown")])))]
    processors = f" ({found['processors']} cores)" if found.get("processors") else ""
    items.append(("processor", f"{found.get('processor', 'unknown')}{processors}"))
    items += [(key, str(found[key])) for key in ("platform", "python") if key in found]
    packages = found.get("packages")
    if isinstance(packages, Mapping):
        items += [(str(name), str(version)) for name, version in packages.items() if version]
    for group in ("settings", "variables"):
        if isinstance(found.get(group), Mapping):
            items += [(str(name), str(value)) for name, value in found[group].items()]
    return Section("Environment", [Facts(items)])


def typed_command(words: list[str]) -> str:
    """Return the line of a shell that begins a run.

    >>> typed_command(["stock_forecast.py", "--out", "my runs"])
    "python stock_forecast.py --out 'my runs'"
    >>> typed_command(["seqvision", "train", "forecast"])
    'seqvision train forecast'
    """
    first = words[0]
    if first in ("__main__.py", "cli.py", "main.py"):  # of python -m
        return shlex.join(["seqvision", *words[1:]])
    return shlex.join([*(["python"] if first.endswith(".py") else []), *words])


def _settings(caption: str, settings: Mapping[str, Any]) -> Table:
    rows = [Row(str(key), [Cell(said(value))]) for key, value in settings.items()]
    return Table(caption, ["value"], [("", rows)], corner="setting")


def _pictures(images: Mapping[str, Any]) -> list[tuple[str, str]]:
    files = images.get("files")
    if not isinstance(files, Mapping):
        parts = images.get("parts") or {}
        return [(f"hash of the {part} part", str(mark)) for part, mark in parts.items()]
    counts: dict[str, int] = {}
    for entry in files.values():
        part = str(entry[1]) if isinstance(entry, list) and len(entry) > 1 else ""
        counts[part] = counts.get(part, 0) + 1
    return [(f"pictures to {part}" if part else "pictures left out", f"{n:,}") for part, n in counts.items()]


def said(value: Any) -> str:
    """Return a setting as a text.

    >>> said(None), said(["gru", "lstm"]), said(1000)
    ('not set', 'gru, lstm', '1,000')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said(item)}" for key, item in value.items())
    if isinstance(value, list):
        texts = [said(item).removesuffix("T00:00:00") for item in value]
        return ", ".join(texts if len(texts) <= 30 else [*texts[:30], f"and {len(texts) - 30} more"]) or "none"
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value) or "none"


def _duration(seconds: float) -> str:
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = seconds / length
            return f"{number:g} {name}" + ("" if number == 1 else "s")
    return f"{seconds:g} seconds"
