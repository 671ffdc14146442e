"""How long does one wait for a result, from an empty machine to the answer, and for what?

Question: README's command, `seqvision predict` of its run, the short fits and the convnet of the courses, a larger
forecaster, and networks trained anew at 3 and at 20 origins: how many seconds does each take, where do they go, and how
long do Keras, torch, darts and neuralforecast take for the same network on the same data?

Command: python experiments/benchmarks/time_to_result.py --peers-python PATH --keep FILE
    (--peers-python: a Python that has keras, jax, tensorflow, torch, darts and neuralforecast; what it lacks is left
    out. --keep: rows that the file has are not measured again, so that a measurement may be made in parts, with --rows.
    --against: a checkout of another commit, measured in turn. --rounds, --states, --only, --threads)

How: each measurement is a process of its own with two threads; ours, that of --against and the others take turns, and
medians over the rounds are shown. "cold" is a process with an empty home: no compiled program, kernel or font is kept
anywhere. "second" is the next process with that home, "again" the second call in it, and "anew" a process whose kernels
are kept but whose programs are compiled again. A process is the time from its start to its result, a fit what the call
takes, with compilation; CPU seconds are those of all its threads and of the processes that it waited for. The others
keep nothing from one process to the next, so that all our states are held against the same times. Each moment of a call
belongs to one phase, see time_phases.py; "import" has what is imported before the call too.

Expected: the fits cold in a third of the fastest other's time, 20 origins in that of 3.

Measured (from results/time_to_result.json by results/tables.py):
    python experiments/benchmarks/time_to_result.py --rows command lstm5 origins3 origins20 predict --states cold second
        --rounds 1 --keep FILE --against PATH --peers-python PATH (2026-11-28, 2 cores, Intel(R) Xeon(R) Processor @
        2.50GHz)
        a process, s       seqvision  before  before / ours  fastest peer / ours
        command, cold           23.5    87.9           3.74                    –
        command, second         18.6    34.8           1.87                    –
        predict, cold           6.41    57.9           9.04                    –
        predict, second         5.28    16.9           3.19                    –
        lstm5, cold             4.06       –              –                 2.97
        lstm5, second           3.66       –              –                  3.3
        origins3, cold          4.77       –              –                    –
        origins3, second        3.59       –              –                    –
        origins20, cold         5.06       –              –                    –
        origins20, second       4.82       –              –                    –
        a fit, s           seqvision  before  before / ours  fastest peer / ours
        command, cold             22    83.3           3.79                    –
        command, second         16.5    30.5           1.85                    –
        predict, cold           5.04    56.6           11.2                    –
        predict, second         3.97    15.5           3.91                    –
        lstm5, cold             1.98       –              –                 3.84
        lstm5, second           1.61       –              –                 4.71
        lstm5, again           0.769       –              –                 9.88
        origins3, cold          2.44       –              –                    –
        origins3, second        1.55       –              –                    –
        origins20, cold         3.07       –              –                    –
        origins20, second        2.8       –              –                    –
        CPU seconds, s     seqvision  before  before / ours  fastest peer / ours
        command, cold           38.8     101           2.59                    –
        command, second         27.1    41.4           1.53                    –
        predict, cold           7.04    58.2           8.27                    –
        predict, second         5.39      17           3.15                    –
        lstm5, cold             5.12       –              –                 2.57
        lstm5, second           4.08       –              –                 3.23
        lstm5, again           0.982       –              –                 13.4
        origins3, cold          5.87       –              –                    –
        origins3, second        3.91       –              –                    –
        origins20, cold         6.42       –              –                    –
        origins20, second       5.47       –              –                    –
        peak memory, MB    seqvision  before
        command, cold            440     806
        command, second          405     724
        predict, cold            329     731
        predict, second          297     616
        lstm5, cold              279       –
        lstm5, second            263       –
        lstm5, again             278       –
        origins3, cold           280       –
        origins3, second         265       –
        origins20, cold          280       –
        origins20, second        263       –
        phases, s          kernels  import  trace  lower  compile  weights   run  draw  judge  read  rest
        command, cold         0.01    4.25   3.90   1.98     7.02     0.03  1.85  3.05   0.52  0.00  0.89
        command, second       0.01    4.81   3.30   1.64     0.40     0.12  3.79  2.78   0.56  0.00  1.15
        predict, cold         0.01    2.97   0.66   0.19     1.04     0.00  0.08  0.00   0.00  0.00  1.43
        predict, second       0.01    2.83   0.72   0.21     0.06     0.00  0.09  0.00   0.00  0.00  1.32
        lstm5, cold           0.00    2.53   0.50   0.33     0.43     0.00  0.18  0.00   0.00  0.00  0.07
        lstm5, second         0.00    2.49   0.47   0.32     0.09     0.00  0.18  0.00   0.00  0.00  0.07
        lstm5, again          0.00    0.00   0.23   0.24     0.07     0.00  0.21  0.00   0.00  0.00  0.03
        origins3, cold        0.00    3.03   0.66   0.42     0.42     0.01  0.09  0.00   0.00  0.00  0.12
        origins3, second      0.00    2.42   0.50   0.33     0.10     0.01  0.09  0.00   0.00  0.00  0.11
        origins20, cold       0.00    2.52   0.64   0.38     0.36     0.09  0.67  0.00   0.00  0.00  0.36
        origins20, second     0.00    2.39   0.70   0.35     0.10     0.10  0.74  0.00   0.00  0.00  0.41
        One round; before: commit 5d78d19; peak memory is that of the process, beside the two that draw.
Running time: 7.8 min.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import seqvision
from seqvision.pipelines import run_experiment

from processes import environment
from time_phases import PHASES
from time_rows import PEERS, TIMED

STATES = ("cold", "second", "again", "anew")
OURS, BEFORE = "seqvision", "before"
HERE = Path(__file__).parent
SCORES = ("process", "fit", "cpu", "peak MB", "programs", "cache hits")

Times = dict[str, Any]  # one state of one framework: `SCORES`, and of ours "phases"


@dataclass(frozen=True)
class Config:
    """Measure how long one waits for a result, beside other libraries."""

    rows: tuple[str, ...] = tuple(TIMED)
    """what to measure"""
    rounds: int = 3
    """how often each measurement is made"""
    states: tuple[str, ...] = STATES
    """of our processes: cold, second, again, anew"""
    only: tuple[str, ...] = tuple(PEERS)
    """other frameworks to measure"""
    peers_python: str = sys.executable
    """the Python interpreter that has the other frameworks"""
    against: Path | None = None
    """checkout of another commit to measure besides"""
    keep: Path | None = None
    """file of measurements, gone on with: rows that it has are not measured again"""
    threads: int = 2
    """CPU cores of each process"""
    examples: int | None = None
    """windows or images in an epoch of the fits; by default the row's"""


