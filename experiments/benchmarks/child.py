"""One measurement, in a process of its own: train one row by one framework and print its times as JSON.

Runs in the environment of the framework, which need not have seqvision: it takes NumPy and the framework alone.
"""

import importlib
import json
import sys
import time

from processes import cpu_seconds, peak, use_cores


def measure(module: str, row: str, epochs: int, examples: int, batch_size: int, threads: int, seed: int) -> dict:
    """Import a framework's module, train a row by it, and return the seconds of each part.

    "setup" is all of the training that is not a steady epoch: building, compiling, the first epoch's excess.
    """
    start = time.perf_counter()
    use_cores(threads)
    try:
        peer = importlib.import_module(module)
    except ImportError as error:
        return {"absent": str(error)}
    imported = time.perf_counter()
    from rows import ROWS, make_sample

    sample = make_sample(ROWS[row], examples)
    begun = time.perf_counter()
    epoch, losses = peer.train(ROWS[row], sample, epochs, batch_size, threads, seed)
    fit = time.perf_counter() - begun
    return {
        "import": imported - start,
        "setup": fit - epochs * epoch,
        "epoch": epoch,
        "fit": fit,
        "loss": losses[-1],
        "trained": time.time(),
        "cpu": cpu_seconds(),
        "peak MB": peak(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
