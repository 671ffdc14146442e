"""Activation functions by name."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "linear": lambda x: x,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "softplus": jax.nn.softplus,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
}

Activation = str | Callable[[Array], Array]


def activation(name: Activation) -> Callable[[Array], Array]:
    """Return an activation function by its name; a function stands for itself.

    Raises:
      ValueError: for an unknown name.

    >>> activation("relu")(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if callable(name):
        return name
    if name not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]