def main(config: Config) -> dict[str, Any]:
    """Measure all rows, print a table of each, and return the numbers."""
    check(config)
    results: dict[str, Any] = {}
    if config.keep is not None and config.keep.exists():
        results = json.loads(config.keep.read_text())
    for name in config.rows:
        if name not in results:
            results[name] = measure_row(config, name)
            if config.keep is not None:
                config.keep.write_text(json.dumps(results, indent=1))
        print(table(results[name]), flush=True)
    if {"origins3", "origins20"} <= results.keys():
        three, twenty = (results[name]["seqvision"]["cold"]["fit"] for name in ("origins3", "origins20"))
        print(f"\n20 origins / 3 origins, cold: {twenty / three:.2f}")
    return {name: results[name] for name in TIMED if name in results}


def check(config: Config) -> None:
    """Raise ValueError for settings that cannot be measured."""
    for argument, names, known in (
        ("rows", config.rows, TIMED),
        ("states", config.states, STATES),
        ("only", config.only, PEERS),
    ):
        if not set(names) <= set(known):
            raise ValueError(f"{argument} must be among {', '.join(known)}, got {', '.join(names)}")
    if "cold" not in config.states:
        raise ValueError("states must have cold, which makes the home of the others")
    for argument in ("rounds", "threads"):
        if getattr(config, argument) < 1:
            raise ValueError(f"{argument} must be at least 1, got {getattr(config, argument)}")
    if config.against is not None and not (config.against / "src" / "seqvision").is_dir():
        raise ValueError(f"{config.against} has no src/seqvision: give a checkout of another commit")


