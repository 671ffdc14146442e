"""The epochs of `fit` in chunks: one program each, and between two of them progress, checkpoints and signals."""

import math
import signal
import time
from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import NamedSharding

from .placement import around, on_mesh
from .plans import Plans
from .progress import progress_bar
from .resumption.course import Course
from .resumption.saver import Saver
from .resumption.signals import heard, ready
from .streaming import Pause, PausedEpoch, StreamedEpoch

_ROWS = 2**22  # of the orders of one program's epochs


def epochs_at_once(epochs: int, every: int | None = None, examples: int = 1) -> int:
    """Return the epochs of one program: a divisor of the total, and of ``every``, up to a twentieth of the total.

    Their orders, of so many examples each, are kept at once.

    >>> epochs_at_once(100), epochs_at_once(100, every=4), epochs_at_once(30)
    (5, 4, 1)
    """
    common = math.gcd(epochs, every or epochs)
    most = max(1, min(epochs // 20, _ROWS // examples))
    return max(d for d in range(1, most + 1) if common % d == 0)


def run_chunks(
    course: Course,
    several: Callable[..., Any],
    data: Any,
    validation: Any,
    plans: Plans | None,
    epochs: int,
    chunk: int,
    place: NamedSharding | None,
    saver: Saver | None,
    progress: bool | None,
) -> None:
    """Train until the epochs are done, early stopping ends them, a loss is not finite, or a signal comes.

    Args:
      course: from where; it is moved on.
      several: (state, watch, guard, data, validation, plan) -> (state, watch, guard, history) of ``chunk`` epochs.
      data, validation: as in `fit`, or as the plans have them.
      plans: the orders of the epochs; None if ``several`` has them.
      epochs, chunk: how many in all, and at once.
      place: where the arrays lie.
      saver: writes checkpoints, if they are wanted; SIGTERM is heeded only then.
      progress: as in `fit`.
    """
    start = time.perf_counter() - course.seconds["run"]

    def told() -> str:
        saved = "" if saver is None else f", and is kept in {saver.path}"
        if isinstance(several, StreamedEpoch):
            return f"the training ends after this batch{saved}"
        last = min(epochs, course.epochs + chunk)
        return f"the training ends after epoch {last} of {epochs}{saved}"

    numbers = (signal.SIGINT,) if saver is None else (signal.SIGINT, signal.SIGTERM)
    with heard(numbers, told) as wish, progress_bar(epochs, course.epochs, progress) as advance, around(place):

        def due() -> bool:
            return wish.signal is not None or (saver is not None and saver.time_is_up())

        def look(state: Any, middle: Any) -> bool:
            course.state, course.middle = state, middle
            course.seconds["run"] = time.perf_counter() - start
            if saver is not None:
                saver.save(course)
            return wish.signal is not None

        if isinstance(several, StreamedEpoch):
            several.pause = Pause(due, look, course.middle)
        plan = None if plans is None else plans[course.epochs]
        while course.epochs < epochs:
            carried = on_mesh((course.state, course.watch, course.guard), place, owned=True)
            try:
                *carried, history = several(*carried, data, validation, on_mesh(plan, place))
                if plans is not None and course.epochs + chunk < epochs:
                    plan = plans[course.epochs + chunk]  # while the device computes
            except PausedEpoch:
                course.signal = wish.signal
                return
            course.state, course.watch, course.guard = carried
            course.middle = None
            history, good_epochs, bad_batch = jax.device_get(ready((history, course.guard.epochs, course.guard.batch)))
            course.seconds["run"] = time.perf_counter() - start
            course.add({name: values[: int(good_epochs) - course.epochs] for name, values in history.items()})
            course.bad_batch = int(bad_batch)
            if course.bad_batch >= 0:
                return
            advance(chunk, history)
            ended = course.epochs >= epochs or bool(course.watch is not None and course.watch.stopped)
            course.signal = wish.signal
            if saver is not None:
                saver.after_epochs(course, ended=ended, stopping=course.signal is not None)
            if ended or course.signal is not None:
                return
