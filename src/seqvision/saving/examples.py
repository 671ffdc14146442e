"""What a model's inputs look like, as JSON: shape and dtype of a batch of one, also in tuples, lists and dicts."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from seqvision._checks import shown
from seqvision.saving.registry import DTYPES

_LONGEST, _LARGEST = 1 << 24, 1 << 31


def describe_example(example: Any) -> Any:
    """Return shape and dtype of inputs with their batch axis, which counts as 1.

    >>> describe_example(jax.ShapeDtypeStruct((32, 10, 1), "float32"))
    {'shape': [1, 10, 1], 'dtype': 'float32'}
    """
    if example is None:
        return None
    if isinstance(example, Mapping):
        return {"dict": {str(name): describe_example(part) for name, part in example.items()}}
    if isinstance(example, tuple | list):
        return {type(example).__name__: [describe_example(part) for part in example]}
    if not hasattr(example, "dtype") or not getattr(example, "shape", ()):
        raise ValueError(f"example must be an input with its batch axis, got {shown(example)}")
    return {"shape": [1, *map(int, example.shape[1:])], "dtype": str(jnp.dtype(example.dtype))}


def build_example(told: Any) -> Any:
    """Return what `describe_example` described, as `jax.ShapeDtypeStruct`.

    Raises:
      ValueError: for what is no description of inputs, or of inputs beyond 2^31 numbers.

    >>> build_example({"shape": [1, 10, 1], "dtype": "float32"})
    ShapeDtypeStruct(shape=(1, 10, 1), dtype=float32)
    """
    return _build(told, 0)


def _build(told: Any, depth: int) -> Any:
    if told is None and depth:
        return None
    keys = set(told) if isinstance(told, dict) and depth < 10 else set()
    if keys == {"dict"} and isinstance(told["dict"], dict):
        return {name: _build(part, depth + 1) for name, part in told["dict"].items()}
    if keys in ({"tuple"}, {"list"}):
        ((kind, parts),) = told.items()
        if isinstance(parts, list):
            return {"tuple": tuple, "list": list}[kind](_build(part, depth + 1) for part in parts)
    if keys == {"shape", "dtype"} and isinstance(told["dtype"], str) and told["dtype"] in DTYPES:
        shape = told["shape"]
        well = isinstance(shape, list) and shape and all(type(n) is int and 0 < n < _LONGEST for n in shape)
        if well and math.prod(shape) < _LARGEST:
            return jax.ShapeDtypeStruct(tuple(shape), DTYPES[told["dtype"]])
    raise ValueError(f"{shown(told, 80)} is no shape and dtype of inputs")