def measure_row(config: Config, name: str) -> dict[str, Any]:
    """Measure a row in all its states by all that have the like, in turn."""
    sources = {OURS: Path(seqvision.__file__).parents[1]}
    if config.against is not None:
        sources[BEFORE] = config.against.resolve() / "src"
    rounds: dict[str, list[Any]] = {framework: [] for framework in (*sources, *TIMED[name].peers)}
    with tempfile.TemporaryDirectory() as folder:
        runs = {one: finished_run(config, source, Path(folder, one)) for one, source in sources.items()
                if name == "predict"}  # fmt: skip
        for turn in range(config.rounds):
            for framework, source in sources.items():
                home = Path(folder, f"{framework}-{turn}")
                rounds[framework].append(measure_ours(config, name, source, home, turn, runs.get(framework)))
            for peer in filter(config.only.__contains__, TIMED[name].peers):
                if not any("absent" in times for times in rounds[peer]):
                    rounds[peer].append(measure_peer(config, name, peer, Path(folder, f"{peer}-{turn}"), turn))
    return {"title": TIMED[name].title, **summarize(rounds)}


def finished_run(config: Config, source: Path, home: Path) -> str:
    """Train what README's command trains, for one epoch, and return the run folder."""
    words = ["train", "forecast", "--epochs", "1", "--quiet", "--out", str(home / "runs")]
    work(config, source, home, {"kind": "words", "calls": 1, "words": words})
    (run,) = (home / "runs").iterdir()
    return str(run)


def measure_ours(config: Config, name: str, source: Path, home: Path, turn: int, run: str | None) -> dict[str, Times]:
    """Measure a row by the seqvision of a folder in every state, with a home that is empty at first."""
    row = TIMED[name]
    task = {"kind": row.kind, **row.options}
    if row.kind in ("fit", "origins"):
        task["seed"] = turn
    if row.kind == "fit" and config.examples is not None:
        task["examples"] = config.examples
    if row.kind == "command":
        task["folder"] = str(home / "runs")
    if row.kind == "words":
        task["words"] = ["predict", str(run)]
    found: dict[str, Times] = {"cold": work(config, source, home, {**task, "calls": 1})[0]}
    if {"second", "again"} & set(config.states):
        calls = 2 if "again" in config.states else 1
        found |= zip(("second", "again"), work(config, source, home, {**task, "calls": calls}), strict=False)
    if "anew" in config.states:
        found["anew"] = work(config, source, home, {**task, "calls": 1}, JAX_ENABLE_COMPILATION_CACHE="false")[0]
    return {state: found[state] for state in config.states}


def work(config: Config, source: Path, home: Path, task: dict[str, Any], **settings: str) -> list[Times]:
    """Let a new process do a task with the seqvision of a folder, and return the times of each call."""
    started = time.time()
    variables = {"PYTHONPATH": str(source), **settings}
    done = start(config, sys.executable, "time_worker.py", {**task, "threads": config.threads}, home, variables)
    calls = done["calls"]
    times = []
    for n, call in enumerate(calls):
        cpu = call["cpu"] - (calls[n - 1]["cpu"] if n else 0.0)
        process = call["done"] - started if n == 0 else None
        counts = {key: call[key] for key in ("peak MB", "programs", "cache hits", "phases")}
        times.append({"process": process, "fit": call["call"], "cpu": cpu, **counts})
    return times


