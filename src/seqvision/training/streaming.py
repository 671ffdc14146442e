"""Epochs of a `Stream`: the same step, batch by batch, each batch read and sent while the step before it runs."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np

from seqvision.data import Batch, Stream

from .checks import LabelRange
from .compilation import Program
from .divergence import Guard, check_validation
from .run import Evaluate, epoch_order, evaluate_data, make_epochs
from .state import TrainState
from .step import Step
from .stopping import EarlyStopping, Watch, update_watch

_FETCH = 512  # batches whose metrics may stay on the device


class StreamPrograms(NamedTuple):
    """The programs that epochs of streams are made of; what is already on the device is gone through in one."""

    step: Program  # (state, batch) -> (state, metrics)
    evaluate: Program  # (state, batch) -> metrics
    device_epoch: Program  # (state, None, guard, data, None) -> (state, None, guard, history)
    device_evaluate: Program  # (state, data) -> metrics
    update_watch: Program  # (watch, state, metrics) -> watch
    batch_size: int
    shuffle: bool


def make_stream_programs(
    step: Step, evaluate: Evaluate, batch_size: int, shuffle: bool, stopping: EarlyStopping | None
) -> StreamPrograms:
    """Build the programs; each compiles when it is first needed."""
    watching = stopping or EarlyStopping()
    return StreamPrograms(
        step=Program(step, donate=(0,)),
        evaluate=Program(evaluate),
        device_epoch=Program(make_epochs(step, 1, batch_size, shuffle), donate=(0, 2)),
        device_evaluate=Program(lambda state, data: evaluate_data(evaluate, state, data, batch_size)),
        update_watch=Program(lambda watch, state, metrics: update_watch(watching, watch, state, metrics)),
        batch_size=batch_size,
        shuffle=shuffle,
    )


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

    def prepare(
        self, state: TrainState, watch: Watch | None, guard: Guard, data: Any, validation: Any
    ) -> "StreamedEpoch":
        """Compile in the background what the epoch will surely need."""
        programs = self._programs
        if not isinstance(data, Stream):
            self._waiting.append(programs.device_epoch.prepare(state, None, guard, data, None))
        else:
            sizes = data.batch_sizes(programs.batch_size)
            self._waiting += [programs.step.prepare(state, data.shapes(size)) for size in sizes]
            if programs.shuffle and data.by_row:
                order = _order_program(len(data), programs.batch_size)
                self._waiting.append(order.prepare(state.key, state.step))
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

    def __call__(self, state: TrainState, watch: Watch | None, guard: Guard, data: Any, validation: Any) -> Any:
        """Return (state, watch, guard, history) after one epoch; the state is donated."""
        programs = self._programs
        if isinstance(data, Stream):
            before = jax.device_put(state, may_alias=False)
            state, metrics, bad = self._train(state, data)
            guard = Guard(before if bad else guard.state, guard.epochs + (bad < 0), np.asarray(bad, np.int32))
        else:
            epoch = programs.device_epoch.compile(state, None, guard, data, None)
            state, _, guard, history = epoch(state, None, guard, data, None)
            metrics = {name: values[0] for name, values in history.items()}
        if isinstance(validation, Stream):
            metrics |= self._evaluate(state, validation)
        elif validation is not None:
            metrics |= programs.device_evaluate.compile(state, validation)(state, validation)
        guard = check_validation(guard, metrics)
        if watch is not None:
            watch = self._compiled(programs.update_watch, watch, state, metrics)(watch, state, metrics)
        return state, watch, guard, {name: np.asarray(value)[None] for name, value in metrics.items()}

    def _train(self, state: TrainState, data: Stream) -> tuple[TrainState, dict[str, Any], int]:
        steps: dict[int, Callable] = {}
        order = None
        if self._programs.shuffle and data.by_row:
            program = _order_program(len(data), self._programs.batch_size)
            order = np.asarray(self._compiled(program, state.key, state.step)(state.key, state.step))

        def take(batch: Batch, size: int) -> Any:
            nonlocal state
            if size not in steps:
                steps[size] = self._compiled(self._programs.step, state, batch)
            state, metrics = steps[size](state, batch)
            return metrics

        metrics, bad = self._means(data, order, take)
        return state, metrics, bad

    def _evaluate(self, state: TrainState, data: Stream) -> dict[str, Any]:
        evaluations: dict[int, Callable] = {}

        def take(batch: Batch, size: int) -> Any:
            if size not in evaluations:
                evaluations[size] = self._compiled(self._programs.evaluate, state, batch)
            return evaluations[size](state, batch)

        return {f"val_{name}": value for name, value in self._means(data, None, take)[0].items()}

    def _means(
        self, data: Stream, order: np.ndarray | None, take: Callable[[Batch, int], Any]
    ) -> tuple[dict[str, Any], int]:
        """Take every batch to the device and through a step, as long as the loss is finite.

        Returns the means of its metrics over all rows, and the first batch whose loss is not finite, -1 without.
        """
        totals: dict[str, Any] = {}
        examples, before, waiting, losses = 0, None, [], []
        with closing(data.read(order, data.own_batch_size or self._programs.batch_size)) as batches:
            for rows, batch in batches:
                if self._labels is not None:
                    self._labels.check(batch.y, rows)
                metrics = take(jax.device_put(batch), len(rows))  # begun, not awaited: the next batch follows at once
                jax.block_until_ready(before)  # so that no more than two batches wait on the device
                before = metrics
                waiting.append((metrics, len(rows)))
                examples += len(rows)
                if len(waiting) == _FETCH:
                    losses += _add(totals, waiting)
                    if not np.isfinite(losses).all():
                        break
        bad = ~np.isfinite(losses + _add(totals, waiting))
        means = {name: np.asarray(total / examples, dtype) for name, (total, dtype) in totals.items()}
        return means, int(bad.argmax()) if bad.any() else -1

    def _compiled(self, program: Program, *args: Any) -> Callable:
        with self._cache():
            return program.compile(*args)


def _add(totals: dict[str, Any], waiting: list[tuple[dict[str, Any], int]]) -> list[float]:
    """Fetch metrics and add them up, weighed by their examples, in double precision; return the losses."""
    losses = []
    for metrics, examples in jax.device_get(waiting):
        losses.append(float(metrics["loss"]))
        for name, value in metrics.items():
            total, dtype = totals.get(name, (0.0, value.dtype))
            totals[name] = (total + float(value) * int(examples), dtype)
    waiting.clear()
    return losses


@lru_cache(maxsize=64)
def _order_program(examples: int, batch_size: int) -> Program:
    return Program(lambda key, step: epoch_order(key, step, examples, batch_size))
