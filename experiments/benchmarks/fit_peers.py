"""How fast do whole runs train, beside Keras and torch?

Question: the networks of the courses, trained by seqvision, by Keras on JAX, by Keras on TensorFlow and by a plain
torch loop, on the same data with the same batches and layers on the CPU: how many seconds does an epoch take, how many
a whole fit with its compilation, and how many a process from its start to the trained network?

Command: python experiments/benchmarks/fit_peers.py --peers-python PATH
    (a Python that has keras, jax, tensorflow and torch; what it lacks is left out. --rows, --rounds, --only, --epochs)

How: each measurement is a process of its own with two threads and no compilation cache; the frameworks take turns, and
medians over the rounds are shown. Everybody shuffles, nobody computes metrics. Data are generated, in the shapes of
the courses'. Keras runs `model.fit` on arrays with its defaults, torch the loop that peer_torch.py describes. The
seconds of an epoch leave out the peers' first; set-up is what a fit takes beyond that, compilation above all. Long rows
are timed for few epochs, and their totals computed for the recipe's. The losses show that all do the same work.

Expected: ours is the fastest in every row, by less where a fit is short: what it waits for is compilation.

Measured (from results/fit_peers.json by results/tables.py):
    python experiments/benchmarks/fit_peers.py --peers-python PATH (2026-11-21, 2 cores, AMD EPYC)
        an epoch, s                                           seqvision  fastest peer / ours
        LSTM(5), T = 10, 624 windows                             0.0011                 6.84
        LSTM(10) on the chirp, T = 10, 195 windows               0.0005                 4.14
        LSTM(5), T = 30, 2500 sequences                           0.008                 3.71
        SimpleRNN(128) + SimpleRNN(64), T = 60, 4331 windows       0.32                  2.5
        Images by rows, LSTM(128), 60,000 images                   5.14                 1.94
        a fit, s                                              fastest peer / ours
        LSTM(5), T = 10, 624 windows                                         1.47
        LSTM(10) on the chirp, T = 10, 195 windows                           1.03
        LSTM(5), T = 30, 2500 sequences                                      3.42
        SimpleRNN(128) + SimpleRNN(64), T = 60, 4331 windows                 2.55
        Images by rows, LSTM(128), 60,000 images                             1.86
        a process, s                                          fastest peer / ours
        LSTM(5), T = 10, 624 windows                                         1.45
        LSTM(10) on the chirp, T = 10, 195 windows                            1.1
        LSTM(5), T = 30, 2500 sequences                                      3.04
        SimpleRNN(128) + SimpleRNN(64), T = 60, 4331 windows                 2.48
        Images by rows, LSTM(128), 60,000 images                             1.81
        Without Keras on TensorFlow; three rounds for the first three rows, one for the others. Of the 1.6 s of the
        shortest fit 1.5 are compilation, 0.4 of them loading the compiled kernels; torch takes 6 ms an epoch of the
        chirp. The LSTM of 128 units is bound by its products.
    python experiments/benchmarks/fit_peers.py --peers-python PATH (2026-11-21, 2 cores, Intel)
        an epoch, s                                           seqvision  fastest peer / ours
        CNN 32-64-128 stride 2, 12,000 images                      0.59                 2.46
        LSTM(5), T = 10, 624 windows                                  –                    –
        LSTM(10) on the chirp, T = 10, 195 windows                    –                    –
        LSTM(5), T = 30, 2500 sequences                               –                    –
        SimpleRNN(128) + SimpleRNN(64), T = 60, 4331 windows          –                    –
        Images by rows, LSTM(128), 60,000 images                      –                    –
        MLP of 4 x 3000, 4331 windows of 60                           –                  1.1
        a fit, s                               fastest peer / ours
        CNN 32-64-128 stride 2, 12,000 images                 2.39
        MLP of 4 x 3000, 4331 windows of 60                    1.2
        a process, s                           fastest peer / ours
        CNN 32-64-128 stride 2, 12,000 images                 2.29
        MLP of 4 x 3000, 4331 windows of 60                    1.5
        One round; the MLP on a busy machine with 960 examples, not at full size; with 320 examples seqvision was the
        slower one.
Running time: 25 min.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqvision.pipelines import run_experiment

from processes import environment
from rows import ROWS

FRAMEWORKS: dict[str, tuple[str, dict[str, str]]] = {
    "seqvision": ("peer_seqvision", {}),
    "keras-jax": ("peer_keras", {"KERAS_BACKEND": "jax"}),
    "keras-tf": ("peer_keras", {"KERAS_BACKEND": "tensorflow"}),
    "torch": ("peer_torch", {}),
}
OURS = "seqvision"
COMPARED = ("epoch", "fit", "process")


@dataclass(frozen=True)
class Config:
    """Compare the speed of whole runs with Keras and torch."""

    rows: tuple[str, ...] = tuple(ROWS)
    """what to train"""
    rounds: int = 3
    """how often each measurement is made"""
    only: tuple[str, ...] = tuple(FRAMEWORKS)
    """frameworks to measure"""
    peers_python: str = sys.executable
    """the Python interpreter that has the other frameworks"""
    epochs: int | None = None
    """passes of each measurement, >= 2; by default the recipe's for short rows and few for long ones"""
    examples: int | None = None
    """windows or images in an epoch; by default the row's"""
    batch_size: int = 32
    """examples a step"""
    threads: int = 2
    """CPU cores of each process"""
    json: Path | None = None
    """file for all measurements"""


