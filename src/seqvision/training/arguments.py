"""What a user gives for a model, data and a key: what can be meant one way only is taken, the rest explained."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jax import Array

from seqvision._checks import check_count, shown
from seqvision.cells import Cell
from seqvision.data import Arrays, Stream


def resolve_key(key: Any) -> Array:
    """Return a JAX key, or the one of a seed.

    >>> bool(resolve_key(0) == jax.random.key(0))
    True
    """
    if isinstance(key, int | np.integer):
        return jax.random.key(check_count("key", key, least=0, below=2**32))
    typed = hasattr(key, "dtype") and jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key)
    if getattr(key, "shape", None) != (() if typed else (2,)):
        remedy = "one of them, or see run_population" if typed else "jax.random.key(0), or a seed such as 0"
        raise TypeError(f"key must be one JAX key, got {shown(key)}: give {remedy}")
    return key


def check_model(model: Any) -> nn.Module:
    """Refuse what is no flax.linen module, and say what to write."""
    if isinstance(model, nn.Module):
        return model
    if isinstance(model, Cell):
        cell = f"{model.__name__}(8)" if isinstance(model, type) else repr(model)
        remedy = f"wrap the cell in a model, seqvision.models.Recurrent(({cell},))"
    elif isinstance(model, type):
        remedy = f"make one, {model.__name__}(…)"
    elif type(model).__module__.startswith("flax.nnx") or any(
        kind.__module__.startswith("flax.nnx") for kind in type(model).__mro__
    ):
        remedy = "train modules of nnx by a loop of your own, or write the model for flax.linen"
    else:
        remedy = "such as seqvision.models.Recurrent or one of your own"
    raise TypeError(f"model must be a flax.linen module, got {shown(model, 80)}: {remedy}")


def is_data_set(data: Any) -> bool:
    """Whether rows can be gathered of it, as of `Windows` and `Arrays`; a tensor of torch has another ``gather``."""
    return hasattr(data, "gather") and hasattr(data, "__len__") and not hasattr(data, "dtype")


def as_data(name: str, data: Any) -> Any:
    """Return a data set: what is one already, or the `Arrays` of a pair (x, y)."""
    if isinstance(data, Stream) or is_data_set(data):
        return data
    if isinstance(data, tuple) and not hasattr(data, "_fields") and len(data) == 2:
        return Arrays(*data)
    if isinstance(data, tuple) and hasattr(data, "x") and hasattr(data, "y"):
        return Arrays(data.x, data.y)
    if hasattr(data, "shape") or isinstance(data, dict | list):
        remedy = "give the targets beside the inputs, as the pair (x, y) or Arrays(x, y)"
    elif isinstance(data, tuple):
        remedy = f"a pair (x, y) has two entries, not {len(data)}"
    elif hasattr(data, "__iter__"):
        remedy = "give what makes its batches, Stream(lambda: iter(data))"
    else:
        remedy = "give Arrays(x, y), Windows(series, length) or a pair (x, y)"
    raise TypeError(f"{name} must be Windows, Arrays, a Stream or a pair (x, y), got {shown(data, 80)}: {remedy}")
