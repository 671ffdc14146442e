"""The shell around a run: data to the device, chunks of epochs, progress, donation, compile cache."""

import time
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from .cache import enable_compilation_cache
from .checks import check_training_data
from .counts import check_batch_size, check_positive
from .execution import History, Plan, StepOptions, step_by_step, whole_epochs
from .gradients import check_micro_batch
from .losses import PerExample, resolve_loss, resolve_metrics
from .progress import progress_bar
from .state import TrainState, create_state, state_shapes
from .step import Augmentation, Metrics, Penalty
from .stopping import EarlyStopping


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
    augment: Augmentation | None = None,
    penalty: Penalty | None = None,
    micro_batch: int | None = None,
    compute_dtype: Literal["bfloat16", "float32"] | None = None,
    stopping: EarlyStopping | None = None,
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
      augment, penalty, micro_batch, compute_dtype: see `make_train_step`; give functions that compare by value, such as
        `seqvision.data.Augment`, or the same objects again, to reuse the compiled program.
      stopping: end early, see `EarlyStopping`; the state has the weights of the best epoch, the history all that ran.
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
    check_micro_batch(micro_batch)
    loss_function, named = resolve_loss(loss), resolve_metrics(metrics)
    if stopping is not None:
        names = ("loss", *(name for name, _ in named))
        stopping.check([*names, *(f"val_{name}" for name in names if validation is not None)])
    start = time.perf_counter()
    example = jax.tree.map(_zeros, jax.eval_shape(lambda d: d.gather(jnp.zeros(1, jnp.int32)), data).x)
    shapes = state_shapes(model, optimizer, key, example) if state is None else state
    check_training_data(shapes, data, loss_function, augment)
    options = StepOptions(augment, penalty, micro_batch, compute_dtype)
    plan = Plan(loss_function, named, options, stopping, epochs, batch_size, shuffle)
    prepare = whole_epochs if mode == "run" else step_by_step
    run_epochs = prepare(plan, shapes, data, validation)  # compiles in the background
    if state is None:
        state = create_state(model, optimizer, key, example)
    else:
        state = jax.tree.map(jnp.copy, state)  # ours is donated, the caller's stays usable
    with progress_bar(epochs, progress) as advance:
        state, history, run_seconds = run_epochs(state, advance)
    return Fit(state, history, {"compile": time.perf_counter() - start - run_seconds, "run": run_seconds})


def _zeros(shape: jax.ShapeDtypeStruct) -> np.ndarray:
    return np.zeros(shape.shape, shape.dtype)
