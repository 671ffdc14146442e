"""Pictures drawn by processes of their own: they import matplotlib while this one computes, and draw side by side."""

import os
import pickle
import queue
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

_SERVE = "from seqvision.reporting.drawing_process import serve; serve()"


class _Picture(NamedTuple):
    path: Path
    plot: str
    args: tuple[Any, ...]
    options: dict[str, Any]

    def draw(self) -> None:
        room: Any = import_module("seqvision.reporting")  # here, since the room has this file
        room.save_figure(getattr(room, self.plot)(*self.args, **self.options), self.path)


class Drawers:
    """Draws pictures beside the caller; all of them are there when the context ends.

    A picture that a process cannot draw, because it died or did not start, is drawn here. There are no processes on one
    core, and none where matplotlib is imported already.

    Args:
      wanted: False draws nothing and starts nothing.
      plots: names of functions of `seqvision.reporting` that will be asked for, imported ahead.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Drawers(plots=("plot_losses",)) as drawers:
    ...         drawers.save(Path(folder) / "losses.png", "plot_losses", {"gru": {"loss": [[1.0, 0.5]]}})
    ...     [path.name for path in Path(folder).iterdir()]
    ['losses.png']
    """

    def __init__(self, wanted: bool = True, plots: tuple[str, ...] = ()):
        self.wanted = wanted
        count = _processes_worthwhile() if wanted else 0
        self._processes: list[subprocess.Popen] = []
        with suppress(OSError):  # no room for them: what is drawn is drawn here
            for _ in range(count):
                self._processes.append(_start(plots))
        self._free: queue.SimpleQueue[subprocess.Popen] = queue.SimpleQueue()
        for process in self._processes:
            self._free.put(process)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="draw") if self._processes else None
        self._asked: list[tuple[_Picture, Future | None]] = []

    def save(self, path: str | os.PathLike[str], plot: str, *args: Any, **options: Any) -> None:
        """Draw what a function of `seqvision.reporting` returns, given by name, and write it to a file.

        Args:
          path: of the file, whose ending says the form.
          plot: name of the function.
          args, options: its arguments, which pickle can carry.
        """
        if self.wanted:
            picture = _Picture(Path(path).absolute(), plot, args, options)
            drawn = None if self._threads is None else self._threads.submit(self._have_drawn, picture)
            self._asked.append((picture, drawn))

    def finish(self) -> None:
        """Wait for all pictures, and draw here those that are missing."""
        asked, self._asked = self._asked, []
        for picture, drawn in asked:
            if drawn is None or not drawn.result():
                picture.draw()

    def _have_drawn(self, picture: _Picture) -> bool:
        """Say whether a process drew it."""
        process = self._free.get()
        try:
            pickle.dump(tuple(picture), process.stdin)  # type: ignore[arg-type]
            process.stdin.flush()  # type: ignore[union-attr]
            return pickle.load(process.stdout) is True  # type: ignore[arg-type]
        except (OSError, EOFError, ValueError, AttributeError, TypeError, pickle.PickleError):
            process.kill()  # what it reads next would be the rest of this
            return False
        finally:
            self._free.put(process)

    def __enter__(self) -> "Drawers":
        return self

    def __exit__(self, kind: type | None, *_: Any) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            for process in self._processes:
                process.kill()
            if self._threads is not None:
                self._threads.shutdown(cancel_futures=True)
            for process in self._processes:
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    with suppress(OSError):  # what was not written has no reader
                        pipe.close()  # type: ignore[union-attr]


def _start(plots: tuple[str, ...]) -> subprocess.Popen:
    """Start a process that finds what this one finds."""
    found = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _SERVE, *plots],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": found},
    )


def _processes_worthwhile() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if cores < 2 or "matplotlib.figure" in sys.modules else 2
