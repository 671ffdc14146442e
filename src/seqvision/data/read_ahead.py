"""A thread that reads ahead of whoever uses what is read."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Any

_PATIENCE = 1.0  # seconds that a reader has to end; one that waits for a slow source ends after it, alone


def read_ahead(items: Iterable[Any], depth: int = 2) -> Generator[Any, None, None]:
    """Give the items of an iterable, read by a thread that is up to ``depth`` of them ahead.

    An error of the iterable is raised here, after the items before it. The thread ends with the iterator: at its end,
    at an error, or when it is closed; then it reads no further item, and who closes waits for a slow one no longer than
    a second, so that Ctrl-C is heard.

    Args:
      items: iterated in the thread, and closed there if it is a generator.
      depth: items that may wait, >= 1.

    >>> list(read_ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    waiting: queue.Queue = queue.Queue(depth)
    stop = threading.Event()

    def put(entry: Any) -> None:
        while not stop.is_set():
            try:
                return waiting.put(entry, timeout=0.05)
            except queue.Full:
                continue

    def read() -> None:
        iterator: Any = None
        try:
            iterator = iter(items)
            for item in iterator:
                put((item, False, None))
                if stop.is_set():
                    break
            put((None, True, None))
        except BaseException as error:  # whatever it is, it belongs to the caller
            put((None, True, error))
        finally:
            getattr(iterator, "close", lambda: None)()

    thread = threading.Thread(target=read, name="seqvision reads ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, ended, error = waiting.get()
            if error is not None:
                raise error
            if ended:
                return
            yield item
    finally:
        stop.set()
        thread.join(_PATIENCE)
