"""The shell around a run: data to the device, chunks of epochs, progress, donation, compile cache."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from .cache import enable_compilation_cache
from .checks import check_training_data
from .losses import PerExample, resolve_loss, resolve_metrics
from .program import Program
from .progress import Advance, progress_bar
from .run import check_batch_size, check_positive, epoch_order, evaluate_data, make_run, mean_metrics, take_step
from .state import TrainState, create_state, state_shapes
from .step import Metrics, make_eval_step, make_train_step

History = dict[str, np.ndarray]  # one (epochs,) array a metric
RunEpochs = Callable[[TrainState, Advance], tuple[TrainState, History, float]]  # the last: seconds of running


class _StateAndHistory(NamedTuple):
    state: TrainState
    history: History


class Fit(_StateAndHistory):
    """What `fit` returns: a pair (state, history), with the ``seconds`` it took to "compile" and to "run"."""

    seconds: dict[str, float]

    def __new__(cls, state: TrainState, history: History, seconds: dict[str, float] | None = None) -> "Fit":
        """Make the pair; a copy made by tree functions knows no seconds."""
        pair = super().__new__(cls, state, history)
        pair.seconds = seconds or {}
        return pair


def fit(
    model: nn.Module,
    data: Any,
    *,
    loss: str | PerExample,
    optimizer: optax.GradientTransformation,
    epochs: int,
    batch_size: int,
    key: Array,
    validation: Any = None,
    metrics: Metrics = None,
    mode: Literal["run", "steps"] = "run",
    shuffle: bool = True,
    state: TrainState | None = None,
    progress: bool | None = None,
    compilation_cache: bool = True,
) -> Fit:
    """Train a model.

    Args:
      model: any flax.linen module.
      data: `Windows`, `Arrays`, or anything with ``len`` and a traceable ``gather(indices) -> Batch`` that is a pytree.
      loss: name or function, see `make_train_step`.
      optimizer: an optax transformation; pass the same object again to reuse the compiled program.
      epochs: passes over the data.
      batch_size: examples a step.
      key: a JAX key; every draw of the run derives from it.
      validation: data evaluated after each epoch; gives "val_" entries.
      metrics: names or a mapping, see `make_train_step`.
      mode: "run" compiles whole epochs into one program; "steps" calls the same step from Python, batch by batch. On
        CPU both give the same bits with the layers of this library.
      shuffle: a new order every epoch.
      state: a state to go on from, kept usable; by default a new one.
      progress: a progress bar on stderr; by default if that is a terminal.
      compilation_cache: keep the compiled program on disk for the next process.

    Returns:
      Fit(state, history): history holds NumPy arrays (epochs,), "loss" and one for each metric; its ``seconds`` say how
        long it took to compile and to run.

    Raises:
      ValueError: for sizes that do not fit, labels out of range, outputs and targets of different shapes.

    >>> from seqvision.data import Arrays
    >>> data = Arrays(np.ones((10, 3)), np.zeros((10, 1)))
    >>> result = fit(nn.Dense(1), data, loss="mse", optimizer=optax.sgd(0.1), epochs=5, batch_size=4,
    ...              key=jax.random.key(0), compilation_cache=False)
    >>> result.history["loss"].shape
    (5,)
    """
    check_positive("epochs", epochs)
    check_positive("batch_size", batch_size)
    check_batch_size(batch_size, len(data))
    if mode not in ("run", "steps"):
        raise ValueError(f'mode must be "run" or "steps", got {mode!r}')
    if compilation_cache:
        enable_compilation_cache()
    loss_function, named = resolve_loss(loss), resolve_metrics(metrics)
    start = time.perf_counter()
    example = jax.tree.map(_zeros, jax.eval_shape(lambda d: d.gather(jnp.zeros(1, jnp.int32)), data).x)
    shapes = state_shapes(model, optimizer, key, example) if state is None else state
    check_training_data(shapes, data, loss_function)
    plan = _Plan(loss_function, named, epochs, batch_size, shuffle)
    prepare = _whole_epochs if mode == "run" else _step_by_step
    run_epochs = prepare(plan, shapes, data, validation)  # compiles in the background
    if state is None:
        state = create_state(model, optimizer, key, example)
    else:
        state = jax.tree.map(jnp.copy, state)  # ours is donated, the caller's stays usable
    with progress_bar(epochs, progress) as advance:
        state, history, run_seconds = run_epochs(state, advance)
    return Fit(state, history, {"compile": time.perf_counter() - start - run_seconds, "run": run_seconds})


class _Plan(NamedTuple):
    """What a run's programs depend on besides the shapes of state and data."""

    loss: PerExample
    metrics: tuple[tuple[str, PerExample], ...]
    epochs: int
    batch_size: int
    shuffle: bool


