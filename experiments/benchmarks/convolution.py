"""How fast are convolutions, pools and whole training steps of convolutional networks, beside other frameworks?

Question: layers forward and backward, and training steps of the Keras MNIST convnet (batch 128), the Fashion-MNIST
network of strided convolutions (batch 32) and the CIFAR-10 network of six convolutions with batch norm (batch 32), all
with Adam on the CPU: how many milliseconds do they take in seqvision as a compiled run and step by step, in Keras on
TensorFlow and on JAX, in torch and in flax with lax's convolutions? And eight small networks at once?

Command: python experiments/benchmarks/convolution.py --peers-python PATH
    (a Python that has the peers; what it lacks is left out. --rows, --peers, --rounds, --seconds, --json)

How: each measurement is a process of its own with two threads, in which calls are repeated for some seconds; the
frameworks take turns, and the best round of medians is shown. A call of a network is an epoch of some steps on arrays
in memory: one program ("run"), a Python loop over a compiled step ("loop"), `model.fit` of Keras, plain loops of torch
and flax. Layers are single calls. The population is eight networks under vmap, or one after another in one program,
beside eight times one.

Expected: ours is the fastest network in nearly every row. Keras on JAX was measured beside other work alone.

Measured (from results/convolution.json by results/tables.py):
    python experiments/benchmarks/convolution.py --peers-python PATH (2026-11-20, 2 cores, a processor with AVX-512)
        a step, mnist, ms: seqvision run 11.3; seqvision loop 20.5; against Keras on TF 15.3; torch 24.3; flax 57.5;
            keras-tf / ours 1.36; torch / ours 2.16; flax / ours 5.1; run / loop 0.55
        a step, fashion, ms: seqvision run 1.36; seqvision loop 1.35; against Keras on TF 6.83; torch 3.64; flax 4.09;
            keras-tf / ours 5.01; torch / ours 2.67; flax / ours 3; run / loop 1.01
        a step, cifar, ms: seqvision run 32.2; seqvision loop 42; against Keras on TF 46; torch 36.7; flax 57.1;
            keras-tf / ours 1.43; torch / ours 1.14; flax / ours 1.8; run / loop 0.77
        a step, mnist, disturbed by other work, ms: keras-jax / ours 5.1
        a step, fashion, disturbed by other work, ms: keras-jax / ours 3.3
        a step, cifar, disturbed by other work, ms: keras-jax / ours 1.4; torch / ours 0.87
        a step, population, ms: vmap / eight runs 0.83; map / eight runs 0.97
        a step, conv-32x32x32-32, ms: torch / ours 1.7; flax / ours 1.3
        a step, conv-8x8x128-128, ms: torch / ours 1.6; flax / ours 1.1
        a step, depthwise-56x56x64, ms: torch / ours 1.4; flax / ours 6.2
        a step, depthwise-28x28x128-s2, ms: torch / ours 8; flax / ours 63
        a step, maxpool-32x32x32, ms: torch / ours 15; flax / ours 27
        The networks two rounds with nothing beside; a round of all rows takes this time, a network alone 1 min.
    python experiments/benchmarks/convolution.py --peers-python PATH (2026-11-21, 2 cores, AMD EPYC)
        a step, mnist, ms: seqvision run 28.2; keras-tf / ours 0.99; torch / ours 1.22; flax / ours 2.4; run / loop 0.88
        a step, fashion, ms: seqvision run 2.33; keras-tf / ours 3.81; torch / ours 2.08; flax / ours 2.2; run / loop
            1.01
        a step, cifar, ms: seqvision run 57.5; keras-tf / ours 1.2; torch / ours 1.12; flax / ours 1.65; run / loop 0.84
        a step, population, ms: vmap / eight runs 0.79; map / eight runs 0.93
        a step, depthwise-56x56x64, ms: torch / ours 1.5; flax / ours 6.3
        a step, depthwise-28x28x128-s2, ms: torch / ours 6.6; flax / ours 57
Running time: 12 min.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqvision.pipelines import run_experiment

from conv_rows import LAYERS, NETWORKS, POPULATION
from processes import environment

PEERS: dict[str, tuple[str, dict[str, str]]] = {
    "keras-tf": ("conv_keras", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": ("conv_keras", {"KERAS_BACKEND": "jax"}),
    "torch": ("conv_torch", {}),
    "flax": ("conv_flax", {}),
}
OURS = "seqvision"
ROWS = (*NETWORKS, POPULATION, *LAYERS)
MEMBERS = 8


@dataclass(frozen=True)
class Config:
    """Compare the speed of convolutions and of the networks made of them."""

    rows: tuple[str, ...] = ROWS
    """networks, "population" and layers to measure"""
    peers: tuple[str, ...] = tuple(PEERS)
    """frameworks to measure"""
    rounds: int = 2
    """how often each measurement is made; the best is shown"""
    steps: int = 12
    """steps of a network in a call"""
    seconds: float = 3.0
    """for how long calls are repeated in a measurement"""
    threads: int = 2
    """CPU cores of each process"""
    peers_python: str = sys.executable
    """the Python interpreter that has the other frameworks"""
    json: Path | None = None
    """file for all measurements"""


def main(config: Config) -> dict[str, Any]:
    """Measure all rows, print a line of each, and return seconds and ratios."""
    check(config)
    results: dict[str, Any] = {}
    for row in config.rows:
        rounds = [{label: measure(config, row, label) for label in labels(config, row)} for _ in range(config.rounds)]
        results[row] = summarize(row, rounds)
        print(describe(row, results[row]), flush=True)
        if config.json is not None:
            config.json.write_text(json.dumps(results, indent=1))
    return results


def check(config: Config) -> None:
    """Raise ValueError for settings that cannot be measured."""
    for argument, names, known in (("rows", config.rows, ROWS), ("peers", config.peers, tuple(PEERS))):
        if not set(names) <= set(known) or (argument == "rows" and not names):
            raise ValueError(f"{argument} must be among {', '.join(known)}, got {', '.join(names) or 'none'}")
    for argument in ("rounds", "steps", "threads"):
        if getattr(config, argument) < 1:
            raise ValueError(f"{argument} must be at least 1, got {getattr(config, argument)}")


def labels(config: Config, row: str) -> list[str]:
    """Return who and what is measured for a row, ours first."""
    if row == POPULATION:
        return [f"{OURS} one", f"{OURS} vmap", f"{OURS} map"]
    return [f"{OURS} run", f"{OURS} loop", *config.peers] if row in NETWORKS else [f"{OURS} call", *config.peers]


def measure(config: Config, row: str, label: str) -> dict[str, Any]:
    """Measure one row by one framework in a new process; return its seconds a step, or why there are none."""
    name, _, way = label.partition(" ")
    module, own = PEERS.get(name, ("conv_seqvision", {}))
    task = {"module": module, "row": row, "way": way, "steps": config.steps, "seconds": config.seconds}
    process = subprocess.run(
        [
            sys.executable if name == OURS else config.peers_python,
            str(Path(__file__).with_name("conv_worker.py")),
            json.dumps(task | {"threads": config.threads}),
        ],
        env=os.environ | environment(config.threads) | own,
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(f"{label} failed on {row}:\n{process.stderr[-2000:]}")
    answer = json.loads(process.stdout.splitlines()[-1])
    if name == OURS and "absent" in answer:
        raise RuntimeError(f"seqvision cannot be imported by {sys.executable}: {answer['absent']}")
    return answer


def summarize(row: str, rounds: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return the best round of each, what is absent, and ratios."""
    times = {
        label: min(one[label]["seconds"] for one in rounds) for label in rounds[0] if "seconds" in rounds[0][label]
    }
    absent = {label: answer["absent"] for label, answer in rounds[0].items() if "absent" in answer}
    if row == POPULATION:
        eight = MEMBERS * times[f"{OURS} one"]
        ratios = {f"{way} / eight runs": times[f"{OURS} {way}"] / eight for way in ("vmap", "map")}
        return {"seconds": times, "ratios": ratios, "absent": absent}
    first = next(iter(times))
    ratios = {f"{label} / ours": s / times[first] for label, s in times.items() if not label.startswith(OURS)}
    if row in NETWORKS:
        ratios["run / loop"] = times[f"{OURS} run"] / times[f"{OURS} loop"]
    return {"seconds": times, "ratios": ratios, "absent": absent}


def describe(row: str, result: dict[str, Any]) -> str:
    """Return a row's results as lines of text, ms."""
    lines = [f"{row}, ms: " + ", ".join(f"{label} {1e3 * s:.3g}" for label, s in result["seconds"].items())]
    if result["ratios"]:
        lines.append("    " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in result["ratios"].items()))
    return "\n".join([*lines, *(f"    {name}: absent ({why})" for name, why in result["absent"].items())])


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
