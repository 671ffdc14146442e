"""One reading of a file in a process of its own: `reading_worker.py READER PATH FORM` prints seconds and megabytes."""

import json
import re
import resource
import sys
import time
from pathlib import Path


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says begins with the memory of the process that has started this one
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main(reader: str, path: str, form: str) -> dict[str, float]:
    """Read a file and return what it took."""
    import pandas as pd

    if reader == "seqvision":
        from seqvision.data import read_series

    before = peak()
    start = time.perf_counter()
    if reader == "seqvision":
        rows = len(read_series(path))
    else:
        given = {} if form == "iso" else {"date_format": "%d.%m.%Y %H:%M"}
        rows = len(pd.read_csv(path, parse_dates=["date"], **given))
    seconds = time.perf_counter() - start
    assert rows
    return {"seconds": seconds, "peak MB": peak(), "MB above the imports": peak() - before}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
