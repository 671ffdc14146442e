"""How a fit is executed: chunks of whole epochs as one program, or the same step called from Python."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .losses import PerExample
from .program import Program
from .progress import Advance
from .run import Evaluate, epoch_order, evaluate_data, make_epoch, mean_metrics, take_step
from .state import TrainState
from .step import Augmentation, Penalty, Step, make_eval_step, make_train_step
from .stopping import EarlyStopping, Watch, best_state, look, start_watch, watched_epochs

History = dict[str, np.ndarray]  # one (epochs,) array a metric
RunEpochs = Callable[[TrainState, Advance], tuple[TrainState, History, float]]  # the last: seconds of running


class StepOptions(NamedTuple):
    """What `make_train_step` takes beside loss and metrics."""

    augment: Augmentation | None
    penalty: Penalty | None
    micro_batch: int | None
    compute_dtype: Literal["bfloat16", "float32"] | None


class Plan(NamedTuple):
    """What a run's programs depend on besides the shapes of state and data."""

    loss: PerExample
    metrics: tuple[tuple[str, PerExample], ...]
    options: StepOptions
    stopping: EarlyStopping | None
    epochs: int
    batch_size: int
    shuffle: bool

    def steps(self) -> tuple[Step, Evaluate]:
        """Return the train step and the evaluation that the plan asks for."""
        metrics = dict(self.metrics)
        return make_train_step(self.loss, metrics, **self.options._asdict()), make_eval_step(self.loss, metrics)


def whole_epochs(plan: Plan, shapes: TrainState, data: Any, validation: Any) -> RunEpochs:
    """Compile chunks of whole epochs into one program, in the background; return what runs them."""
    chunk = _chunk(plan.epochs)
    watch_shapes = jax.eval_shape(lambda state: _start(plan, state), shapes)
    compiling = _run_program(plan._replace(epochs=chunk)).prepare(shapes, watch_shapes, data, validation)

    def run_epochs(state: TrainState, advance: Advance) -> tuple[TrainState, History, float]:
        run = compiling.result()
        watch = _start(plan, state)
        start = time.perf_counter()
        histories: list[History] = []
        for _ in range(plan.epochs // chunk):
            state, watch, history = run(state, watch, data, validation)
            history = jax.device_get(history)
            if watch is not None:
                done = int(watch.epochs) - len(histories) * chunk
                history = {name: values[:done] for name, values in history.items()}
            histories.append(history)
            advance(chunk, histories[-1])
            if watch is not None and watch.stopped:
                break
        return _best(state, watch), _joined(histories), time.perf_counter() - start

    return run_epochs


def step_by_step(plan: Plan, shapes: TrainState, data: Any, validation: Any) -> RunEpochs:
    """Return what calls the same step from Python, batch by batch."""
    full, rest = divmod(len(data), plan.batch_size)
    programs = _step_programs(plan._replace(epochs=1), len(data))

    def run_epochs(state: TrainState, advance: Advance) -> tuple[TrainState, History, float]:
        order_of = programs.order.compile(state)
        batches = _cut(order_of(state), plan.batch_size)
        sizes = {len(rows): programs.step.prepare(state, data, rows) for rows in (batches[0], batches[-1])}
        evaluate = None if validation is None else programs.evaluate.compile(state, validation)
        step = {size: compiling.result() for size, compiling in sizes.items()}
        watch = _start(plan, state)
        start = time.perf_counter()
        histories: list[History] = []
        for _ in range(plan.epochs):
            values = []
            for rows in _cut(order_of(state), plan.batch_size):
                state, value = step[len(rows)](state, data, rows)
                values.append(value)
            stacked = jax.tree.map(lambda *v: jnp.stack(v), *values[:full])
            last = values[-1] if rest else None
            history = programs.means.compile(stacked, last)(stacked, last)
            if evaluate is not None:
                history |= evaluate(state, validation)
            if watch is not None:
                watch = programs.look.compile(watch, state, history)(watch, state, history)
            histories.append({name: np.asarray(value)[None] for name, value in history.items()})
            advance(1, histories[-1])
            if watch is not None and watch.stopped:
                break
        return _best(state, watch), _joined(histories), time.perf_counter() - start

    return run_epochs


def _start(plan: Plan, state: TrainState) -> Watch | None:
    return None if plan.stopping is None else start_watch(state)


def _best(state: TrainState, watch: Watch | None) -> TrainState:
    return state if watch is None else best_state(state, watch)


def _cut(order: Array, batch_size: int) -> list[Array]:
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


@lru_cache(maxsize=64)
def _run_program(plan: Plan) -> Program:
    step, evaluate = plan.steps()
    epoch = make_epoch(step, batch_size=plan.batch_size, shuffle=plan.shuffle, evaluate=evaluate)

    def run(state: TrainState, watch: Watch | None, data: Any, validation: Any) -> Any:
        if plan.stopping is not None and watch is not None:
            return watched_epochs(epoch, plan.stopping, plan.epochs, state, watch, data, validation)
        state, history = jax.lax.scan(lambda s, _: epoch(s, data, validation), state, None, length=plan.epochs)
        return state, None, history

    return Program(run, donate=(0, 1))


class _StepPrograms(NamedTuple):
    order: Program
    step: Program
    means: Program
    evaluate: Program
    look: Program


@lru_cache(maxsize=64)
def _step_programs(plan: Plan, examples: int) -> _StepPrograms:
    step, evaluate = plan.steps()
    size = plan.batch_size
    return _StepPrograms(
        order=Program(lambda state: epoch_order(state, examples, size, plan.shuffle)),
        step=Program(lambda state, data, indices: take_step(step, state, data, indices), donate=(0,)),
        means=Program(lambda full, last: mean_metrics(full, last, size, examples % size)),
        evaluate=Program(lambda state, data: evaluate_data(evaluate, state, data, size)),
        look=Program(lambda watch, state, metrics: look(plan.stopping or EarlyStopping(), watch, state, metrics)),
    )


def _chunk(epochs: int) -> int:
    """Return the epochs between two looks at the progress: the largest divisor of the total up to a twentieth of it."""
    return max(d for d in range(1, max(1, epochs // 20) + 1) if epochs % d == 0)


def _joined(histories: list[dict[str, Any]]) -> History:
    return {name: np.concatenate([h[name] for h in histories]) for name in histories[0]}
