"""Epochs as a pure function: the step over the batches of an order, the last one filled up or smaller."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import NamedSharding

from seqvision._checks import check_count, check_flag
from seqvision.data import Batch, WeightedBatch

from .checks import check_batch_size
from .divergence import Guard, first_bad_batch, loss_of, update_guard
from .orders import epoch_order
from .placement import lay_batch
from .state import TrainState
from .step import Step
from .stopping import EarlyStopping, Watch, update_watch

Metrics = dict[str, Array]
Evaluate = Callable[[TrainState, Batch | WeightedBatch], Metrics]
Epochs = Callable[..., tuple[TrainState, Watch | None, Guard, Metrics]]


class Plan(NamedTuple):
    """What epochs go through, as arguments of their program, so that data of about the same size share it."""

    rows: Any  # (epochs, batches, B) int32: the orders, cut into batches; what fills up the last one are real rows
    examples: Any = None  # () int32, how many rows the data have, which may be filled up behind them; None: all
    validation: Any = None  # () int32, likewise


def make_epochs(
    step: Step,
    epochs: int,
    batch_size: int,
    shuffle: bool = True,
    evaluate: Evaluate | None = None,
    eval_batch_size: int | None = None,
    stopping: EarlyStopping | None = None,
    batch_sharding: NamedSharding | None = None,
    fill: bool = False,
    fill_validation: bool = False,
) -> Epochs:
    """Build ``several(state, watch, guard, data, validation, plan=None) -> (state, watch, guard, history)``.

    A run that can be gone on with: what `make_run` wraps and what `fit` compiles; ``watch`` is None without early
    stopping, and without a `Plan` the orders are drawn inside.

    With ``fill`` a last batch that is smaller is filled up with rows of weight 0, so that there is one copy of the
    step, which must honour the weights of a batch and not mix its examples; otherwise it is a second copy. Likewise
    ``fill_validation`` for ``evaluate``.
    """
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    check_flag("shuffle", shuffle)
    train = _Pass(step, batch_sharding, fill)
    judge = None if evaluate is None else _evaluation(evaluate, batch_sharding, fill_validation)

    def several(
        state: TrainState, watch: Watch | None, guard: Guard, data: Any, validation: Any, plan: Plan | None = None
    ) -> Any:
        check_batch_size(batch_size, len(data))
        if validation is not None and judge is None:
            raise ValueError("validation data given, but make_run got no evaluate: pass make_eval_step(loss, metrics)")

        def rows_of(state: TrainState, number: Array) -> Array:
            if plan is not None:
                return plan.rows[number]
            examples = len(data)
            order = epoch_order(state.key, state.step, examples, batch_size) if shuffle else jnp.arange(examples)
            return cut(order, batch_size)

        def epoch(carry: tuple[TrainState, Guard], number: Array) -> tuple[tuple[TrainState, Guard], Metrics]:
            before, guard = carry
            rows, examples = rows_of(before, number), None if plan is None else plan.examples
            for part in train.parts(data, rows, examples):
                jax.eval_shape(train.take, before, data, *part)  # traced here, so that few calls lead to what is wrong
            state, metrics, bad = train(before, data, rows, examples)
            if validation is not None and judge is not None:
                judged = None if plan is None else plan.validation
                metrics |= judge(state, validation, eval_batch_size or batch_size, judged)
            return (state, update_guard(guard, before, bad, metrics)), metrics

        if watch is None or stopping is None:
            (state, guard), history = jax.lax.scan(epoch, (state, guard), jnp.arange(epochs))
            return state, watch, guard, history

        _, entries = jax.eval_shape(epoch, (state, guard), jnp.zeros((), jnp.int32))
        stopping.check(entries)
        history = {name: jnp.full(epochs, jnp.nan, entry.dtype) for name, entry in entries.items()}

        def goes_on(carry: Any) -> Array:
            number, _, watch, guard, _ = carry
            return (number < epochs) & ~watch.stopped & (guard.batch < 0)

        def watched(carry: Any) -> Any:
            number, state, watch, guard, history = carry
            (state, guard), metrics = epoch((state, guard), number)
            history = {name: values.at[number].set(metrics[name]) for name, values in history.items()}
            return number + 1, state, update_watch(stopping, watch, state, metrics), guard, history

        _, *results = jax.lax.while_loop(goes_on, watched, (jnp.zeros((), jnp.int32), state, watch, guard, history))
        return tuple(results)

    return several


def evaluate_data(
    evaluate: Evaluate,
    state: TrainState,
    data: Any,
    batch_size: int,
    batch_sharding: NamedSharding | None = None,
    fill: bool = False,
) -> Metrics:
    """Return "val_" means over all rows of data, batch by batch."""
    return _evaluation(evaluate, batch_sharding, fill)(state, data, batch_size)


def cut(order: Any, batch_size: int) -> Any:
    """Cut rows (..., N) into batches (..., batches, B), the last one filled up with its own first row."""
    numpy = jnp if isinstance(order, Array) else np
    examples = order.shape[-1]
    rest = examples % batch_size
    if rest:
        first = order[..., examples - rest : examples - rest + 1]
        more = numpy.broadcast_to(first, (*order.shape[:-1], batch_size - rest))
        order = numpy.concatenate([order, more], axis=-1)
    return order.reshape(*order.shape[:-1], -1, batch_size)


def _evaluation(evaluate: Evaluate, batch_sharding: NamedSharding | None, fill: bool) -> Callable[..., Metrics]:
    judge = _Pass(lambda state, batch: (state, evaluate(state, batch)), batch_sharding, fill)

    def means(state: TrainState, data: Any, batch_size: int, examples: Array | None = None) -> Metrics:
        rows = cut(jnp.arange(len(data)), min(batch_size, len(data)))
        if examples is not None:
            rows = jnp.minimum(rows, examples - 1)
        _, metrics, _ = judge(state, data, rows, examples)
        return {f"val_{name}": value for name, value in metrics.items()}

    return means


class _Pass:
    """One pass over batches: (state, data, rows (batches, B), examples) -> (state, means, first bad batch)."""

    def __init__(self, step: Step, batch_sharding: NamedSharding | None, fill: bool):
        self._fill = fill

        def take(state: TrainState, data: Any, rows: Array, count: Array | None) -> tuple[TrainState, Metrics]:
            batch = data.gather(rows)
            if count is not None:
                batch = _filled(batch, count)
            return _apart(step(*_apart((state, lay_batch(batch, batch_sharding)))))

        self.take = jax.jit(take)  # traced once, for shapes, for the loop and for every epoch

    def parts(self, data: Any, rows: Array, examples: Array | None) -> list[tuple[Array, Array | None]]:
        """Return (rows, how many are real) of the batches that differ in shape: of the first, and of a smaller last."""
        size = rows.shape[1]
        rest = 0 if examples is not None else len(data) % size
        if self._fill and (rest or examples is not None):
            return [(rows[0], jnp.zeros((), jnp.int32))]
        return [(rows[0], None), (rows[-1, :rest], None)] if rest else [(rows[0], None)]

    def __call__(
        self, state: TrainState, data: Any, rows: Array, examples: Array | None = None
    ) -> tuple[TrainState, Metrics, Array]:
        """Return the state, the means of the metrics, and the first batch whose loss is not finite, -1 without."""
        batches, size = rows.shape
        (first, count), *last = self.parts(data, rows, examples)
        known = len(data) if examples is None else examples
        counts = jnp.clip(known - size * jnp.arange(batches), 0, size)  # examples in each batch

        def body(number: Array, carry: Any) -> Any:
            state, means = carry
            state, new = self.take(state, data, rows[number], None if count is None else counts[number])
            return state, {name: values.at[number].set(new[name]) for name, values in means.items()}

        _, shapes = jax.eval_shape(self.take, state, data, first, count)
        means = {name: jnp.zeros(batches, shape.dtype) for name, shape in shapes.items()}
        loops = batches - len(last) if examples is None else -(-examples // size)
        state, means = jax.lax.fori_loop(0, loops, body, (state, means))
        for part in last:
            state, new = self.take(state, data, *part)
            means = {name: values.at[-1].set(new[name]) for name, values in means.items()}
        losses = loss_of(means)
        bad = jnp.full((), -1, jnp.int32) if losses is None else first_bad_batch(losses)
        if count is None and not last:
            return state, {name: values.mean() for name, values in means.items()}, bad

        def mean(values: Array) -> Array:
            return (values * counts.astype(values.dtype)).sum() / jnp.asarray(known).astype(values.dtype)

        return state, {name: mean(values) for name, values in means.items()}, bad


def _filled(batch: Any, count: Array) -> WeightedBatch:
    """Give the rows from ``count`` on, which only fill the batch up, the weight 0."""
    real = jnp.arange(jax.tree.leaves(batch.x)[0].shape[0]) < count
    given = getattr(batch, "weights", None)
    return WeightedBatch(batch.x, batch.y, real.astype(jnp.float32) if given is None else jnp.where(real, given, 0))


def _apart(tree: Any) -> Any:
    """Let XLA fuse nothing across this border, so that a step rounds here as it does when compiled by itself."""
    return jax.lax.optimization_barrier(tree)
