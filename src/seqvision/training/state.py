"""The training state: flax's TrainState with batch statistics and a key; how its model is called."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training import train_state
from jax import Array

from .compilation import Program


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
    unknown = sorted(set(variables) - {"params", "batch_stats"})
    if unknown:
        raise ValueError(
            f"{type(model).__name__} keeps the collections {unknown}; training carries params and batch_stats: "
            "sow values instead of keeping them, or train with a step of your own"
        )
    params = variables.get("params", {})
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        apply_fn=model.apply,
        params=params,
        tx=optimizer,
        opt_state=optimizer.init(params),
        batch_stats=variables.get("batch_stats", {}),
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


def call_model(method: Callable, variables: Any, x: Any, *, train: bool, **options: Any) -> Any:
    """Call ``model.init`` or ``model.apply``, with ``train`` only where the module's ``__call__`` takes it."""
    if _takes_train(method):
        options["train"] = train
    return method(variables, x, **options)


def _takes_train(method: Callable) -> bool:
    module = getattr(method, "__self__", None)
    if isinstance(module, nn.Sequential):  # hands its keywords to its first layer
        first = module.layers[0] if module.layers else None
        return first is not None and _takes_train(first.__call__ if isinstance(first, nn.Module) else first)
    call = type(module).__call__ if isinstance(module, nn.Module) else method
    parameters = inspect.signature(call).parameters.values()
    return any(p.name == "train" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
