"""A whole training run as one pure function of (state, data)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import NamedSharding

from seqvision._checks import check_count, check_flag
from seqvision.data import Batch

from .checks import check_batch_size
from .divergence import Guard, first_bad_batch, loss_of, start_guard, update_guard
from .placement import lay_batch
from .state import TrainState
from .step import Step
from .stopping import EarlyStopping, Watch, best_state, start_watch, update_watch

_SHUFFLE = 0x5EED  # folded into the key before the epoch, so that shuffling and dropout never share a stream

Metrics = dict[str, Array]
Evaluate = Callable[[TrainState, Batch], Metrics]
Run = Callable[..., tuple[TrainState, Metrics]]
Epochs = Callable[[TrainState, Watch | None, Guard, Any, Any], tuple[TrainState, Watch | None, Guard, Metrics]]


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


def make_epochs(
    step: Step,
    epochs: int,
    batch_size: int,
    shuffle: bool = True,
    evaluate: Evaluate | None = None,
    eval_batch_size: int | None = None,
    stopping: EarlyStopping | None = None,
    batch_sharding: NamedSharding | None = None,
) -> Epochs:
    """Build ``several(state, watch, guard, data, validation) -> (state, watch, guard, history)``.

    A run that can be gone on with: what `make_run` wraps and what `fit` compiles; ``watch`` is None without early
    stopping.
    """
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    check_flag("shuffle", shuffle)

    def several(state: TrainState, watch: Watch | None, guard: Guard, data: Any, validation: Any) -> Any:
        check_batch_size(batch_size, len(data))
        if validation is not None and evaluate is None:
            raise ValueError("validation data given, but make_run got no evaluate: pass make_eval_step(loss, metrics)")

        def take(state: TrainState, rows: Array) -> tuple[TrainState, Metrics]:
            return _apart(step(*_apart((state, lay_batch(data.gather(rows), batch_sharding)))))

        def epoch(carry: tuple[TrainState, Guard], _: None = None) -> tuple[tuple[TrainState, Guard], Metrics]:
            before, guard = carry
            state = before
            order = epoch_order(state.key, state.step, len(data), batch_size) if shuffle else jnp.arange(len(data))
            full, rest = _batches(order, batch_size)
            state, metrics = jax.lax.scan(take, state, full)
            last = None
            if rest.size:
                state, last = take(state, rest)
            bad = _first_bad_batch(metrics, last)
            metrics = _mean_metrics(metrics, last, batch_size, rest.size)
            if validation is not None and evaluate is not None:
                metrics |= evaluate_data(evaluate, state, validation, eval_batch_size or batch_size, batch_sharding)
            return (state, update_guard(guard, before, bad, metrics)), metrics

        if watch is None or stopping is None:
            (state, guard), history = jax.lax.scan(epoch, (state, guard), None, length=epochs)
            return state, watch, guard, history

        _, entries = jax.eval_shape(epoch, (state, guard))
        stopping.check(entries)
        history = {name: jnp.full(epochs, jnp.nan, entry.dtype) for name, entry in entries.items()}

        def goes_on(carry: Any) -> Array:
            number, _, watch, guard, _ = carry
            return (number < epochs) & ~watch.stopped & (guard.batch < 0)

        def watched(carry: Any) -> Any:
            number, state, watch, guard, history = carry
            (state, guard), metrics = epoch((state, guard))
            history = {name: values.at[number].set(metrics[name]) for name, values in history.items()}
            return number + 1, state, update_watch(stopping, watch, state, metrics), guard, history

        _, *results = jax.lax.while_loop(goes_on, watched, (jnp.zeros((), jnp.int32), state, watch, guard, history))
        return tuple(results)

    return several


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


def epoch_order(key: Array, step: Array | int, examples: int, batch_size: int) -> Array:
    """Return the rows (N,) in the order in which the epoch that begins at this step visits them."""
    epoch = step // -(-examples // batch_size)
    return jax.random.permutation(jax.random.fold_in(jax.random.fold_in(key, _SHUFFLE), epoch), examples)


def evaluate_data(
    evaluate: Evaluate, state: TrainState, data: Any, batch_size: int, batch_sharding: NamedSharding | None = None
) -> Metrics:
    """Return "val_" means over all rows of data, batch by batch."""

    def take(state: TrainState, rows: Array) -> tuple[TrainState, Metrics]:
        state, batch = _apart((state, lay_batch(data.gather(rows), batch_sharding)))
        return _apart((state, evaluate(state, batch)))

    batch_size = min(batch_size, len(data))
    full, rest = _batches(jnp.arange(len(data)), batch_size)
    state, metrics = jax.lax.scan(take, state, full)
    last = take(state, rest)[1] if rest.size else None
    metrics = _mean_metrics(metrics, last, batch_size, rest.size)
    return {f"val_{name}": value for name, value in metrics.items()}


def _batches(order: Array, batch_size: int) -> tuple[Array, Array]:
    """Cut (N,) rows into full batches, (N // B, B), and what is left."""
    full = order.size // batch_size * batch_size
    return order[:full].reshape(-1, batch_size), order[full:]


def _apart(tree: Any) -> Any:
    """Let XLA fuse nothing across this border, so that a step rounds here as it does when compiled by itself."""
    return jax.lax.optimization_barrier(tree)


def _first_bad_batch(full: Metrics, last: Metrics | None) -> Array:
    losses = loss_of(full)
    if losses is None:
        return jnp.full((), -1, jnp.int32)
    rest = None if last is None else loss_of(last)
    return first_bad_batch(losses if rest is None else jnp.append(losses, rest))


def _mean_metrics(full: Metrics, last: Metrics | None, batch_size: int, rest: int) -> Metrics:
    """Average over examples the metrics of full batches, each (batches,), and of a smaller last one, each ()."""
    if last is None:
        return {name: values.mean() for name, values in full.items()}
    return {
        name: (values.sum() * batch_size + last[name] * rest) / (values.shape[0] * batch_size + rest)
        for name, values in full.items()
    }
