"""How far a training is: a progress bar on stderr, or words for who asks."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from seqvision._phases import go_on, tell_how_far

Advance = Callable[[int, Mapping[str, Any]], None]


@contextmanager
def progress_bar(epochs: int, done: int, wanted: bool | None) -> Iterator[Advance]:
    """Show epochs done and the latest metrics on stderr; ``wanted=None`` shows them only if that is a terminal.

    A run of several trainings has said before what this one is called; its bar is gone when it is done. A stderr that
    fails ends no training.
    """
    shown = _is_terminal() if wanted is None else wanted
    title = go_on(by_bar=shown)
    if not shown:

        def say(more: int, history: Mapping[str, Any]) -> None:
            nonlocal done
            done += more
            tell_how_far(f"epoch {done} of {epochs}  {_latest(history)}".rstrip())

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(f"{title}  epoch".lstrip(), markup=False),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=bool(title))
    task = bar.add_task("", total=epochs, completed=done)

    def advance(done: int, history: Mapping[str, Any]) -> None:
        bar.update(task, advance=done, description=_latest(history))

    with contextlib.suppress(OSError, ValueError):
        bar.start()
    try:
        yield advance
    finally:
        with contextlib.suppress(OSError, ValueError):
            bar.stop()


def _latest(history: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {values[-1]:.4g}" for name, values in history.items())


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
