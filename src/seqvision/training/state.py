"""The training state: flax's TrainState with batch statistics and a key."""

from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training import train_state
from jax import Array

from .apply import call_model, model_variables
from .program import Program


class TrainState(train_state.TrainState):
    """Step count, parameters and optimizer state of flax's TrainState, plus batch statistics and the run's key."""

    batch_stats: Any  # the model's "batch_stats" collection, {} if it has none
    key: Array  # every random draw of training is fold_in(key, ...)


def create_state(model: nn.Module, optimizer: optax.GradientTransformation, key: Array, example_x: Any) -> TrainState:
    """Initialize a model and its optimizer in one jitted call.

    Equal models share one compilation; an optimizer counts as equal only if it is the same object.

    Args:
      model: any flax.linen module; ``train=`` is passed where its call takes it.
      optimizer: an optax transformation.
      key: a JAX key.
      example_x: an input with its batch axis; only shapes and dtypes matter.

    Raises:
      ValueError: if the model keeps variables other than params and batch_stats.

    >>> state = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jax.numpy.ones((1, 3)))
    >>> state.params["kernel"].shape
    (3, 2)
    """
    example_x = jax.tree.map(jnp.asarray, example_x)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((key, example_x))):
        return _init(model, optimizer, key, example_x)  # inside a caller's jit or vmap
    return _init_program(_Static(model), optimizer).compile(key, example_x)(key, example_x)


def state_shapes(model: nn.Module, optimizer: optax.GradientTransformation, key: Array, example_x: Any) -> TrainState:
    """Return what `create_state` returns, as shapes and dtypes."""
    return _init_program(_Static(model), optimizer).shapes(key, example_x)


def _init(model, optimizer, key, example_x):
    init_key, dropout_key, train_key = jax.random.split(key, 3)
    variables = call_model(model.init, {"params": init_key, "dropout": dropout_key}, example_x, train=False)
    params, batch_stats = model_variables(model, variables)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        apply_fn=model.apply,
        params=params,
        tx=optimizer,
        opt_state=optimizer.init(params),
        batch_stats=batch_stats,
        key=train_key,
    )


@lru_cache(maxsize=64)
def _init_program(static: "_Static", optimizer: optax.GradientTransformation) -> Program:
    return Program(lambda key, x: _init(static.model, optimizer, key, x), once=True)


class _Static:
    """A module as a static argument: equal by value, or by identity if a field (a list, say) has no hash."""

    def __init__(self, model: nn.Module):
        self.model = model
        try:
            hash(model)
            self.token: Any = model
        except TypeError:
            self.token = id(model)

    def __hash__(self) -> int:
        return hash(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and type(self.token) is type(other.token) and self.token == other.token