def main(config: Config) -> dict[str, Any]:
    """Measure all rows, print a table of each, and return the numbers."""
    check(config)
    results: dict[str, Any] = {}
    for name in config.rows:
        measured: dict[str, list[dict]] = {framework: [] for framework in config.only}
        for turn in range(config.rounds):
            for framework in config.only:
                if not any("absent" in times for times in measured[framework]):
                    measured[framework].append(measure(config, name, framework, turn))
        results[name] = summarize(measured) | {"title": ROWS[name].title}
        print(table(config, name, results[name]), flush=True)
        if config.json is not None:
            config.json.write_text(json.dumps(results, indent=1))
    return results


def check(config: Config) -> None:
    """Raise ValueError for settings that cannot be measured."""
    for argument, names, known in (("rows", config.rows, ROWS), ("only", config.only, FRAMEWORKS)):
        if not names or not set(names) <= set(known):
            raise ValueError(f"{argument} must be among {', '.join(known)}, got {', '.join(names) or 'none'}")
    for argument, least in (("rounds", 1), ("epochs", 2), ("examples", 1), ("batch_size", 1), ("threads", 1)):
        value = getattr(config, argument)
        if value is not None and value < least:
            raise ValueError(f"{argument} must be at least {least}, got {value}")


def measure(config: Config, row: str, framework: str, turn: int) -> dict[str, Any]:
    """Train one row by one framework in a new process and return its seconds, or why there are none."""
    module, own = FRAMEWORKS[framework]
    epochs = config.epochs or ROWS[row].timed
    task = {
        "module": module,
        "row": row,
        "epochs": epochs,
        "examples": config.examples or ROWS[row].examples,
        "batch_size": config.batch_size,
        "threads": config.threads,
        "seed": turn,
    }
    started = time.time()
    process = subprocess.run(
        [
            sys.executable if framework == OURS else config.peers_python,
            str(Path(__file__).with_name("child.py")),
            json.dumps(task),
        ],
        env=os.environ | environment(config.threads) | own,
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(f"{framework} failed on {row}:\n{process.stderr[-2000:]}")
    times = json.loads(process.stdout.splitlines()[-1])
    if "absent" in times:
        if framework == OURS:
            raise RuntimeError(f"seqvision cannot be imported by {sys.executable}: {times['absent']}")
        return times
    times["process"] = times.pop("trained") - started
    rest = (ROWS[row].epochs - epochs) * times["epoch"] if config.epochs is None else 0.0
    return times | {"fit": times["fit"] + rest, "process": times["process"] + rest}


def summarize(measured: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return medians over the rounds, what is absent, and how many times as long the fastest peer takes as we do."""
    absent = {name: rounds[0]["absent"] for name, rounds in measured.items() if "absent" in rounds[0]}
    medians = {
        name: {part: statistics.median(times[part] for times in rounds) for part in rounds[0]}
        for name, rounds in measured.items()
        if name not in absent
    }
    peers = [times for name, times in medians.items() if name != OURS]
    ratios = {}
    if OURS in medians and peers:
        ratios = {part: min(times[part] for times in peers) / medians[OURS][part] for part in COMPARED}
    return {"medians": medians, "ratios": ratios, "absent": absent, "rounds": measured}


def table(config: Config, name: str, result: dict[str, Any]) -> str:
    """Return a row's results as a Markdown table."""
    row = ROWS[name]
    run, total = config.epochs or row.timed, config.epochs or row.epochs
    note = f"{total} epochs" if run == total else f"{run} epochs timed, totals computed for {total}"
    note += f", {config.examples} examples" if config.examples else ""
    heads = ("s", "s per epoch", "import", "set-up", "fit", "process", "loss")
    lines = [
        f"\n### {name}: {row.title} ({note})",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
    ]
    for framework, times in result["medians"].items():
        cells = [f"{times['epoch']:.5f}", *(f"{times[part]:.2f}" for part in ("import", "setup", "fit", "process"))]
        lines.append(f"| {framework} | " + " | ".join(cells) + f" | {times['loss']:.4g} |")
    if result["ratios"]:
        epoch, fit, process = (f"{result['ratios'][part]:.2f}" for part in COMPARED)
        lines.append(f"| fastest peer / {OURS} | {epoch} | | | {fit} | {process} | |")
    return "\n".join([*lines, *(f"\n{framework}: absent ({why})" for framework, why in result["absent"].items())])


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