def _whole_epochs(plan: _Plan, shapes: TrainState, data: Any, validation: Any) -> RunEpochs:
    chunk = _chunk(plan.epochs)
    compiling = _run_program(plan._replace(epochs=chunk)).prepare(shapes, data, validation)

    def run_epochs(state: TrainState, advance: Advance) -> tuple[TrainState, History, float]:
        run = compiling.result()
        start, histories = time.perf_counter(), []
        for _ in range(plan.epochs // chunk):
            state, history = run(state, data, validation)
            histories.append(jax.device_get(history))
            advance(chunk, histories[-1])
        return state, _joined(histories), time.perf_counter() - start

    return run_epochs


def _step_by_step(plan: _Plan, shapes: TrainState, data: Any, validation: Any) -> RunEpochs:
    full, rest = divmod(len(data), plan.batch_size)
    programs = _step_programs(plan._replace(epochs=1), len(data))

    def run_epochs(state: TrainState, advance: Advance) -> tuple[TrainState, History, float]:
        order_of = programs.order.compile(state)
        batches = _cut(order_of(state), plan.batch_size)
        steps = [programs.step.prepare(state, data, rows) for rows in batches]
        evaluate = None if validation is None else programs.evaluate.compile(state, validation)
        calls = [step.result() for step in steps]
        start, histories = time.perf_counter(), []
        for _ in range(plan.epochs):
            values = []
            for call, rows in zip(calls, _cut(order_of(state), plan.batch_size), strict=True):
                state, value = call(state, data, rows)
                values.append(value)
            stacked = jax.tree.map(lambda *v: jnp.stack(v), *values[:full])
            last = values[-1] if rest else None
            history = programs.means.compile(stacked, last)(stacked, last)
            if evaluate is not None:
                history |= evaluate(state, validation)
            histories.append({name: np.asarray(value)[None] for name, value in history.items()})
            advance(1, histories[-1])
        return state, _joined(histories), time.perf_counter() - start

    return run_epochs


def _cut(order: Array, batch_size: int) -> list[Array]:
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def _zeros(shape: jax.ShapeDtypeStruct) -> np.ndarray:
    return np.zeros(shape.shape, shape.dtype)


@lru_cache(maxsize=64)
def _run_program(plan: _Plan) -> Program:
    step, evaluate = make_train_step(plan.loss, dict(plan.metrics)), make_eval_step(plan.loss, dict(plan.metrics))
    run = make_run(step, epochs=plan.epochs, batch_size=plan.batch_size, shuffle=plan.shuffle, evaluate=evaluate)
    return Program(run, donate=(0,))


class _StepPrograms(NamedTuple):
    order: Program
    step: Program
    means: Program
    evaluate: Program


@lru_cache(maxsize=64)
def _step_programs(plan: _Plan, examples: int) -> _StepPrograms:
    step, evaluate = make_train_step(plan.loss, dict(plan.metrics)), make_eval_step(plan.loss, dict(plan.metrics))
    size = plan.batch_size
    return _StepPrograms(
        order=Program(lambda state: epoch_order(state, examples, size, plan.shuffle)),
        step=Program(lambda state, data, indices: take_step(step, state, data, indices), donate=(0,)),
        means=Program(lambda full, last: mean_metrics(full, last, size, examples % size)),
        evaluate=Program(lambda state, data: evaluate_data(evaluate, state, data, size)),
    )


def _chunk(epochs: int) -> int:
    """Return the epochs between two looks at the progress: the largest divisor of the total up to a twentieth of it."""
    return max(d for d in range(1, max(1, epochs // 20) + 1) if epochs % d == 0)


def _joined(histories: list[dict[str, Any]]) -> History:
    return {name: np.concatenate([h[name] for h in histories]) for name in histories[0]}
