"""The classes and functions that a saved model may name: those of the library and flax's layers, and no others."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision import cells, conv, models, seq2seq
from seqvision.activations import ACTIVATIONS

_LAYERS = """
    BatchNorm Bidirectional Conv ConvLSTMCell ConvLocal ConvTranspose Dense DenseGeneral Dropout Einsum Embed GRUCell
    GroupNorm InstanceNorm LSTMCell LayerNorm MGUCell MultiHeadAttention MultiHeadDotProductAttention OptimizedLSTMCell
    PReLU RMSNorm RNN SelfAttention Sequential SimpleCell SpectralNorm WeightNorm
"""
_OF_JAX = """
    celu elu gelu glu hard_sigmoid hard_silu hard_tanh identity leaky_relu log_sigmoid log_softmax mish relu relu6 selu
    sigmoid silu soft_sign softmax softplus sparse_plus sparse_sigmoid squareplus standardize tanh
"""
# The others of jax are variance_scaling with arguments.
_INITIALIZERS = "constant delta_orthogonal normal ones orthogonal truncated_normal uniform variance_scaling zeros"


def _listed(names: str) -> Iterator[str]:
    yield from names.split()


def _classes(room: ModuleType) -> dict[str, type]:
    named = {name: getattr(room, name) for name in room.__all__}
    return {name: thing for name, thing in named.items() if inspect.isclass(thing) and dataclasses.is_dataclass(thing)}


CLASSES: Mapping[str, type] = (
    _classes(cells)
    | _classes(seq2seq)
    | _classes(models)
    | {f"flax.{name}": getattr(nn, name) for name in _listed(_LAYERS) if hasattr(nn, name)}
)
FUNCTIONS: Mapping[str, Callable[..., Any]] = (
    dict(ACTIVATIONS)
    | {f"jax.nn.{name}": getattr(jax.nn, name) for name in _listed(_OF_JAX) if hasattr(jax.nn, name)}
    | {f"conv.{name}": getattr(conv, name) for name in conv.__all__ if inspect.isfunction(getattr(conv, name))}
    | {f"flax.{name}": getattr(nn, name) for name in ("avg_pool", "max_pool", "dot_product_attention")}
)
INITIALIZERS: Mapping[str, Callable[..., Any]] = {
    name: getattr(jax.nn.initializers, name) for name in _listed(_INITIALIZERS)
}
DTYPES: Mapping[str, Any] = {
    str(jnp.dtype(kind)): kind
    for kind in (
        *(jnp.bool_, jnp.int8, jnp.int16, jnp.int32, jnp.int64, jnp.uint8, jnp.uint16, jnp.uint32, jnp.uint64),
        *(jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64, jnp.complex64, jnp.complex128),
    )
}


@functools.cache
def names_of(table: str) -> dict[int, str]:
    """Return the name of each thing in CLASSES or FUNCTIONS by its identity; of several names the first."""
    things: Mapping[str, Any] = {"classes": CLASSES, "functions": FUNCTIONS}[table]
    return {id(thing): name for name, thing in reversed(list(things.items()))}


def initializer_call(function: Any) -> tuple[str, dict[str, Any] | None] | None:
    """Return which initializer of jax a function is: its name and what it was made with, None where nothing was.

    >>> initializer_call(jax.nn.initializers.normal(0.02))[1]["stddev"]
    0.02
    >>> initializer_call(jax.nn.initializers.zeros), initializer_call(len)
    (('zeros', None), None)
    """
    if getattr(function, "__module__", None) not in ("jax._src.nn.initializers", "jax.nn.initializers"):
        return None
    name, _, inner = getattr(function, "__qualname__", "").partition(".")
    if name not in INITIALIZERS:
        return None
    if not inner:
        return (name, None) if function is INITIALIZERS[name] else None
    made = inspect.getclosurevars(function).nonlocals
    if not made.keys() <= inspect.signature(INITIALIZERS[name]).parameters.keys():
        return None
    return name, dict(made)


def dtype_name(value: Any) -> tuple[str, str] | None:
    """Return ("dtype", name) of a NumPy dtype, ("scalar_type", name) of such as ``jnp.float32``, else None.

    >>> dtype_name(np.dtype("float32")), dtype_name(jnp.bfloat16), dtype_name("float32")
    (('dtype', 'float32'), ('scalar_type', 'bfloat16'), None)
    """
    if isinstance(value, np.dtype):
        kind = "dtype"
    elif any(value is scalar for scalar in DTYPES.values()) or (
        inspect.isclass(value) and issubclass(value, np.generic)
    ):
        kind = "scalar_type"
    else:
        return None
    name = str(jnp.dtype(value))
    return (kind, name) if name in DTYPES else None
