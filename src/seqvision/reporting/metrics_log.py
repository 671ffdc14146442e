"""metrics.jsonl: one line an epoch, read again as far as it was written."""

import json
import os
from pathlib import Path
from typing import Any


def read_metrics(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read a metrics.jsonl file; a last line torn by a crash is left out, any other broken line is an error.

    Returns:
      One dict a line; none if there is no file yet.

    Raises:
      ValueError: naming the line.
    """
    path = Path(path)
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError(f"a {type(record).__name__}, no record")
                records.append(record)
        except (ValueError, RecursionError) as error:  # a torn UTF-8 sign is a ValueError too
            if number == len(lines):  # complete lines end in a newline, so this one was being written
                break
            raise ValueError(f"{path} line {number} is not JSON ({error})") from error
    return records
