"""JSON that any strict reader takes: no NaN, no infinities, dataclasses and arrays as plain values."""

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """Return dicts, lists, text, numbers, bools and None; what is not finite becomes None, arrays become lists.

    >>> to_plain({"loss": np.float32("nan"), "shape": (1, 2), "path": Path("a")})
    {'loss': None, 'shape': [1, 2], 'path': 'a'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        return to_plain(np.asarray(value).tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r} has no place in JSON: convert it first")


def json_text(value: Any, indent: int | None = 2) -> str:
    """Return strict JSON of anything that ``to_plain`` takes.

    >>> json_text({"rmse": float("inf")}, indent=None)
    '{"rmse": null}'
    """
    return json.dumps(to_plain(value), indent=indent, allow_nan=False, ensure_ascii=False)


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a file of strict JSON.

    Raises:
      FileNotFoundError: if there is none.
      ValueError: naming the file, if it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}): restore it from a copy") from error


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")
