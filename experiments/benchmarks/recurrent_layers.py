"""How fast is one recurrent layer, forward and backward, beside every framework that has one?

Question: the gradient of a sum over all outputs with respect to parameters and inputs, for layers of several cells and
sizes on the CPU: how many milliseconds does it take by each method of seqvision, by flax, haiku, equinox, Keras on JAX,
Keras on TensorFlow and torch, as a single call and inside a compiled loop of training steps; and how many would its
matrix products take alone (the floor)?

Command: python experiments/benchmarks/recurrent_layers.py --python PATH
    (a Python that has the peers; what it lacks is left out. --rows, --peers, --methods, --mode, --rounds, --json)
    python experiments/benchmarks/recurrent_layers.py --scaling
    (our time and temporaries as T, H and N grow, by method and by what is recomputed)

How: each framework is a process of its own with two threads, and they take turns: a row is measured by all of them in
each round. A measurement is the median of calls repeated for a second; the best round is shown. In the loop the steps
of gradient descent on parameters and inputs are one program on JAX (20 steps), for torch a Python loop, for TensorFlow
a Python loop over one tf.function. A row is CELL-N-T-D-H: N sequences of T steps, D features, H units. haiku's GRU
resets before the product and its simple cell is rectified; equinox has no simple cell.

Expected: by "auto", its compiled kernels, ours is the fastest in every row, and most rows take less time than XLA's
    products alone: the kernels pack the recurrent weights once, keep a step in a core's first cache and give each core
    sequences of its own; in narrow layers the sequences fill its vectors, instead of the units. A single call of a
    large layer spends up to a third of its time on fresh memory; where Linux gives large pages on request,
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 spares most of it, to every framework. On a machine that is busy otherwise
    torch's threads wait for each other, and its times mean nothing.

What that recommends, and "auto" does: "numba" for the LSTM and GRU of five units or more and Elman of sixteen (with
fewer, "fused" took .44 to .95 times as long for a thousand short sequences, .7 to 1.5 for 32), "fused" where it can't
run; "scan" on CPU for the cells that are linear in their state, where "associative" took 1.2 to 2.4 times as
long, but a third for the LRU with four sequences; "newton" never on two cores. Eight models at once, under vmap, took
1/3.3 to 1.3 times as long by "numba" as by "fused".

Measured (from results/recurrent_layers.json by results/tables.py):
    python experiments/benchmarks/recurrent_layers.py --python PATH (2026-11-21, 2 cores, AMD EPYC)
        a step in a loop, ms  seqvision  best JAX or Keras / ours  torch / ours
        lstm-32-28-28-128          2.46                      2.15          1.33
        lstm-128-28-28-128          9.5                      1.91          1.33
        lstm-4-100-16-256          4.49                      3.13          1.28
        lstm-64-100-64-256           69                      1.52          1.44
        lstm-32-784-1-64           22.7                      2.68          2.74
        lstm-32-10-1-5            0.032                      2.28          15.2
        gru-32-28-28-128           1.93                      2.46          4.11
        gru-128-28-28-128          8.95                      1.83          1.92
        gru-4-100-16-256           3.46                      2.73           7.7
        gru-64-100-64-256          53.4                       1.8          1.95
        elman-32-60-1-128          1.17                      2.19           4.5
        elman-4-100-16-256          1.2                      4.05          7.06
        a single call, ms   best JAX or Keras / ours  torch / ours
        lstm-32-28-28-128                       1.82          1.01
        lstm-128-28-28-128                      1.92          1.16
        lstm-4-100-16-256                       3.05          1.08
        lstm-64-100-64-256                      1.62          1.15
        lstm-32-784-1-64                        2.24          1.45
        lstm-32-10-1-5                          1.34          3.74
        gru-32-28-28-128                        2.51          3.23
        gru-128-28-28-128                       1.58          1.84
        gru-4-100-16-256                        2.66          7.76
        gru-64-100-64-256                       1.79          1.42
        elman-32-60-1-128                       2.07          4.07
        elman-4-100-16-256                      3.54          5.82
        Cores with AVX-512; two rounds. By "fused", which "auto" is without numba, such cores gave 1.00 to 2.8 and 0.63
        to 5.3 for the calls. For seconds at a time the GRU of four sequences, whose cores wait for each other in every
        step, took 6.1 ms in the loop, in about one process of three; why, and whether the other frameworks' rows do the
        same, was not found out.
    python experiments/benchmarks/recurrent_layers.py --scaling (2026-11-21, 2 cores, AMD EPYC)
        gradient of a loss on the last step, ms  scan none  scan sqrt  fused none  fused sqrt  numba none  numba sqrt
        lstm-32-64-16-64                              5.11        6.6        3.93        5.29        1.83        3.53
        lstm-32-256-16-64                             21.6       27.3        18.2        21.9        9.79        19.3
        lstm-32-1024-16-64                             122        105         100          78        57.9        41.5
        lstm-32-4096-16-64                             463        436         420         375         259         195
        lstm-32-256-16-32                               15       10.7        9.36        8.78        3.02        5.71
        lstm-32-256-16-128                            92.4       92.5          65        55.5          27        49.9
        lstm-32-256-16-512                             525        668         433         496         313         441
        lstm-8-256-16-64                              7.95       8.75        5.16        6.35         2.5        4.56
        lstm-128-256-16-64                             119        107         100        76.6        54.3        45.5
        temporaries, MiB    scan none  scan sqrt  fused none  fused sqrt  numba none  numba sqrt
        lstm-32-64-16-64          6.8        1.2         6.6         1.8         3.7         1.5
        lstm-32-256-16-64        26.6        3.4        26.5         4.6        14.2         3.9
        lstm-32-1024-16-64      106.1       11.6       106.1        14.0        56.2        12.6
        lstm-32-4096-16-64      424.1       43.0       424.5        47.8       224.2        44.9
        lstm-32-256-16-32        13.6        2.0        13.5         2.5         7.1         2.2
        lstm-32-256-16-128       52.9        6.5        52.6         8.9        28.5         7.6
        lstm-32-256-16-512      213.0       30.2       208.8        39.9       116.8        34.7
        lstm-8-256-16-64          6.7        1.0         6.6         1.2         3.6         1.1
        lstm-128-256-16-64      106.5       13.3       106.2        17.8        56.4        15.2
Running time: 16 min; 3 min.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seqvision.pipelines import run_experiment

from layer_rows import ROWS, parse
from processes import environment

PEERS: dict[str, tuple[str, dict[str, str]]] = {
    "flax": ("layer_jax", {}),
    "haiku": ("layer_jax", {}),
    "equinox": ("layer_jax", {}),
    "keras-jax": ("layer_jax", {"KERAS_BACKEND": "jax"}),
    "keras-tf": ("layer_tensorflow", {"KERAS_BACKEND": "tensorflow"}),
    "torch": ("layer_torch", {}),
}
OURS, FLOOR = "seqvision", "floor"
OF_JAX_OR_KERAS = tuple(peer for peer in PEERS if peer != "torch")
SCALING = {"T": (64, 256, 1024, 4096), "H": (32, 128, 512), "N": (8, 32, 128)}
BASE = {"N": 32, "T": 256, "D": 16, "H": 64}
WAYS = (
    *((method, remat) for method in ("scan", "fused") for remat in ("none", "gates", "sqrt")),
    ("numba", "none"),
    ("numba", "sqrt"),
)


@dataclass(frozen=True)
class Config:
    """Compare the speed of one recurrent layer with other frameworks."""

    rows: tuple[str, ...] = ROWS
    """layers to measure, CELL-N-T-D-H"""
    peers: tuple[str, ...] = tuple(PEERS)
    """frameworks to measure"""
    methods: tuple[str, ...] = ("auto", "scan", "fused")
    """our ways to execute a layer; the ratios are of the first"""
    mode: Literal["both", "call", "loop"] = "both"
    """single calls, or a loop of steps in one program"""
    rounds: int = 2
    """how often each measurement is made; the best is shown"""
    steps: int = 20
    """steps of the loop"""
    seconds: float = 1.0
    """for how long calls are repeated in a measurement"""
    threads: int = 2
    """CPU cores of each process"""
    python: str = sys.executable
    """the Python interpreter that has the other frameworks"""
    scaling: bool = False
    """measure our time and memory as the sizes grow, in place of the rows"""
    cell: str = "lstm"
    """the cell of --scaling"""
    largest: int | None = None
    """sizes of --scaling beyond this one are left out"""
    json: Path | None = None
    """file for all measurements"""


def main(config: Config) -> dict[str, Any]:
    """Measure, print tables, and return the numbers in seconds and bytes."""
    check(config)
    results = scaling(config) if config.scaling else compare(config)
    if config.json is not None:
        config.json.write_text(json.dumps(results, indent=1))
    return results


def check(config: Config) -> None:
    """Raise ValueError for settings that cannot be measured."""
    if not config.rows:
        raise ValueError(f"rows must name at least one layer, such as {ROWS[0]}, got none")
    for row in config.rows:
        parse(row)
    if not set(config.peers) <= set(PEERS):
        raise ValueError(f"peers must be among {', '.join(PEERS)}, got {', '.join(config.peers)}")
    if not config.methods:
        raise ValueError("methods must name at least one way to execute a layer, such as auto, got none")
    for argument in ("rounds", "steps", "threads"):
        if getattr(config, argument) < 1:
            raise ValueError(f"{argument} must be at least 1, got {getattr(config, argument)}")


class Worker:
    """A process that measures for one framework; see layer_worker.py."""

    def __init__(self, process: subprocess.Popen, peer: str, log: Any):
        self.process, self.peer, self.log = process, peer, log
        self.absent: str | None = self.read().get("absent")

    def ask(self, row: str, mode: str, steps: int, seconds: float, **options: str) -> dict[str, Any]:
        """Return the answer to a task: seconds, or what the framework lacks."""
        task = {"row": row, "mode": mode, "steps": steps, "seconds": seconds, "options": options}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        return self.read()

    def read(self) -> dict[str, Any]:
        """Return the next answer."""
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise RuntimeError(f"{self.peer} failed:\n{self.log.read()[-2000:]}")
        return json.loads(line)


@contextmanager
def worker(config: Config, peer: str) -> Iterator[Worker]:
    """Start the process of a framework, and end it."""
    module, own = PEERS.get(peer, ("layer_jax", {}))
    python = sys.executable if peer in (OURS, FLOOR) else config.python
    task = {"module": module, "peer": peer, "threads": config.threads}
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [python, str(Path(__file__).with_name("layer_worker.py")), json.dumps(task)],
            env=os.environ | environment(config.threads) | own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield Worker(process, peer, log)
        finally:
            process.kill()


def compare(config: Config) -> dict[str, Any]:
    """Measure every row by everybody, and print a table of each mode."""
    modes = ("call", "loop") if config.mode == "both" else (config.mode,)
    absent: dict[str, str] = {}
    results: dict[str, Any] = {mode: {} for mode in modes}
    with ExitStack() as stack:
        workers = {peer: stack.enter_context(worker(config, peer)) for peer in (FLOOR, OURS, *config.peers)}
        absent = {peer: w.absent for peer, w in workers.items() if w.absent is not None}
        for peer, why in absent.items():
            print(f"{peer}: absent ({why})")
            if peer in (OURS, FLOOR):
                raise RuntimeError(f"{peer} cannot be measured by {sys.executable}: {why}")
        for row in config.rows:
            for mode in modes:
                rounds = [one_round(config, workers, absent, row, mode) for _ in range(config.rounds)]
                results[mode][row] = summarize(config, rounds)
                print(f"{mode} {describe(row, results[mode][row])}", flush=True)
    for mode in modes:
        print(table(config, mode, results[mode], absent))
    return results | {"absent": absent}


def one_round(config: Config, workers: dict[str, Worker], absent: dict[str, str], row: str, mode: str):
    """Measure a row once by everybody: label -> seconds, or None where a framework has no such layer."""
    tasks = [(FLOOR, FLOOR, {})]
    tasks += [(method, OURS, {"method": method}) for method in config.methods]
    tasks += [(peer, peer, {}) for peer in config.peers if peer not in absent]
    return {
        label: workers[peer].ask(row, mode, config.steps, config.seconds, **options).get("seconds")
        for label, peer, options in tasks
    }


def summarize(config: Config, rounds: list[dict[str, float | None]]) -> dict[str, Any]:
    """Return the best round of each, and the ratios of the peers' times to ours."""
    times = {label: None if rounds[0][label] is None else min(r[label] for r in rounds) for label in rounds[0]}
    ours = times[config.methods[0]]
    rivals = {peer: times[peer] for peer in OF_JAX_OR_KERAS if times.get(peer) is not None}
    best = min(rivals, key=rivals.__getitem__, default=None)
    return {
        "seconds": times,
        "best peer": best,
        "best / ours": rivals[best] / ours if best and ours else None,
        "torch / ours": times["torch"] / ours if times.get("torch") and ours else None,
        "ours / floor": ours / times[FLOOR] if ours and times[FLOOR] else None,
        "rounds": rounds,
    }


