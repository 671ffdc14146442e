"""How long does reading a large file take, and how much memory, beside pandas?

Question: a comma-separated file of a million rows, a date and five numbers: seconds and peak memory of `read_series`,
which finds out the layout, reads the dates, judges every row and makes a series, and of `pandas.read_csv` with
`parse_dates`, which is told where the dates are and gives a frame.

Command: python experiments/benchmarks/reading.py (--rows, --rounds, --forms, --json)

How: each reading is a process of its own, which imports what it needs before the clock starts; the two take turns, and
the best round of each is shown. Memory is the peak of the resident set, whole and above what the imports alone take
(ours import JAX).

Expected: ours within 1.5 times pandas in time; in memory above the imports too.

Measured (from results/reading.json by results/tables.py):
    python experiments/benchmarks/reading.py --rounds 5 (2026-11-28, 2 cores, AMD EPYC)
        seconds, s       seqvision  ours / pandas
        dates iso            0.318            1.3
        dates day-first      0.314          0.167
        peak MB, MB      seqvision  ours / pandas
        dates iso              324           1.67
        dates day-first        320           1.16
        MB above the imports, MB  seqvision  ours / pandas
        dates iso                      99.7            1.1
        dates day-first                95.9          0.557
Running time: 38 s.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqvision.pipelines import run_experiment

import numpy as np
from processes import environment

READERS = ("seqvision", "pandas")
FORMS = ("iso", "day-first")


@dataclass(frozen=True)
class Config:
    """Compare reading a large file with pandas."""

    rows: int = 1_000_000
    """rows of the file"""
    forms: tuple[str, ...] = FORMS
    """how its dates are written: 2020-01-31 10:00:00 or 31.01.2020 10:00"""
    rounds: int = 3
    """how often each reading is made; the best is shown"""
    json: Path | None = None
    """file for all measurements"""


def main(config: Config) -> dict[str, Any]:
    """Measure both readers, print a line for each form, and return seconds, megabytes and ratios."""
    if config.rows < 2 or config.rounds < 1 or not set(config.forms) <= set(FORMS):
        raise ValueError(f"rows must be at least 2, rounds at least 1, forms among {', '.join(FORMS)}, got {config}")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in config.forms:
            path = Path(folder, f"{form}.csv")
            write_file(path, config.rows, form)
            rounds = [{reader: measure(path, reader, form) for reader in READERS} for _ in range(config.rounds)]
            results[form] = summarize(rounds)
            print(describe(form, results[form]), flush=True)
    if config.json is not None:
        config.json.write_text(json.dumps(results, indent=1))
    return results


def write_file(path: Path, rows: int, form: str) -> None:
    """Write a date and five numbers a row."""
    dates = np.datetime64("2000-01-01T00:00:00") + 60 * np.arange(rows)
    numbers = np.random.default_rng(0).normal(100.0, 20.0, (rows, 5))
    with path.open("w") as file:
        file.write("date,open,high,low,close,volume\n")
        for date, row in zip(dates.astype(str), numbers, strict=True):
            text = date.replace("T", " ") if form == "iso" else f"{date[8:10]}.{date[5:7]}.{date[:4]} {date[11:16]}"
            file.write(text + "".join(f",{number:.4f}" for number in row) + "\n")


def measure(path: Path, reader: str, form: str) -> dict[str, float]:
    """Read the file in a new process; return seconds and megabytes."""
    process = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("reading_worker.py")), reader, str(path), form],
        env=os.environ | environment(1),
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(f"{reader} failed:\n{process.stderr[-2000:]}")
    return json.loads(process.stdout.splitlines()[-1])


def summarize(rounds: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Return the best round of each reader, and ours in pandas' units."""
    best = {reader: {key: min(one[reader][key] for one in rounds) for key in rounds[0][reader]} for reader in READERS}
    ratios = {key: best["seqvision"][key] / max(best["pandas"][key], 1e-9) for key in best["pandas"]}
    return {**best, "ours / pandas": ratios}


def describe(form: str, result: dict[str, Any]) -> str:
    """Return the results of one form as lines of text."""
    lines = [f"dates {form}:"]
    for name, numbers in result.items():
        lines.append(f"    {name}: " + ", ".join(f"{key} {number:.3g}" for key, number in numbers.items()))
    return "\n".join(lines)


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
