"""Epochs of a `Stream`: the same step, batch by batch, each batch read and sent while the step before it runs."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from itertools import islice
from typing import Any, NamedTuple

import jax
import numpy as np

from seqvision._compilation import Program
from seqvision.data import Batch, Stream

from .checks import LabelRange
from .divergence import Guard, check_validation
from .epochs import Evaluate, Plan, cut, evaluate_data, make_epochs
from .orders import EpochOrders
from .resumption.course import Middle
from .state import TrainState
from .step import Step
from .stopping import EarlyStopping, Watch, update_watch

_FETCH = 512  # batches whose metrics may stay on the device


class StreamPrograms(NamedTuple):
    """The programs that epochs of streams are made of; what is already on the device is gone through in one."""

    step: Program  # (state, batch) -> (state, metrics)
    evaluate: Program  # (state, batch) -> metrics
    device_epoch: Program  # (state, None, guard, data, None, plan) -> (state, None, guard, history)
    device_evaluate: Program  # (state, data) -> metrics
    update_watch: Program  # (watch, state, metrics) -> watch
    batch_size: int
    shuffle: bool

    def order(self, state: TrainState, data: Any) -> np.ndarray:
        """Return the rows (N,) in the order in which the epoch that begins with this state visits them."""
        return EpochOrders(state.key, int(state.step), 1, len(data), self.batch_size, self.shuffle)[0]

    def blank(self, data: Any) -> Plan:
        """Return the shapes of an epoch's plan."""
        return Plan(jax.ShapeDtypeStruct((1, -(-len(data) // self.batch_size), self.batch_size), np.int32))


def make_stream_programs(
    step: Step, evaluate: Evaluate, batch_size: int, shuffle: bool, stopping: EarlyStopping | None
) -> StreamPrograms:
    """Build the programs; each compiles when it is first needed."""
    watching = stopping or EarlyStopping()
    return StreamPrograms(
        step=Program(step, donate=(0,)),
        evaluate=Program(evaluate),
        device_epoch=Program(make_epochs(step, 1, batch_size), donate=(0, 2)),
        device_evaluate=Program(lambda state, data: evaluate_data(evaluate, state, data, batch_size)),
        update_watch=Program(lambda watch, state, metrics: update_watch(watching, watch, state, metrics)),
        batch_size=batch_size,
        shuffle=shuffle,
    )


class Pause(NamedTuple):
    """Where an epoch may be interrupted: after any batch of a `Stream`."""

    due: Callable[[], bool]  # whether somebody wants to look
    look: Callable[[TrainState, Middle], bool]  # True ends the epoch
    left: Middle | None  # where the epoch that is gone on with was left


class PausedEpoch(Exception):  # noqa: N818
    """An epoch ended where `Pause` said so."""


class StreamedEpoch:
    """One epoch of data of which some are a `Stream`; it is called as a compiled run of one epoch is.

    Args:
      programs: what it calls.
      labels: what labels may be, checked as they come; None if the loss takes any.
      cache: the context to compile in.
    """

    def __init__(
        self, programs: StreamPrograms, labels: LabelRange | None, cache: Callable[[], AbstractContextManager]
    ):
        self._programs, self._labels, self._cache = programs, labels, cache
        self._waiting: list[Any] = []
        self.pause: Pause | None = None

    def prepare(
        self, state: TrainState, watch: Watch | None, guard: Guard, data: Any, validation: Any
    ) -> "StreamedEpoch":
        """Compile in the background what the epoch will surely need."""
        programs = self._programs
        if not isinstance(data, Stream):
            self._waiting.append(programs.device_epoch.prepare(state, None, guard, data, None, programs.blank(data)))
        else:
            sizes = data.batch_sizes(programs.batch_size)
            self._waiting += [programs.step.prepare(state, data.shapes(size)) for size in sizes]
        if isinstance(validation, Stream):
            sizes = validation.batch_sizes(programs.batch_size)
            self._waiting += [programs.evaluate.prepare(state, validation.shapes(size)) for size in sizes]
        elif validation is not None:
            self._waiting.append(programs.device_evaluate.prepare(state, validation))
        return self

    def result(self) -> "StreamedEpoch":
        """Wait for the programs."""
        for program in self._waiting:
            program.result()
        return self

    def __call__(
        self, state: TrainState, watch: Watch | None, guard: Guard, data: Any, validation: Any, plan: None = None
    ) -> Any:
        """Return (state, watch, guard, history) after one epoch; the state is donated."""
        programs = self._programs
        look = None
        if isinstance(data, Stream):
            left = self._left()
            before = jax.device_put(state, may_alias=False) if left is None else left.before
            state, means = self._train(state, before, data, left)
            bad = means.bad_batch
            guard = Guard(before if bad else guard.state, guard.epochs + (bad < 0), np.asarray(bad, np.int32))
            metrics = means.values()
            look = None if bad >= 0 else self._look(lambda _: (state, means.middle(before)))
        else:
            rows = Plan(cut(programs.order(state, data)[None], programs.batch_size))
            epoch = programs.device_epoch.compile(state, None, guard, data, None, rows)
            state, _, guard, history = epoch(state, None, guard, data, None, rows)
            metrics = {name: values[0] for name, values in history.items()}
        if isinstance(validation, Stream):
            metrics |= self._evaluate(state, validation, look)
        elif validation is not None:
            metrics |= programs.device_evaluate.compile(state, validation)(state, validation)
        guard = check_validation(guard, metrics)
        if watch is not None:
            watch = self._compiled(programs.update_watch, watch, state, metrics)(watch, state, metrics)
        return state, watch, guard, {name: np.asarray(value)[None] for name, value in metrics.items()}

    def _left(self) -> Middle | None:
        """Return where the epoch that is gone on with was left; the next one begins at its first batch."""
        if self.pause is None:
            return None
        left = self.pause.left
        self.pause = self.pause._replace(left=None)
        return left

    def _look(self, where: Callable[["_Means"], tuple[TrainState, Middle]]) -> Callable[["_Means"], None]:
        def look(means: _Means) -> None:
            if self.pause is not None and self.pause.due() and means.bad_batch < 0 and self.pause.look(*where(means)):
                raise PausedEpoch

        return look

    def _train(
        self, state: TrainState, before: TrainState, data: Stream, left: Middle | None
    ) -> tuple[TrainState, "_Means"]:
        steps: dict[int, Callable] = {}
        order = None
        if self._programs.shuffle and data.by_row:
            order = self._programs.order(before, data)

        def take(batch: Batch, size: int) -> Any:
            nonlocal state
            if size not in steps:
                steps[size] = self._compiled(self._programs.step, state, batch)
            state, metrics = steps[size](state, batch)
            return metrics

        look = self._look(lambda means: (state, means.middle(before)))
        means = self._means(data, order, take, look, left)
        return state, means

    def _evaluate(self, state: TrainState, data: Stream, look: Callable[["_Means"], None] | None) -> dict[str, Any]:
        evaluations: dict[int, Callable] = {}

        def take(batch: Batch, size: int) -> Any:
            if size not in evaluations:
                evaluations[size] = self._compiled(self._programs.evaluate, state, batch)
            return evaluations[size](state, batch)

        return {f"val_{name}": value for name, value in self._means(data, None, take, look).values().items()}

    def _means(
        self,
        data: Stream,
        order: np.ndarray | None,
        take: Callable[[Batch, int], Any],
        look: Callable[["_Means"], None] | None,
        left: Middle | None = None,
    ) -> "_Means":
        """Take every batch to the device and through a step, as long as the loss is finite; return its metrics' means.

        Args:
          data, order: what is read.
          take: a step.
          look: called after each batch.
          left: where to begin.
        """
        means, before = _Means(left), None
        size = data.own_batch_size or self._programs.batch_size
        with closing(_remaining(data, order, size, means.batches)) as batches:
            for rows, batch in batches:
                if self._labels is not None:
                    self._labels.check(batch.y, rows)
                metrics = take(jax.device_put(batch), len(rows))  # begun, not awaited: the next batch follows at once
                jax.block_until_ready(before)  # so that no more than two batches wait on the device
                before = metrics
                if means.add(metrics, len(rows)) >= 0:
                    break
                if look is not None:
                    look(means)
        return means

    def _compiled(self, program: Program, *args: Any) -> Callable:
        with self._cache():
            return program.compile(*args)


def _remaining(data: Stream, order: np.ndarray | None, size: int, done: int) -> Any:
    """Read the batches of an epoch of which some are done."""
    if not done:
        return data.read(order, size)
    if data.by_row:
        return data.read((np.arange(len(data)) if order is None else order)[done * size :], size)
    return _after(data.read(None, size), done)


def _after(batches: Generator[Any, None, None], done: int) -> Generator[Any, None, None]:
    """Pass over the batches that are done of a source that must be read from its beginning."""
    with closing(batches):
        yield from islice(batches, done, None)


class _Means:
    """Means of metrics over the examples of batches; they stay on the device until some are together.

    Args:
      left: batches that count already.
    """

    def __init__(self, left: Middle | None = None):
        self.batches, self._examples = (0, 0) if left is None else (left.batches, left.examples)
        self._totals = {} if left is None else dict(left.totals)
        self._waiting: list[tuple[dict[str, Any], int]] = []
        self._bad = -1

    def add(self, metrics: dict[str, Any], examples: int) -> int:
        """Add a batch; return the first batch known by now whose loss is not finite, -1 without."""
        self._waiting.append((metrics, examples))
        self.batches, self._examples = self.batches + 1, self._examples + examples
        return self.bad_batch if len(self._waiting) == _FETCH else -1

    @property
    def bad_batch(self) -> int:
        """The first batch whose loss is not finite, -1 without."""
        self._fetch()
        return self._bad

    def values(self) -> dict[str, Any]:
        """Return the means."""
        self._fetch()
        return {name: np.asarray(total / self._examples, dtype) for name, (total, dtype) in self._totals.items()}

    def middle(self, before: TrainState) -> Middle:
        """Return how far the epoch is that began with this state."""
        self._fetch()
        return Middle(before, self.batches, self._examples, dict(self._totals))

    def _fetch(self) -> None:
        """Fetch metrics and add them up, weighed by their examples, in double precision."""
        first = self.batches - len(self._waiting)
        for number, (metrics, examples) in enumerate(jax.device_get(self._waiting), start=first):
            if self._bad < 0 and not np.isfinite(float(metrics["loss"])):
                self._bad = number
            for name, value in metrics.items():
                total, dtype = self._totals.get(name, (0.0, value.dtype.name))
                self._totals[name] = (total + float(value) * int(examples), dtype)
        self._waiting.clear()