def measure_peer(config: Config, name: str, peer: str, home: Path, turn: int) -> Times:
    """Train a row by another framework in a new process, and return its times, or why there are none."""
    module, variables = PEERS[peer]
    task = {"module": module, "threads": config.threads, "seed": turn, **TIMED[name].options}
    if config.examples is not None:
        task["examples"] = config.examples
    started = time.time()
    done = start(config, config.peers_python, "child.py", task, home, variables)
    if "absent" in done:
        return done
    return {"process": done["trained"] - started, **{key: done[key] for key in ("fit", "cpu", "peak MB")}}


def start(
    config: Config, python: str, program: str, task: dict[str, Any], home: Path, variables: dict[str, str]
) -> dict[str, Any]:
    """Run a program of this folder with a home of its own, and return what it prints."""
    home.mkdir(parents=True, exist_ok=True)
    places = ("XDG_", "JAX_COMPILATION_CACHE", "MPLCONFIGDIR", "PYTHONPATH", "JAX_ENABLE_COMPILATION_CACHE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(places)}
    common = environment(config.threads) | {"HOME": str(home), "NUMBA_CACHE_DIR": str(home / "numba")}
    del common["JAX_ENABLE_COMPILATION_CACHE"]
    process = subprocess.run(
        [python, str(HERE / program), json.dumps(task)],
        env=kept | common | variables,
        cwd=home,
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(f"{program} failed at {task}:\n{process.stderr[-2000:]}")
    return json.loads(process.stdout.splitlines()[-1])


def summarize(rounds: dict[str, list[Any]]) -> dict[str, Any]:
    """Return medians over the rounds, and how many times as long the fastest other and the commit before take."""
    absent = {name: each[0]["absent"] for name, each in rounds.items() if each and "absent" in each[0]}
    peers = {name: medians(each) for name, each in rounds.items()
             if each and name not in (OURS, BEFORE) and name not in absent}  # fmt: skip
    ours = {name: {state: medians([one[state] for one in rounds[name]]) for state in rounds[name][0]}
            for name in (OURS, BEFORE) if name in rounds}  # fmt: skip
    ratios: dict[str, dict[str, dict[str, float]]] = {}
    for state, times in ours[OURS].items():
        others = {"fastest peer / ours": list(peers.values())}
        others["before / ours"] = [ours[BEFORE][state]] if BEFORE in ours else []
        ratios[state] = {
            name: {
                part: min(one[part] for one in each) / times[part]
                for part in ("process", "fit", "cpu")
                if times[part] is not None
            }
            for name, each in others.items()
            if each
        }
    return {**ours, "peers": peers, "ratios": ratios, "absent": absent, "rounds": rounds}


def medians(rounds: list[Times]) -> Times:
    """Return the median over rounds of every number."""
    found: Times = {}
    for key, value in rounds[0].items():
        each = [one[key] for one in rounds]
        found[key] = medians(each) if isinstance(value, dict) else None if value is None else statistics.median(each)
    return found


def table(result: dict[str, Any]) -> str:
    """Return a row's results as Markdown tables: times beside the others', and where ours go."""
    lines = [f"\n### {result['title']}", "| s | process | fit | CPU | peak MB | programs | hits |", "|---" * 7 + "|"]
    named = {f"{name} {state}": times for name in (OURS, BEFORE) for state, times in result.get(name, {}).items()}
    for name, times in (named | result["peers"]).items():
        cells = [times.get(score) for score in SCORES]
        texts = ["" if cell is None else f"{cell:.2f}" if n < 3 else f"{cell:.0f}" for n, cell in enumerate(cells)]
        lines.append(f"| {name} | {' | '.join(texts)} |")
    for state, ratios in result["ratios"].items():
        for name, parts in ratios.items():
            cells = [f"{parts[part]:.2f}" if part in parts else "" for part in ("process", "fit", "cpu")]
            lines.append(f"| {name} {state} | {' | '.join(cells)} | | | |")
    heads = (*PHASES, "rest")
    lines += ["", f"| s | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for name, times in named.items():
        cells = [f"{times['phases'][head]:.2f}" for head in heads]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, *(f"\n{name}: absent ({why})" for name, why in result["absent"].items())])


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
