"""The programs of `fit`: what they depend on, and how they are compiled in the background."""

from functools import lru_cache
from typing import Any, NamedTuple

from jax.sharding import NamedSharding

from seqvision._compilation import Program

from .epochs import make_epochs
from .losses import LossName, PerExample, resolve_loss, resolve_metrics
from .placement import on_mesh
from .plans import Plans, is_by_row
from .state import TrainState
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
from .stopping import EarlyStopping
from .streaming import StreamPrograms, make_stream_programs


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


def resolve_settings(
    loss: LossName | PerExample,
    metrics: Metrics,
    options: StepOptions,
    stopping: EarlyStopping | None,
    batch_size: int,
    shuffle: bool,
    place: NamedSharding | None,
) -> Settings:
    """Return the settings that arguments of `fit` mean, with functions in the place of names.

    Raises:
      ValueError, TypeError: for a loss, metric, augmentation, penalty or type that is none.
    """
    loss_function = resolve_loss(loss)
    named = resolve_metrics(metrics, loss_function)
    check_functions(options.augment, options.penalty)
    options = options._replace(compute_dtype=compute_type(options.compute_dtype))
    return Settings(loss_function, named, options, stopping, batch_size, shuffle, place)


def _filled_up(settings: Settings, state: TrainState) -> tuple[bool, bool]:
    """Whether a last batch that is smaller is filled up, of data and of validation data: where nothing mixes rows."""
    by_row = all(map(is_by_row, (settings.loss, *(metric for _, metric in settings.metrics))))
    parts = settings.options.augment is not None or settings.options.micro_batch is not None
    return by_row and not parts and not state.batch_stats, by_row


@lru_cache(maxsize=64)
def _program(settings: Settings, epochs: int, fill: tuple[bool, bool]) -> Program:
    loss, metrics, options, stopping, batch_size, shuffle, place = settings
    step = make_train_step(loss, dict(metrics), **options._asdict())
    evaluate = make_eval_step(loss, dict(metrics))
    several = make_epochs(step, epochs, batch_size, shuffle, evaluate, None, stopping, place, *fill)
    return Program(several, donate=(0, 1, 2))


@lru_cache(maxsize=64)
def stream_programs(settings: Settings) -> StreamPrograms:
    """Return the programs that take the same steps batch by batch."""
    loss, metrics, options, stopping, batch_size, shuffle, _ = settings
    step = make_train_step(loss, dict(metrics), **options._asdict())
    evaluate = make_eval_step(loss, dict(metrics))
    return make_stream_programs(step, evaluate, batch_size, shuffle, stopping)


def compile_epochs(
    settings: Settings, data: Any, validation: Any, chunk: int, shapes: TrainState, watch: Any, guard: Any
) -> tuple[Plans, Any]:
    """Have the program of a chunk of epochs compiled in the background, and return the plans for it as well."""
    fill, place = _filled_up(settings, shapes), settings.batch_sharding
    plans = Plans(data, validation, settings.batch_size, chunk, settings.shuffle, fill)
    several = _program(settings._replace(shuffle=True), chunk, fill)  # the plans have the order
    arguments = (shapes, watch, guard, plans.data, plans.validation, on_mesh(plans.shapes, place))
    return plans, several.prepare(*arguments)
