"""A progress bar on stderr."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Advance = Callable[[int, Mapping[str, Any]], None]


@contextmanager
def progress_bar(epochs: int, done: int, wanted: bool | None) -> Iterator[Advance]:
    """Show epochs done and the latest metrics on stderr; ``wanted=None`` shows them only if that is a terminal."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda done, history: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=epochs, completed=done)

        def advance(done: int, history: Mapping[str, Any]) -> None:
            latest = "  ".join(f"{name} {values[-1]:.4g}" for name, values in history.items())
            bar.update(task, advance=done, description=latest)

        yield advance
