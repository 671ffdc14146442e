"""The shell around a run: data to the device, chunks of epochs, progress, donation, compile cache."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.sharding import NamedSharding

from seqvision._checks import check_count, check_flag, shown
from seqvision.data import Batch, Stream

from .arguments import as_data, check_model, resolve_key
from .checks import check_batch_size, check_inputs, check_optimizer, check_training_data
from .compilation import Program, kept_on_disk
from .divergence import non_finite_loss, start_guard
from .losses import LossName, PerExample, resolve_loss, resolve_metrics
from .optimizers import OptimizerName, resolve_optimizer
from .placement import around, as_given, batch_sharding, on_mesh
from .resuming import resume
from .run import end_state, good_state, make_epochs
from .state import TrainState, create_state, state_shapes
from .step import (
    Augmentation,
    ComputeType,
    Metrics,
    Penalty,
    check_functions,
    compute_type,
    make_eval_step,
    make_train_step,
)
from .stopping import EarlyStopping, start_watch
from .streaming import StreamedEpoch, StreamPrograms, make_stream_programs

History = dict[str, np.ndarray]  # one (epochs,) array a metric
Advance = Callable[[int, Mapping[str, Any]], None]


class Fit(NamedTuple):
    """What `fit` returns."""

    state: TrainState  # trained; with early stopping, the weights of the best epoch
    history: History  # "loss", one entry a metric, and those of validation data as "val_": (epochs,) each
    seconds: dict[str, float]  # what it took to "compile" and to "run"


def fit(
    model: nn.Module,
    data: Any,
    *,
    loss: LossName | PerExample,
    optimizer: optax.GradientTransformation | OptimizerName,
    epochs: int,
    batch_size: int,
    key: Array | int,
    validation: Any = None,
    metrics: Metrics = None,
    shuffle: bool = True,
    augment: Augmentation | None = None,
    penalty: Penalty | None = None,
    micro_batch: int | None = None,
    compute_dtype: ComputeType | None = None,
    stopping: EarlyStopping | None = None,
    state: TrainState | None = None,
    progress: bool | None = None,
    compilation_cache: bool = True,
) -> Fit:
    """Train a model.

    Data on the device train as whole epochs compiled into one program. A `Stream` takes the same steps batch by batch,
    each batch on its way to the device while the step before it runs; the two agree to rounding. The same program gives
    the same bits again.

    Args:
      model: any flax.linen module.
      data: a pair (x, y), `Windows`, `Arrays`, or anything with ``len`` and a traceable ``gather(indices) -> Batch``
        that is a pytree; or a `Stream` of what is larger than the device's memory. Inputs with a mask are a pair
        (x, mask) with a bool mask, or a dict of "x" and "mask", for models whose call takes ``mask``, such as
        `seqvision.models.Recurrent`. Rows that are cut over the devices of a mesh are
        trained there: each device computes its part of every batch, with the same parameters.
      loss: name or function, see `make_train_step`.
      optimizer: an optax transformation; pass the same object again to reuse the compiled program. Or a name: "adam",
        "adamw" (decay 0.004 of weights, not of biases) and "rmsprop" with the learning rate 0.001, "sgd" with 0.01.
      epochs: passes over the data.
      batch_size: examples a step.
      key: a JAX key, or a seed; every draw of the run derives from it.
      validation: data evaluated after each epoch, of either kind; gives "val_" entries.
      metrics: names or a mapping, see `make_train_step`.
      shuffle: a new order every epoch; a `Stream` of a function's batches keeps the order in which they come.
      augment, penalty, micro_batch, compute_dtype: see `make_train_step`; give functions that compare by value, such as
        `seqvision.data.Augment`, or the same objects again, to reuse the compiled program.
      stopping: end early, see `EarlyStopping`; the state has the weights of the best epoch, the history all that ran.
      state: a state to go on from, kept usable; by default a new one. Its steps, weights and what its optimizer
        remembers go on under the model, optimizer and key given: with those of before two runs are one, with a smaller
        learning rate Adam keeps its moments.
      progress: a progress bar on stderr; by default if that is a terminal.
      compilation_cache: keep the compiled program on disk for the next process; jax's own settings stay as they are.

    Returns:
      Fit(state, history, seconds): history holds NumPy arrays (epochs,), "loss" and one for each metric; seconds tell
        how long it took to "compile" and to "run".

    Raises:
      ValueError: for sizes that do not fit, labels out of range, outputs and targets of different shapes, a state of
        another model or optimizer.
      TypeError: for what is no model, data, optimizer or key, and optimizers that ask for the loss's value.
      NonFiniteLossError: if a loss, "val_loss" included, is infinite or NaN; it names epoch and batch, and its ``fit``
        has the last good state and the history of the epochs before.

    >>> from seqvision.data import Arrays
    >>> data = Arrays(np.ones((10, 3)), np.zeros((10, 1)))
    >>> state, history, seconds = fit(nn.Dense(1), data, loss="mse", optimizer=optax.sgd(0.1), epochs=5, batch_size=4,
    ...                               key=jax.random.key(0), compilation_cache=False)
    >>> history["loss"].shape
    (5,)
    """
    epochs, batch_size = check_count("epochs", epochs), check_count("batch_size", batch_size)
    check_flag("shuffle", shuffle, owner="fit")
    check_flag("compilation_cache", compilation_cache, owner="fit")
    if progress is not None:
        check_flag("progress", progress, owner="fit")
    model, optimizer, key = check_model(model), resolve_optimizer(optimizer), resolve_key(key)
    data = as_data("data", data)
    validation = validation if validation is None else as_data("validation", validation)
    loss_function = resolve_loss(loss)
    named = resolve_metrics(metrics, loss_function)
    _check_stopping(stopping, named, validation)
    check_functions(augment, penalty)
    options = StepOptions(augment, penalty, micro_batch, compute_type(compute_dtype))
    place = batch_sharding(data)
    given, (data, validation) = data, on_mesh((data, validation), place)
    settings = Settings(loss_function, named, options, stopping, batch_size, shuffle, place)
    streamed = isinstance(data, Stream) or isinstance(validation, Stream)
    chunk = 1 if streamed else _chunk(epochs)
    start = time.perf_counter()
    with around(place):
        batch = _example(data, batch_size)
    x = jax.tree.map(lambda a: np.zeros((1, *a.shape[1:]), a.dtype), batch.x)
    cache = kept_on_disk if compilation_cache else nullcontext
    with cache(), around(place):
        if state is not None:
            state = on_mesh(resume(state, model, optimizer, key, x), place)
        shapes = on_mesh(state_shapes(model, optimizer, key, x), place) if state is None else state
        check_optimizer(optimizer, shapes)
        if validation is not None:
            check_inputs(shapes, _two(validation).x, "validation")
        labels = check_training_data(shapes, batch, loss_function, named, augment)
        for examples in (data, validation):  # a Stream checks what it reads
            if labels is not None and not isinstance(examples, Stream) and hasattr(examples, "y"):
                labels.check(examples.y)
        watch = on_mesh(jax.eval_shape(start_watch, shapes), place) if stopping is not None else None
        guard = on_mesh(jax.eval_shape(start_guard, shapes), place)
        if streamed:
            streams = StreamedEpoch(_stream_programs(settings), labels, cache)
            compiling: Any = streams.prepare(shapes, watch, guard, data, validation)
        else:
            compiling = _program(settings, chunk).prepare(shapes, watch, guard, data, validation)  # in the background
        if state is None:
            state = on_mesh(create_state(model, optimizer, key, x), place, owned=True)
        else:
            state = jax.tree.map(jnp.copy, state)  # ours is donated, the caller's stays usable
        first_step = int(state.step)
        several = compiling.result()
        watch, guard = start_watch(state) if stopping is not None else None, start_guard(state)
    compiled = time.perf_counter()
    histories: list[History] = []
    with _progress_bar(epochs, progress) as advance, around(place):
        for _ in range(epochs // chunk):
            state, watch, guard = on_mesh((state, watch, guard), place, owned=True)
            state, watch, guard, history = several(state, watch, guard, data, validation)
            history, good_epochs, bad_batch = jax.device_get((history, guard.epochs, guard.batch))
            ran = int(good_epochs) - len(histories) * chunk
            history = {name: values[:ran] for name, values in history.items()}
            histories.append(history)
            if bad_batch >= 0:
                break
            advance(chunk, history)
            if watch is not None and watch.stopped:
                break
    steps = int(state.step) - first_step
    state = end_state(state, watch) if bad_batch < 0 else good_state(watch, guard, stopping)
    seconds = {"compile": compiled - start, "run": time.perf_counter() - compiled}
    state = state if place is None else as_given(state, given)
    done = Fit(state, {name: np.concatenate([h[name] for h in histories]) for name in histories[0]}, seconds)
    if bad_batch >= 0:
        counted = not isinstance(data, Stream) or data.by_row
        batches = -(-len(data) // batch_size) if counted else steps // len(histories)
        raise non_finite_loss(done, int(good_epochs) + 1, int(bad_batch), batches, first_step)
    return done


def _check_stopping(stopping: Any, metrics: tuple[tuple[str, PerExample], ...], validation: Any) -> None:
    """Refuse what is no early stopping, or watches what the history will not have."""
    if stopping is None:
        return
    if not isinstance(stopping, EarlyStopping):
        raise TypeError(f"stopping must be an EarlyStopping, such as EarlyStopping(patience=5), got {shown(stopping)}")
    names = ("loss", *(name for name, _ in metrics))
    stopping.check([*names, *(f"val_{name}" for name in names if validation is not None)])


class StepOptions(NamedTuple):
    """What `make_train_step` takes beside loss and metrics."""

    augment: Augmentation | None
    penalty: Penalty | None
    micro_batch: int | None
    compute_dtype: ComputeType | None


class Settings(NamedTuple):
    """What a run's programs depend on besides the number of epochs and the shapes of state and data."""

    loss: PerExample
    metrics: tuple[tuple[str, PerExample], ...]
    options: StepOptions
    stopping: EarlyStopping | None
    batch_size: int
    shuffle: bool
    batch_sharding: NamedSharding | None


