"""Names of curves, from lines of metrics.jsonl."""

import math
from collections.abc import Mapping
from typing import Any


def curve_name(record: Mapping[str, Any]) -> str:
    """Return the model and the seed that a line is of.

    >>> curve_name({"model": "gru", "seed": 0, "epoch": 3, "loss": 0.5})
    'gru/seed_0'
    """
    return "/".join(str(part) for part in (record.get("model"), _seed(record)) if part is not None)


def values(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite metrics of a line.

    >>> values({"model": "gru", "seed": 0, "epoch": 3, "loss": 0.5, "val_loss": float("nan")})
    {'loss': 0.5}
    """
    numbers = {k: v for k, v in record.items() if k not in ("seed", "epoch") and isinstance(v, int | float)}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def _seed(record: Mapping[str, Any]) -> str | None:
    return None if record.get("seed") is None else f"seed_{record['seed']}"
