"""What is compiled ahead of time: by another thread, while this one trains."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import jax

from seqvision._compilation import line_by_line


@contextmanager
def ahead_of_time() -> Iterator[Callable[..., None]]:
    """Give a function that has another thread call a function, one after another; who is not begun at the end is not.

    What raises an error does so again where it is done in earnest. Where this thread has settings of jax of its own, by
    ``with jax.default_matmul_precision(…)`` for instance, nothing is called: the other thread has not got them.

    >>> done = []
    >>> with ahead_of_time() as compile_ahead:
    ...     compile_ahead(done.append, 1)
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:

        def call(function: Callable[..., Any], *args: Any) -> None:
            if not line_by_line():
                pool.submit(_quietly, _settings(), function, args)

        try:
            yield call
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _quietly(settings: Any, function: Callable[..., Any], args: Any) -> None:
    if _settings() == settings:
        with suppress(Exception):
            function(*args)


def _settings() -> Any:
    """Return what a program depends on beside its arguments, in this thread."""
    config: Any = jax.config
    return {name: getattr(config, name, None) for name in config.values}, jax.sharding.get_abstract_mesh()
