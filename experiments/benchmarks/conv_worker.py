"""One measurement of the convolution benchmark, in a process of its own: prints seconds a step as JSON."""

import importlib
import json
import sys

from layer_worker import clock
from processes import use_cores


def measure(module: str, row: str, way: str, steps: int, seconds: float, threads: int) -> dict:
    """Return the median seconds of a step, or why there are none."""
    use_cores(threads)
    try:
        library = importlib.import_module(module)
    except ImportError as error:
        return {"absent": str(error)}
    try:
        call, count = library.prepare(row, way, steps, threads)
    except NotImplementedError as error:
        return {"lacks": str(error)}
    return {"seconds": clock(call, seconds, least=3) / count}


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
