"""The shell around a run: data to the device, chunks of epochs, progress, donation, compile cache."""

import time
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
from .progress import progress_bar
from .run import check_batch_size, check_positive, epoch_order, evaluate_data, make_run, mean_metrics, take_step
from .state import TrainState, create_state
from .step import Metrics, make_eval_step, make_train_step

History = dict[str, np.ndarray]  # one (epochs,) array a metric


class Fit(NamedTuple):
    """What `fit` returns."""

    state: TrainState
    history: History
    seconds: dict[str, float]  # "compile" and "run"


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
      Fit(state, history, seconds): history holds NumPy arrays (epochs,), seconds the time to compile and to run.

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
    if state is None:
        example = jax.eval_shape(lambda d: d.gather(jnp.zeros(1, jnp.int32)), data).x
        state = create_state(model, optimizer, key, jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), example))
    else:
        state = jax.tree.map(jnp.copy, state)  # ours is donated, the caller's stays usable
    check_training_data(state, data, loss_function)
    created = time.perf_counter() - start

    run_epochs = _whole_epochs if mode == "run" else _step_by_step
    with progress_bar(epochs, progress) as advance:
        state, history, seconds = run_epochs(
            state, data, validation, loss_function, named, epochs, batch_size, shuffle, advance
        )
    return Fit(state, history, {"compile": seconds["compile"] + created, "run": seconds["run"]})


def _whole_epochs(state, data, validation, loss, metrics, epochs, batch_size, shuffle, advance):
    chunk = _chunk(epochs)
    program = _run_program(loss, metrics, chunk, batch_size, shuffle)
    compiled, compile_seconds = program.compile(state, data, validation)
    start, histories = time.perf_counter(), []
    for _ in range(epochs // chunk):
        state, history = compiled(state, data, validation)
        histories.append(jax.device_get(history))
        advance(chunk, histories[-1])
    seconds = {"compile": compile_seconds, "run": time.perf_counter() - start}
    return state, _joined(histories), seconds


def _step_by_step(state, data, validation, loss, metrics, epochs, batch_size, shuffle, advance):
    full, rest = divmod(len(data), batch_size)
    programs = _step_programs(loss, metrics, len(data), batch_size, shuffle)
    order_of, seconds = programs.order.compile(state)
    order = order_of(state)
    batches = [order[i * batch_size : (i + 1) * batch_size] for i in range(full)]
    step, more = programs.step.compile(state, data, batches[0])
    seconds += more
    if rest:
        last_step, more = programs.step.compile(state, data, order[full * batch_size :])
        seconds += more
    if validation is not None:
        evaluate, more = programs.evaluate.compile(state, validation)
        seconds += more

    start, histories = time.perf_counter(), []
    for _ in range(epochs):
        order, values, last = order_of(state), [], None
        for i in range(full):
            state, value = step(state, data, order[i * batch_size : (i + 1) * batch_size])
            values.append(value)
        if rest:
            state, last = last_step(state, data, order[full * batch_size :])
        stacked = jax.tree.map(lambda *v: jnp.stack(v), *values)
        means, more = programs.means.compile(stacked, last)
        seconds += more
        history = means(stacked, last)
        if validation is not None:
            history |= evaluate(state, validation)
        histories.append({name: np.asarray(value)[None] for name, value in history.items()})
        advance(1, histories[-1])
    return state, _joined(histories), {"compile": seconds, "run": time.perf_counter() - start}


@lru_cache(maxsize=64)
def _run_program(loss, metrics, epochs, batch_size, shuffle) -> Program:
    step, evaluate = make_train_step(loss, dict(metrics)), make_eval_step(loss, dict(metrics))
    run = make_run(step, epochs=epochs, batch_size=batch_size, shuffle=shuffle, evaluate=evaluate)
    return Program(run, donate=(0,))


class _StepPrograms(NamedTuple):
    order: Program
    step: Program
    means: Program
    evaluate: Program


@lru_cache(maxsize=64)
def _step_programs(loss, metrics, examples, batch_size, shuffle) -> _StepPrograms:
    step, evaluate = make_train_step(loss, dict(metrics)), make_eval_step(loss, dict(metrics))
    return _StepPrograms(
        order=Program(lambda state: epoch_order(state, examples, batch_size, shuffle)),
        step=Program(lambda state, data, indices: take_step(step, state, data, indices), donate=(0,)),
        means=Program(lambda full, last: mean_metrics(full, last, batch_size, examples % batch_size)),
        evaluate=Program(lambda state, data: evaluate_data(evaluate, state, data, batch_size)),
    )


def _chunk(epochs: int) -> int:
    """Return the epochs between two looks at the progress: the largest divisor of the total up to a twentieth of it."""
    return max(d for d in range(1, max(1, epochs // 20) + 1) if epochs % d == 0)


def _joined(histories: list[dict[str, Any]]) -> History:
    return {name: np.concatenate([h[name] for h in histories]) for name in histories[0]}
