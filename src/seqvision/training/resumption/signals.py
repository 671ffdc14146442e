"""Ctrl-C and SIGTERM while a run trains: the first is remembered until it can be heeded, the second ends at once."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import jax

logger = logging.getLogger(__name__)

_LONGEST = 0.05  # seconds between two looks at whether a program has ended


@dataclass
class Wish:
    """Whether somebody wants a run to end."""

    signal: int | None = None


class StoppedFitError(KeyboardInterrupt, SystemExit):
    """A training was stopped by Ctrl-C or SIGTERM after a whole epoch, or after a batch of a `Stream`.

    It is a KeyboardInterrupt, and like a SystemExit ends a program that does not catch it without a traceback, with the
    exit code 130, or 143 after SIGTERM.

    Args:
      text: what is told.
      fit: a `Fit`, what came of the epochs before, as if they had been all.
      signal: the number of the signal.
    """

    def __init__(self, text: str, fit: Any, signal: int):
        super().__init__(text)
        self.fit, self.signal, self.code = fit, signal, 128 + signal


def stopped_fit(fit: Any, number: int, place: str, folder: Any) -> StoppedFitError:
    """Return the error for a training that a signal stopped.

    Args:
      fit: what came of it.
      number: of the signal.
      place: where it is.
      folder: that of its checkpoints, None without.
    """
    how = (
        "the state and the history so far are the .fit of this error; with checkpoints=Checkpoints(folder) the same "
        "call would go on from here"
        if folder is None
        else f"they are in {os.fspath(folder)}: the same call goes on from there"
    )
    return StoppedFitError(f"stopped by {_name(number)} after {place}; {how}", fit, number)


@contextmanager
def heard(numbers: Sequence[int], told: Callable[[], str]) -> Iterator[Wish]:
    """Note within a block that a signal came instead of ending at once; a second one does what it did before.

    Outside the main thread, where Python lets nobody listen, and for a signal that is ignored, nothing changes.

    Args:
      numbers: the signals.
      told: what is said of what happens until the end.
    """
    wish = Wish()
    before: dict[int, Any] = {}

    def listen(number: int, frame: FrameType | None) -> None:
        if wish.signal is None:
            wish.signal = number
            logger.warning(f"{_name(number)}: {told()}; once more ends at once")
            return
        for other, handler in before.items():
            signal.signal(other, handler)
        if callable(before[number]):
            before[number](number, frame)
        else:  # the system's own
            signal.raise_signal(number)

    if threading.current_thread() is threading.main_thread():
        known = {number: signal.getsignal(number) for number in numbers}
        before = {number: handler for number, handler in known.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, listen)
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ready(tree: Any) -> Any:
    """Wait until arrays are computed, and let signals be heard meanwhile; return them."""
    arrays: list[Any] = [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array)]
    if threading.current_thread() is not threading.main_thread():
        return jax.block_until_ready(tree)
    start = time.perf_counter()
    while not all(array.is_ready() for array in arrays):
        time.sleep(min(_LONGEST, 2e-5 + 0.01 * (time.perf_counter() - start)))
    return tree


def _name(number: int) -> str:
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
