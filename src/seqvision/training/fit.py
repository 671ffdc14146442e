"""The shell around a run: data to the device, chunks of epochs, checkpoints, donation, compile cache."""

import time
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from seqvision._checks import check_count, check_flag, shown
from seqvision._compilation import kept_on_disk
from seqvision.data import Batch, Stream

from .arguments import as_data, check_model, resolve_key
from .checks import check_batch_size, check_inputs, check_optimizer, check_training_data
from .chunks import epochs_at_once, run_chunks
from .divergence import non_finite_loss, start_guard
from .losses import LossName, PerExample
from .optimizers import OptimizerName, resolve_optimizer
from .placement import around, as_given, batch_sharding, on_mesh
from .programs import Settings, StepOptions, compile_epochs, resolve_settings, stream_programs
from .resuming import resume
from .resumption.checkpoints import Checkpoints
from .resumption.course import Course, History
from .resumption.described import described, described_data
from .resumption.saver import saving
from .resumption.signals import stopped_fit
from .run import end_state, good_state
from .state import TrainState, create_state, state_shapes
from .step import (
    Augmentation,
    ComputeType,
    Metrics,
    Penalty,
)
from .stopping import EarlyStopping, start_watch
from .streaming import StreamedEpoch


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
    checkpoints: Checkpoints | None = None,
    progress: bool | None = None,
    compilation_cache: bool = True,
) -> Fit:
    """Train a model.

    Data on the device train as whole epochs compiled into one program. A `Stream` takes the same steps batch by batch,
    each batch on its way to the device while the step before it runs; the two agree to rounding. The same program gives
    the same bits again.

    A program is compiled once a process, and kept for the next. Calls share it whose models are equal, whose optimizer
    is the same object, and whose data have the same shapes; `Windows` and `Arrays` of less than 4 MiB get room up to
    the next power of two of examples on CPU, so that seeds, folds, origins of a backtest and refits with some rows
    more compile nothing.

    A smaller last batch is filled up with rows of its own of weight 0, which change no mean and no gradient; a model
    must not mix the examples of a batch. With batch statistics, ``augment``, ``micro_batch``, or a loss or metric of
    your own, which might mix them, it is a step of its own in the same program.

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
      checkpoints: keep the training in a folder, see `Checkpoints`: the same call goes on where it was stopped, to the
        bit as if it had not been, and with more ``epochs`` from the end.
      progress: a progress bar on stderr; by default if that is a terminal.
      compilation_cache: keep the compiled program on disk for the next process; jax's own settings stay as they are.

    Returns:
      Fit(state, history, seconds): history holds NumPy arrays (epochs,), "loss" and one for each metric; seconds tell
        how long it took to "compile" and to "run".

    Raises:
      ValueError: for sizes that do not fit, labels out of range, outputs and targets of different shapes, a state of
        another model or optimizer, checkpoints of another training.
      OSError: if a checkpoint cannot be written; those before are as they were.
      TypeError: for what is no model, data, optimizer or key, and optimizers that ask for the loss's value.
      NonFiniteLossError: if a loss, "val_loss" included, is infinite or NaN; it names epoch and batch, and its ``fit``
        has the last good state and the history of the epochs before.
      StoppedFitError: after Ctrl-C, where there are checkpoints after SIGTERM too, when the running chunk of epochs has
        ended, a twentieth of all or less; its ``fit`` has the state and the history so far. Once more ends at once.

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
    place = batch_sharding(data)
    options = StepOptions(augment, penalty, micro_batch, compute_dtype)
    settings = resolve_settings(loss, metrics, options, stopping, batch_size, shuffle, place)
    _check_entries(stopping, checkpoints, settings.metrics, validation)
    given, (data, validation) = data, on_mesh((data, validation), place)
    streamed = isinstance(data, Stream) or isinstance(validation, Stream)
    start = time.perf_counter()
    with around(place):
        batch = _example(data, batch_size)
    x = jax.tree.map(lambda a: np.zeros((1, *a.shape[1:]), a.dtype), batch.x)
    cache = kept_on_disk if compilation_cache else nullcontext
    in_words = partial(_in_words, model, optimizer, key, (given, validation, state), settings)
    with saving(checkpoints, in_words, epochs) as saver:
        with cache(), around(place):
            if state is not None:
                state = on_mesh(resume(state, model, optimizer, key, x), place)
            shapes = on_mesh(state_shapes(model, optimizer, key, x), place) if state is None else state
            check_optimizer(optimizer, shapes)
            if validation is not None and (judged := _two(validation).x) != batch.x:
                check_inputs(shapes, judged, "validation")
            labels = check_training_data(shapes, batch, settings.loss, settings.metrics, augment)
            for examples in (data, validation):  # a Stream checks what it reads
                if labels is not None and not isinstance(examples, Stream) and hasattr(examples, "y"):
                    labels.check(examples.y)
            watch = on_mesh(jax.eval_shape(start_watch, shapes), place) if stopping is not None else None
            guard = on_mesh(jax.eval_shape(start_guard, shapes), place)
            course = None if saver is None else saver.restore(shapes, watch, guard)
            if course is not None and course.ended:
                return _result(course, settings, given, epochs, checkpoints)
            every = None if checkpoints is None else checkpoints.every
            chunk = 1 if streamed else epochs_at_once(epochs, every, len(data))
            chunk = chunk if saver is None else saver.begin(chunk)
            if streamed:
                streams = StreamedEpoch(stream_programs(settings), labels, cache)
                compiling: Any = streams.prepare(shapes, watch, guard, data, validation)
                plans = None
            else:
                plans, compiling = compile_epochs(settings, data, validation, chunk, shapes, watch, guard)
                data, validation = plans.data, plans.validation
            if course is None:
                if state is None:
                    state = on_mesh(create_state(model, optimizer, key, x), place, owned=True)
                else:
                    state = jax.tree.map(jnp.copy, state)  # ours is donated, the caller's stays usable
                watch = start_watch(state) if stopping is not None else None
                course = Course(state, watch, start_guard(state), int(state.step))
            compiled = compiling.result()
        course.seconds["compile"] += time.perf_counter() - start
        if plans is not None:
            plans.start(course.state, epochs, course.first_step)
        run_chunks(course, compiled, data, validation, plans, epochs, chunk, place, saver, progress)
    return _result(course, settings, given, epochs, checkpoints)


def prepare_fit(
    model: nn.Module,
    data: Any,
    *,
    loss: LossName | PerExample,
    optimizer: optax.GradientTransformation | OptimizerName,
    epochs: int,
    batch_size: int,
    key: Array | int = 0,
    validation: Any = None,
    metrics: Metrics = None,
    shuffle: bool = True,
    augment: Augmentation | None = None,
    penalty: Penalty | None = None,
    micro_batch: int | None = None,
    compute_dtype: ComputeType | None = None,
    stopping: EarlyStopping | None = None,
) -> None:
    """Compile what `fit` with the same arguments runs, from another thread for instance while something else trains.

    The programs are kept on disk and in this process, where `fit` finds them; nothing is trained. Of a `Stream` and of
    data that lie on several devices nothing is compiled ahead.

    Args:
      model, data, loss, optimizer, epochs, batch_size: as of `fit`; the same objects.
      key, validation, metrics, shuffle, augment, penalty, micro_batch, compute_dtype, stopping: likewise.

    Raises:
      ValueError, TypeError: as `fit`, for some of what it refuses.

    >>> from seqvision.data import Arrays
    >>> data, options = Arrays(np.ones((10, 3)), np.zeros((10, 1))), {"loss": "mse", "epochs": 5, "batch_size": 4}
    >>> prepare_fit(nn.Dense(1), data, optimizer="adam", **options)
    """
    model, optimizer, key = check_model(model), resolve_optimizer(optimizer), resolve_key(key)
    data = as_data("data", data)
    validation = validation if validation is None else as_data("validation", validation)
    if any(isinstance(one, Stream) for one in (data, validation)) or batch_sharding(data) is not None:
        return
    options = StepOptions(augment, penalty, micro_batch, compute_dtype)
    settings = resolve_settings(loss, metrics, options, stopping, batch_size, shuffle, None)
    x = jax.tree.map(lambda a: np.zeros((1, *a.shape[1:]), a.dtype), _example(data, batch_size).x)
    with kept_on_disk():
        shapes = state_shapes(model, optimizer, key, x)
        watch = None if stopping is None else jax.eval_shape(start_watch, shapes)
        guard = jax.eval_shape(start_guard, shapes)
        chunk = epochs_at_once(epochs, None, len(data))
        _, compiling = compile_epochs(settings, data, validation, chunk, shapes, watch, guard)
        create_state(model, optimizer, key, x)
        compiling.result()


def _result(course: Course, settings: Settings, data: Any, epochs: int, checkpoints: Any) -> Fit:
    """Return what came of a training, or raise what ended it."""
    place, whole = settings.batch_sharding, course.bad_batch < 0
    watch = course.watch if course.epochs else None
    state = end_state(course.state, watch) if whole else good_state(watch, course.guard, settings.stopping)
    state = state if place is None else as_given(on_mesh(state, place), data)
    done = Fit(state, course.history, course.seconds)
    if not whole:
        counted = not isinstance(data, Stream) or data.by_row
        updates = int(course.state.step) - course.first_step
        batches = -(-len(data) // settings.batch_size) if counted else updates // (course.epochs + 1)
        raise non_finite_loss(done, course.epochs + 1, course.bad_batch, batches, course.first_step)
    if course.signal is not None:
        raise stopped_fit(done, course.signal, course.place(epochs), checkpoints and checkpoints.folder)
    return done


def _in_words(
    model: nn.Module, optimizer: optax.GradientTransformation, key: Array, arrays: tuple, settings: Settings
) -> dict[str, str]:
    """Return what a training depends on, for its checkpoints."""
    data, validation, state = arrays
    own = settings._asdict() | settings.options._asdict()
    named = {"model": model, "optimizer": optimizer, "key": key, **own, "state": jax.tree.leaves(state)}
    told = {name: described(value) for name, value in named.items() if name not in ("options", "batch_sharding")}
    return {**told, "data": described_data(data), "validation": described_data(validation)}


def _check_entries(
    stopping: Any, checkpoints: Any, metrics: tuple[tuple[str, PerExample], ...], validation: Any
) -> None:
    """Refuse what is no early stopping or no checkpoints, or looks at what the history will not have."""
    names = ("loss", *(name for name, _ in metrics))
    entries = [*names, *(f"val_{name}" for name in names if validation is not None)]
    if stopping is not None:
        if not isinstance(stopping, EarlyStopping):
            raise TypeError(
                f"stopping must be an EarlyStopping, such as EarlyStopping(patience=5), got {shown(stopping)}"
            )
        stopping.check(entries)
    if checkpoints is not None:
        if not isinstance(checkpoints, Checkpoints):
            raise TypeError(
                f'checkpoints must be Checkpoints, such as Checkpoints("here", every=5), got {shown(checkpoints)}'
            )
        checkpoints.check(entries)


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
