"""One reading of a file in a process of its own: `reading_worker.py READER PATH FORM` prints seconds and megabytes."""

import json
import sys
import time

from processes import peak


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