def describe(row: str, result: dict[str, Any]) -> str:
    """Return one line of progress."""
    return f"{row}: " + ", ".join(f"{label} {milliseconds(s)}" for label, s in result["seconds"].items())


def milliseconds(seconds: float | None) -> str:
    """Three digits of a time in ms, or a dash."""
    return "-" if seconds is None else f"{1e3 * seconds:.3g}"


def table(config: Config, mode: str, results: dict[str, Any], absent: dict[str, str]) -> str:
    """Return a mode's results as a Markdown table, ms."""
    title = "single calls" if mode == "call" else f"a step in a loop of {config.steps}"
    labels = [FLOOR, *config.methods, *(peer for peer in config.peers if peer not in absent)]
    ratios = ("best / ours", "torch / ours", "ours / floor")
    heads = ["layer N-T-D-H", *labels, "best JAX or Keras / ours", *ratios[1:]]
    lines = [f"\n### Forward and backward, ms: {title}", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row, result in results.items():
        cells = [milliseconds(result["seconds"][label]) for label in labels]
        shown = ["-" if result[ratio] is None else f"{result[ratio]:.2f}" for ratio in ratios]
        if result["best peer"]:
            shown[0] += f" ({result['best peer']})"
        lines.append(f"| {row} | {' | '.join([*cells, *shown])} |")
    return "\n".join(lines)


def scaling(config: Config) -> dict[str, Any]:
    """Measure the gradient of a loss on the last step as one size grows at a time, by method and recomputation."""
    results: dict[str, Any] = {}
    with worker(config, OURS) as ours:
        if ours.absent is not None:
            raise RuntimeError(f"{OURS} cannot be imported by {sys.executable}: {ours.absent}")
        for axis, sizes in SCALING.items():
            for size in sizes:
                if config.largest is not None and size > config.largest:
                    continue
                row = "-".join([config.cell, *(str(value) for value in (BASE | {axis: size}).values())])
                if row in results:
                    continue
                results[row] = {}
                for method, remat in WAYS:
                    answer = ours.ask(row, "last", 1, config.seconds, method=method, remat=remat)
                    if "lacks" not in answer:
                        results[row][f"{method} {remat}"] = answer
                print(scaling_line(row, results[row]), flush=True)
    print(scaling_table(results))
    return results


def scaling_line(row: str, result: dict[str, Any]) -> str:
    """Return one line of progress."""
    parts = (f"{way} {milliseconds(a['seconds'])} ms {megabytes(a)} MiB" for way, a in result.items())
    return f"{row}: " + ", ".join(parts)


def megabytes(answer: dict[str, Any]) -> str:
    """Three digits of a program's temporaries."""
    return f"{answer['temporaries'] / 2**20:.3g}"


def scaling_table(results: dict[str, Any]) -> str:
    """Return times and temporaries as a Markdown table."""
    ways = list(dict.fromkeys(way for result in results.values() for way in result))
    heads = ["layer N-T-D-H", *ways]
    lines = ["\n### Gradient of a loss on the last step: ms / MiB of temporaries", f"| {' | '.join(heads)} |"]
    lines.append("|---" * len(heads) + "|")
    for row, result in results.items():
        cells = [
            f"{milliseconds(result[way]['seconds'])} / {result[way]['temporaries'] / 2**20:.1f}"
            if way in result
            else "-"
            for way in ways
        ]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
