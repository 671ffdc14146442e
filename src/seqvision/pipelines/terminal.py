"""Run a pipeline as a script does: progress to stderr, the result to stdout."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

from seqvision.pipelines.results import Run

Arguments = ParamSpec("Arguments")


def run_and_print(run: Callable[Arguments, Run], *args: Arguments.args, **options: Arguments.kwargs) -> dict[str, Any]:
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
    up logging of its own does without this.

    >>> with show_progress():
    ...     logging.getLogger("seqvision.pipelines").info("gru: 5 seeds trained in 1.00 s")  # on stderr
    """
    logger = logging.getLogger("seqvision")
    if any(isinstance(handler, _OnTerminal) for handler in logger.handlers):  # a block around this one shows them
        yield
        return
    handler, level, propagate = _OnTerminal(sys.stderr), logger.level, logger.propagate
    logger.addHandler(handler)
    logger.propagate = propagate and bool(logging.root.handlers)  # a library may give root one on the way
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _OnTerminal(logging.StreamHandler):
    """The handler of `show_progress`."""