@lru_cache(maxsize=64)
def _program(settings: Settings, epochs: int) -> Program:
    loss, metrics, options, stopping, batch_size, shuffle, place = settings
    step = make_train_step(loss, dict(metrics), **options._asdict())
    evaluate = make_eval_step(loss, dict(metrics))
    several = make_epochs(step, epochs, batch_size, shuffle, evaluate, stopping=stopping, batch_sharding=place)
    return Program(several, donate=(0, 1, 2))


@lru_cache(maxsize=64)
def _stream_programs(settings: Settings) -> StreamPrograms:
    loss, metrics, options, stopping, batch_size, shuffle, _ = settings
    step = make_train_step(loss, dict(metrics), **options._asdict())
    evaluate = make_eval_step(loss, dict(metrics))
    return make_stream_programs(step, evaluate, batch_size, shuffle, stopping)


def _example(data: Any, batch_size: int) -> Batch:
    """Check that a batch fits into the data and return the shapes of two examples."""
    own = data.own_batch_size if isinstance(data, Stream) else None
    if own not in (None, batch_size):
        raise ValueError(f"batch_size is {batch_size}, but the source's first batch has {own} rows: give {own}")
    if own is None:
        check_batch_size(batch_size, len(data))
    return _two(data)


def _two(data: Any) -> Batch:
    if isinstance(data, Stream):
        return data.shapes(2)
    return jax.eval_shape(lambda d: d.gather(jnp.zeros(2, jnp.int32)), data)


def _chunk(epochs: int) -> int:
    """Return the epochs between two looks at the progress: the largest divisor of the total up to a twentieth of it."""
    return max(d for d in range(1, max(1, epochs // 20) + 1) if epochs % d == 0)


@contextmanager
def _progress_bar(epochs: int, wanted: bool | None) -> Iterator[Advance]:
    """Show epochs done and the latest metrics on stderr; ``wanted=None`` shows them only if that is a terminal."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda done, history: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=epochs)

        def advance(done: int, history: Mapping[str, Any]) -> None:
            latest = "  ".join(f"{name} {values[-1]:.4g}" for name, values in history.items())
            bar.update(task, advance=done, description=latest)

        yield advance
