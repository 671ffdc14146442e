"""A whole training run as one pure function of (state, data)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from seqvision.data import Batch

from .counts import check_batch_size, check_positive
from .state import TrainState
from .step import Step
from .stopping import EarlyStopping, Epoch, best_state, start_watch, watched_epochs

_SHUFFLE = 0x5EED  # folded into the key before the epoch, so that shuffling and dropout never share a stream

Metrics = dict[str, Array]
Evaluate = Callable[[TrainState, Batch], Metrics]
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

    Returns:
      run; its history holds one (epochs,) array a metric, means over the examples of an epoch.

    >>> import flax.linen as nn, optax
    >>> from seqvision.data import Arrays
    >>> from seqvision.training import create_state, make_train_step
    >>> data = Arrays(jnp.ones((10, 3)), jnp.zeros((10, 1)))
    >>> state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> state, history = jax.jit(make_run(make_train_step("mse"), epochs=5, batch_size=4))(state, data)
    >>> history["loss"].shape, int(state.step)
    ((5,), 15)
    """
    check_positive("epochs", epochs)
    epoch = make_epoch(step, batch_size=batch_size, shuffle=shuffle, evaluate=evaluate, eval_batch_size=eval_batch_size)

    def run(state: TrainState, data: Any, validation: Any = None) -> tuple[TrainState, Metrics]:
        if stopping is None:
            return jax.lax.scan(lambda state, _: epoch(state, data, validation), state, None, length=epochs)
        watch = start_watch(state)
        state, watch, history = watched_epochs(epoch, stopping, epochs, state, watch, data, validation)
        return best_state(state, watch), history

    return run


def make_epoch(
    step: Step,
    *,
    batch_size: int,
    shuffle: bool = True,
    evaluate: Evaluate | None = None,
    eval_batch_size: int | None = None,
) -> Epoch:
    """Build ``epoch(state, data, validation) -> (state, metrics)``, one pass over the data; see `make_run`."""
    check_positive("batch_size", batch_size)

    def epoch(state: TrainState, data: Any, validation: Any) -> tuple[TrainState, Metrics]:
        check_batch_size(batch_size, len(data))
        if validation is not None and evaluate is None:
            raise ValueError("validation data given, but make_run got no evaluate: pass make_eval_step(loss, metrics)")
        order = epoch_order(state, len(data), batch_size, shuffle)
        state, metrics = over_batches(step, state, data, order, batch_size)
        if validation is not None and evaluate is not None:
            metrics |= evaluate_data(evaluate, state, validation, eval_batch_size or batch_size)
        return state, metrics

    return epoch


def epoch_order(state: TrainState, examples: int, batch_size: int, shuffle: bool) -> Array:
    """Return the rows (N,) in the order in which the epoch that begins at ``state.step`` visits them."""
    if not shuffle:
        return jnp.arange(examples)
    epoch = state.step // -(-examples // batch_size)
    key = jax.random.fold_in(jax.random.fold_in(state.key, _SHUFFLE), epoch)
    return jax.random.permutation(key, examples)


def over_batches(step: Step, state: TrainState, data: Any, order: Array, batch_size: int) -> tuple[TrainState, Metrics]:
    """Take a step for every batch of rows in ``order``: full batches in a loop, then what is left."""

    def body(state: TrainState, indices: Array) -> tuple[TrainState, Metrics]:
        return take_step(step, state, data, indices)

    full = order.shape[0] // batch_size
    state, metrics = jax.lax.scan(body, state, order[: full * batch_size].reshape(full, batch_size))
    rest = order[full * batch_size :]
    if not rest.shape[0]:
        return state, mean_metrics(metrics, None, batch_size, 0)
    state, last = body(state, rest)
    return state, mean_metrics(metrics, last, batch_size, rest.shape[0])


def take_step(step: Step, state: TrainState, data: Any, indices: Array) -> tuple[TrainState, Metrics]:
    """Step on these rows, compiled alike wherever it stands: nothing is fused across its borders."""
    inputs = jax.lax.optimization_barrier((state, data.gather(indices)))
    return jax.lax.optimization_barrier(step(*inputs))


def mean_metrics(full: Metrics, last: Metrics | None, batch_size: int, rest: int) -> Metrics:
    """Average over examples the metrics of full batches, each (batches,), and of a smaller last one, each ()."""
    # The barrier keeps this arithmetic apart from the step's, so that both execution modes compile it alike.
    full, last = jax.lax.optimization_barrier((full, last))
    if last is None:
        return {name: values.mean() for name, values in full.items()}
    return {
        name: (values.sum() * batch_size + last[name] * rest) / (values.shape[0] * batch_size + rest)
        for name, values in full.items()
    }


def evaluate_data(evaluate: Evaluate, state: TrainState, data: Any, batch_size: int) -> Metrics:
    """Return "val_" means over all rows of data, batch by batch."""
    _, metrics = over_batches(
        lambda state, batch: (state, evaluate(state, batch)),
        state,
        data,
        jnp.arange(len(data)),
        min(batch_size, len(data)),
    )
    return {f"val_{name}": value for name, value in metrics.items()}
