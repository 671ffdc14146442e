"""Activation functions by name: one table for blocks and models."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

__all__ = ["ACTIVATIONS", "MONOTONE", "Activation", "activation", "bru", "linear"]

Activation = str | Callable[[Array], Array]


def bru(x: Array, r: float = 2.0) -> Array:
    """Bionodal root unit: (r^2 x + 1)^(1/r) - 1/r where x >= 0, exp(r x) - 1/r below.

    Bhumbra 2018, "Deep learning improved by biological activation functions" (https://arxiv.org/abs/1804.11237).

    Args:
      x: any shape.
      r: root, > 0; with 1 it is the ELU.

    >>> bru(jnp.array([-1.0, 0.0, 2.0])).round(3).tolist()
    [-0.36500000953674316, 0.5, 2.5]
    """
    right = x >= 0  # and not a maximum with 0, whose slope at 0 is half of each
    root = (r**2 * jnp.where(right, x, 0) + 1) ** (1 / r)
    return jnp.where(right, root, jnp.exp(r * jnp.where(right, 0, x))) - 1 / r


def linear(x: Array) -> Array:
    """Return x as it is."""
    return x


# The functions of jax.nn, whose docstrings name their papers. Monotone, never decreasing: the largest activation is
# the activation of the largest.
MONOTONE: dict[str, Callable[[Array], Array]] = {
    "linear": linear,
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "celu": jax.nn.celu,
    "softplus": jax.nn.softplus,
    "soft_sign": jax.nn.soft_sign,
    "sigmoid": jax.nn.sigmoid,
    "log_sigmoid": jax.nn.log_sigmoid,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "tanh": jnp.tanh,
    "hard_tanh": jax.nn.hard_tanh,
    "bru": bru,
}

ACTIVATIONS: dict[str, Callable[[Array], Array]] = MONOTONE | {
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "swish": jax.nn.silu,
    "mish": jax.nn.mish,
    "hard_silu": jax.nn.hard_silu,
    "hard_swish": jax.nn.hard_silu,
}


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
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, or a function, got {name!r}")
    return ACTIVATIONS[name]
