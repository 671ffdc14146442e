"""Run a pipeline as a script does: progress to stderr, the result to stdout."""

import contextlib
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec

from seqvision._phases import RUNNING, Phase, in_seconds

if TYPE_CHECKING:
    from seqvision.pipelines.results import Run

logger = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")

_LOOK = 0.5  # seconds between two looks at how far a run is
_SILENT = 5.0  # seconds that a log says nothing, at most; in a long phase a tenth of it


def run_and_print(
    run: Callable[Arguments, "Run"], *args: Arguments.args, **options: Arguments.kwargs
) -> dict[str, Any]:
    """Run, print the text and the folder of the run, and return its summary as plain values.

    Args:
      run: `run_forecast`, `run_classify`, `run_recipes` or another that returns a run.
      args: what it is called with.
      options: likewise.

    >>> from types import SimpleNamespace
    >>> def run(config):
    ...     return SimpleNamespace(text=f"{config} went well", folder="runs/1", to_dict=lambda: {"error": 0.5})
    >>> run_and_print(run, "it")
    it went well
    <BLANKLINE>
    run folder: runs/1
    {'error': 0.5}
    """
    with show_progress():
        result = run(*args, **options)
    print(f"{result.text}\n\nrun folder: {result.folder}")
    return result.to_dict()


@contextmanager
def show_progress() -> Iterator[None]:
    """Show on stderr, within the block, what pipelines log of how far a run is.

    They log at level INFO to children of the logger "seqvision", which shows nothing by default; a program that has set
    up logging of its own does without this. A terminal has a line that lives beside, with what is done now and since
    when; elsewhere a line comes every few seconds. A stderr that fails ends no run.

    >>> with show_progress():
    ...     logging.getLogger("seqvision.pipelines").info("training gru: 1.00 s")  # on stderr
    """
    logger = logging.getLogger("seqvision")
    if any(isinstance(handler, _OnTerminal) for handler in logger.handlers):  # a block around this one shows them
        yield
        return
    handler, level, propagate = _OnTerminal(), logger.level, logger.propagate
    logger.addHandler(handler)
    logger.propagate = propagate and bool(logging.root.handlers)  # a library may give root one on the way
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(handler, over), name="progress", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _OnTerminal(logging.Handler):
    """The handler of `show_progress`: lines, and on a terminal below them one that lives."""

    def __init__(self) -> None:
        super().__init__()
        self._living = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        self._write(f"{self.format(record)}\n")

    def live(self, text: str) -> None:
        """Write the line that lives over what it was; without text it is wiped out."""
        with self.lock or contextlib.nullcontext():
            if text or self._living:
                self._write(text[: shutil.get_terminal_size().columns - 1])
                self._living = bool(text)

    def _write(self, text: str) -> None:
        # stderr as it is now: a bar stands in for it while it is shown. One that fails, or that is none, is no reason
        # to end a run.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"\r\x1b[K{text}" if self._living or not text.endswith("\n") else text)
            sys.stderr.flush()
        self._living = False


def _look(handler: _OnTerminal, over: threading.Event) -> None:
    """Say again and again how far the run is, until it is over."""
    live = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    said = Said()
    while not over.wait(_LOOK):
        run = next(iter(RUNNING[-1:]), None)
        phase = None if run is None else next(iter(run.open[-1:]), None)
        if run is None or phase is None:
            continue
        seconds = run.clock() - phase.begun
        if live and not phase.by_bar:
            handler.live(how_far(phase, seconds))
        elif not live and said.due(phase, seconds):
            logger.info(how_far(phase, seconds))
        else:
            continue
        phase.told = True  # its end too
    handler.live("")


def how_far(phase: Phase, seconds: float) -> str:
    """Return what is said of a phase that has lasted so long.

    >>> how_far(Phase("training", "gru seed 2 of 5", begun=0.0, how_far="epoch 3 of 40"), 12.25)
    'training gru seed 2 of 5, epoch 3 of 40, 12.2 s so far'
    """
    return ", ".join(filter(None, [phase.label, phase.how_far, f"{in_seconds(seconds)} s so far"]))


class Said:
    """When a log was told last how far a run is.

    >>> said, phase = Said(), Phase("compiling", "gru", begun=0.0)
    >>> [second for second in range(120) if said.due(phase, second)]
    [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 56, 63, 70, 78, 87, 97, 108]
    """

    def __init__(self) -> None:
        self._phase: Phase | None = None
        self._last = 0.0

    def due(self, phase: Phase, seconds: float) -> bool:
        """Whether to say a line of a phase that has lasted so long; it is said then."""
        if phase is not self._phase:
            self._phase, self._last = phase, 0.0
        if seconds - self._last < max(_SILENT, seconds / 10):
            return False
        self._last = seconds
        return True
