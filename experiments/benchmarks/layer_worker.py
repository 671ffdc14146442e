"""A process that times recurrent layers of one framework: a task a line in, its seconds a line out, as JSON.

It keeps what it has compiled, so that the rounds of a row cost their calls alone. Runs in the environment of the
framework, which need not have seqvision.
"""

import importlib
import json
import os
import statistics
import sys
import time
from functools import cache

from layer_rows import parse
from processes import use_cores


def serve(module: str, peer: str, threads: int, tasks, answers) -> None:
    """Say whether the framework is there, then answer tasks until there are no more."""
    use_cores(threads)

    def answer(**what):
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        library = importlib.import_module(module)
        library.load(peer, threads)
    except ImportError as error:
        return answer(absent=str(error))
    answer(ready=peer)

    @cache
    def prepare(row, options, mode, steps):
        begun = time.perf_counter()
        run = library.build(peer, parse(row), mode=mode, steps=steps, **dict(options))
        run()
        return run, time.perf_counter() - begun

    for line in tasks:
        task = json.loads(line)
        try:
            options = tuple(sorted(task["options"].items()))
            run, compiling = prepare(task["row"], options, task["mode"], task["steps"])
        except NotImplementedError as error:
            answer(lacks=str(error))
            continue
        seconds = clock(run, task["seconds"]) / (task["steps"] if task["mode"] == "loop" else 1)
        answer(seconds=seconds, compiling=compiling, temporaries=getattr(run, "temporaries", None))


def clock(run, seconds: float, least: int = 5) -> float:
    """Return the median time of calls that are repeated for some seconds."""
    times: list[float] = []
    run()
    while len(times) < least or sum(times) < seconds:
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


if __name__ == "__main__":
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    serve(**json.loads(sys.argv[1]), tasks=sys.stdin, answers=replies)
