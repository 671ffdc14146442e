"""One measurement of `time_to_result.py` in a process of its own: calls what a row names, and prints seconds as JSON.

The process has the seqvision that PYTHONPATH names, of this checkout or of another.
"""

import sys
import time

STARTED = time.perf_counter()

import contextlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from processes import cpu_seconds, peak, use_cores  # noqa: E402
from rows import ROWS, make_sample  # noqa: E402
from time_phases import Watch  # noqa: E402

BLOCK, FIRST = 10, 400  # rows that are forecast from an origin, and before the first one


def main(kind: str, calls: int, threads: int, **options: Any) -> dict[str, Any]:
    """Call what a row names so many times, and return the seconds of each call by phase, memory and CPU seconds."""
    use_cores(threads)
    watch = Watch()
    watch.hear_jax()
    call = KINDS[kind](threads=threads, **options)
    imported = time.perf_counter()
    measured = []
    for _ in range(calls):
        programs, hits, begin = watch.programs, watch.hits, time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            call()
        end = time.perf_counter()
        counts = {"programs": watch.programs - programs, "cache hits": watch.hits - hits}
        used = {"cpu": cpu_seconds(), "peak MB": peak(), "done": time.time()}
        measured.append({"call": end - begin, "phases": watch.spent(begin, end), **counts, **used})
    # What the process was about before its first call is importing, but for the interpreter's own start.
    measured[0]["phases"]["import"] += imported - STARTED
    return {"calls": measured}


def command(threads: int, folder: str) -> Any:
    """README's command."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import stock_forecast
    from seqvision.pipelines import run_experiment

    return lambda: run_experiment(stock_forecast.main, stock_forecast.Config, args=["--out", folder])


def words(threads: int, words: list[str]) -> Any:
    """A line of the command line."""
    from seqvision.cli import main

    def call() -> None:
        if main(words):
            raise RuntimeError(f"seqvision {' '.join(words)} failed")

    return call


def fitted(threads: int, row: str, epochs: int, examples: int, batch_size: int, seed: int) -> Any:
    """A row of `rows.py`, trained."""
    from peer_seqvision import train

    sample = make_sample(ROWS[row], examples)
    return lambda: train(ROWS[row], sample, epochs, batch_size, threads, seed, compilation_cache=True)


def origins(threads: int, origins: int, epochs: int, seed: int) -> Any:
    """A forecaster trained anew at each origin on all rows before it, which forecasts the block of rows after it."""
    from seqvision.data import Windows
    from seqvision.training import fit, predict

    from peer_seqvision import build

    row = ROWS["lstm5"]
    series = make_sample(row, FIRST + origins * BLOCK).series

    def call() -> None:
        for origin in range(FIRST, FIRST + origins * BLOCK, BLOCK):
            known = Windows(series[:origin], row.length)
            ahead = Windows(series[origin - row.length : origin + BLOCK], row.length)
            done = fit(
                build(row), known, loss="mse", optimizer="adam", epochs=epochs, batch_size=32, key=seed, progress=False
            )
            assert len(predict(done.state, ahead)) == BLOCK

    return call


KINDS = {"command": command, "words": words, "fit": fitted, "origins": origins}

if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
