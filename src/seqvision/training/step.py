"""The one train step, for windows, images and whatever flax module a user brings."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
from jax import Array

from seqvision.data import Batch

from .apply import call_model
from .losses import PerExample, resolve_loss, resolve_metrics
from .state import TrainState

Metrics = Mapping[str, str | PerExample] | Iterable[str] | None
Step = Callable[[TrainState, Batch], tuple[TrainState, dict[str, Array]]]


def make_train_step(loss: str | PerExample, metrics: Metrics = None) -> Step:
    """Build the pure function ``step(state, batch) -> (state, metrics)``; jit it, scan it or vmap it.

    Dropout draws from ``fold_in(state.key, state.step)``, batch statistics are carried, and the returned metrics are
    means over the batch, "loss" among them.

    Args:
      loss: a name ("mse", "mae", "huber", "binary_cross_entropy", "cross_entropy", "categorical_cross_entropy",
        "sequence_cross_entropy") or a function (outputs, targets) -> (B,).
      metrics: names (also "accuracy", "token_accuracy", "exact_match"), or a mapping of names to names or such
        functions.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> state, metrics = jax.jit(make_train_step("mse", {"mae"}))(state, Batch(jnp.ones((4, 3)), jnp.zeros((4, 1))))
    >>> int(state.step), sorted(metrics)
    (1, ['loss', 'mae'])
    """
    loss_function, named = resolve_loss(loss), resolve_metrics(metrics)

    def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Array]]:
        key = jax.random.fold_in(state.key, state.step)

        def objective(params: Any) -> tuple[Array, tuple[Any, Any]]:
            outputs, batch_stats = _forward(state, params, batch.x, key)
            return _mean(loss_function(outputs, batch.y), "loss", batch), (outputs, batch_stats)

        (value, (outputs, batch_stats)), grads = jax.value_and_grad(objective, has_aux=True)(state.params)
        state = state.apply_gradients(grads=grads, batch_stats=batch_stats)
        return state, {"loss": value, **{name: _mean(f(outputs, batch.y), name, batch) for name, f in named}}

    return step


def make_eval_step(loss: str | PerExample, metrics: Metrics = None) -> Callable[[TrainState, Batch], dict[str, Array]]:
    """Build the pure function ``evaluate(state, batch) -> metrics``: no dropout, running batch statistics.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> sorted(make_eval_step("mse", {"mae"})(state, Batch(jnp.ones((4, 3)), jnp.zeros((4, 1)))))
    ['loss', 'mae']
    """
    functions = (("loss", resolve_loss(loss)), *resolve_metrics(metrics))

    def evaluate(state: TrainState, batch: Batch) -> dict[str, Array]:
        outputs = forward(state, batch.x)
        return {name: _mean(f(outputs, batch.y), name, batch) for name, f in functions}

    return evaluate


def forward(state: TrainState, x: Any) -> Any:
    """Return the model's outputs at inference: no dropout, running batch statistics.

    >>> import flax.linen as nn, jax.numpy as jnp, optax
    >>> from seqvision.training import create_state
    >>> forward(create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3))), jnp.ones((5, 3))).shape
    (5, 2)
    """
    return call_model(state.apply_fn, _variables(state, state.params), x, train=False)


def _forward(state, params, x, key):
    options: dict[str, Any] = {"rngs": {"dropout": key}}
    if not state.batch_stats:
        return call_model(state.apply_fn, _variables(state, params), x, train=True, **options), state.batch_stats
    outputs, updates = call_model(
        state.apply_fn, _variables(state, params), x, train=True, mutable=["batch_stats"], **options
    )
    return outputs, updates["batch_stats"]


def _variables(state, params):
    return {"params": params, "batch_stats": state.batch_stats} if state.batch_stats else {"params": params}


def _mean(values, name, batch):
    examples = jax.tree.leaves(batch.x)[0].shape[0]
    if values.shape != (examples,):
        raise ValueError(f"{name} must give one value an example, ({examples},), got shape {values.shape}")
    return values.mean()
