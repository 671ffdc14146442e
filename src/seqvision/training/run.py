"""A whole training run as one pure function of (state, data)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding

from .divergence import Guard, start_guard
from .epochs import Evaluate, Metrics, make_epochs
from .state import TrainState
from .step import Step
from .stopping import EarlyStopping, Watch, best_state, start_watch

Run = Callable[..., tuple[TrainState, Metrics]]


def make_run(
    step: Step,
    *,
    epochs: int,
    batch_size: int,
    shuffle: bool = True,
    evaluate: Evaluate | None = None,
    eval_batch_size: int | None = None,
    stopping: EarlyStopping | None = None,
    batch_sharding: NamedSharding | None = None,
) -> Run:
    """Build ``run(state, data, validation=None) -> (state, history)``: jit it, vmap it over states.

    Every epoch visits each example once, in an order drawn from the state's key and its step count, so that two runs of
    3 epochs are one of 6. A smaller last batch is a step of its own in the same program.

    Args:
      step: what `make_train_step` returns.
      epochs: passes over the data, >= 1.
      batch_size: examples a step, <= len(data).
      shuffle: False keeps the order of the data.
      evaluate: what `make_eval_step` returns; with it and validation data, history gets "val_" entries.
      eval_batch_size: examples at once in evaluation; batch_size where None.
      stopping: end early; the state then has the weights of the best epoch, and the history is NaN after the last.
      batch_sharding: how each batch lies over several devices, for instance
        ``NamedSharding(mesh, PartitionSpec("data"))``, each of which then computes its part of it; rows that they do
        not divide are computed by all of them.

    Returns:
      run; its history holds one (epochs,) array a metric, means over the examples of an epoch. From an epoch on in
      which a loss is not finite the history is NaN, and the state is the last good one: with which the first batch of
      an epoch had a finite loss.

    >>> import flax.linen as nn, optax
    >>> from seqvision.data import Arrays
    >>> from seqvision.training import create_state, make_train_step
    >>> data = Arrays(jnp.ones((10, 3)), jnp.zeros((10, 1)))
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> state, history = jax.jit(make_run(make_train_step("mse"), epochs=5, batch_size=4))(state, data)
    >>> history["loss"].shape, int(state.step)
    ((5,), 15)
    """
    several = make_epochs(step, epochs, batch_size, shuffle, evaluate, eval_batch_size, stopping, batch_sharding)

    def run(state: TrainState, data: Any, validation: Any = None) -> tuple[TrainState, Metrics]:
        watch = None if stopping is None else start_watch(state)
        state, watch, guard, history = several(state, watch, start_guard(state), data, validation)
        done = jnp.arange(epochs) < guard.epochs
        history = {name: jnp.where(done, values, jnp.nan) for name, values in history.items()}
        last, good = end_state(state, watch), good_state(watch, guard, stopping)
        return jax.tree.map(lambda a, b: jnp.where(guard.batch < 0, a, b), last, good), history

    return run


def end_state(state: TrainState, watch: Watch | None) -> TrainState:
    """Return what a run gives back: with early stopping, the best epoch's weights."""
    return state if watch is None else best_state(state, watch)


def good_state(watch: Watch | None, guard: Guard, stopping: EarlyStopping | None) -> TrainState:
    """Return what a run gives back that met a loss that is not finite.

    The best epoch's weights count if validation data measured them: a loss in training is one of the weights before.
    """
    if watch is None or stopping is None or not stopping.monitor.startswith("val_"):
        return guard.state
    return best_state(guard.state, watch)
