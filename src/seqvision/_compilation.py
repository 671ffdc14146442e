"""Programs compiled ahead of time, so that compiling and running are told apart, and kept on disk."""

import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache.compilation_cache import reset_cache

# XLA:CPU's older code generator compiles a run in half the time, and small recurrent steps run a fifth faster.
_CPU = {"xla_cpu_use_fusion_emitters": False}
# A program that runs once, such as an initialization, is not worth optimizing.
_CPU_ONCE = {**_CPU, "xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

# While XLA compiles a run in one thread, the program that initializes its state passes through the other.
_BACKGROUND = ThreadPoolExecutor(2, thread_name_prefix="compile")

_FLAGS = (
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)
_lock = threading.Lock()
_inside = 0  # threads inside `kept_on_disk`
_before: dict[str, Any] = {}  # the flags as they were before the first of them


class Program:
    """A jitted function that is compiled once for each signature of its arguments.

    Args:
      function: the function to jit.
      donate: positions of arguments whose buffers the results may take.
      once: the program runs only once: compile fast rather than well.
    """

    def __init__(self, function: Callable, *, donate: tuple[int, ...] = (), once: bool = False):
        self._jitted = jax.jit(function, donate_argnums=donate)
        self._options: dict[str, Any] | None = _CPU_ONCE if once else _CPU
        self._compiled: dict[Any, Future] = {}
        self._lowering = threading.Lock()  # what one thread lowers another waits for

    def shapes(self, *args: Any) -> Any:
        """Return the shapes and dtypes of the results for arguments like these."""
        return jax.eval_shape(self._jitted, *args)

    def prepare(self, *args: Any) -> Future:
        """Lower the program for arguments like these, arrays or shapes, and compile it in the background.

        Under ``jax.disable_jit`` it is the function itself, which then runs line by line.
        """
        if line_by_line():
            itself: Future = Future()
            itself.set_result(self._jitted)
            return itself
        arguments = signature(args)
        with self._lowering:
            if arguments not in self._compiled:
                lowered = self._jitted.lower(*args)  # here and not in the thread, which does not see this context
                self._compiled[arguments] = _BACKGROUND.submit(self._build, lowered)
            return self._compiled[arguments]

    def compile(self, *args: Any) -> Callable:
        """Return the executable for arguments like these."""
        return self.prepare(*args).result()

    def call(self, context: Callable[[], AbstractContextManager], *args: Any) -> Any:
        """Run the program; where it must be compiled before, it is so inside the context."""
        if line_by_line():
            return self._jitted(*args)
        future = self._compiled.get(signature(args))
        if future is None:
            with context():
                return self.compile(*args)(*args)
        return future.result()(*args)

    def _build(self, lowered: Any) -> Callable:
        if jax.default_backend() != "cpu":
            return lowered.compile()
        try:
            return lowered.compile(compiler_options=self._options)
        except Exception as error:  # an XLA without these options; its error type is not public
            if "No such compile option" not in str(error):
                raise
            return lowered.compile()


def line_by_line() -> bool:
    """Whether functions run line by line, under ``jax.disable_jit``."""
    config: Any = jax.config
    return bool(config.jax_disable_jit)


def signature(args: Any) -> Any:
    """Return what a program is compiled for: structure, shapes, dtypes and places of its arguments."""
    leaves, structure = jax.tree.flatten(args)
    return structure, tuple((leaf.shape, leaf.dtype, _spread(leaf)) for leaf in leaves)


def _spread(leaf: Any) -> Any:
    """Return how an array lies over several devices, None on one."""
    sharding = getattr(leaf, "sharding", None)
    return None if isinstance(sharding, jax.sharding.SingleDeviceSharding) else sharding


def enable_compilation_cache(folder: str | os.PathLike | None = None) -> Path | None:
    """Keep every program that is compiled from now on on disk, so that a second process starts without compiling.

    This sets jax's flags for the whole process; `fit` does the same for its own programs alone. JAX by itself keeps
    nothing that compiled in under a second. A cache folder that is already configured is respected, and
    ``JAX_ENABLE_COMPILATION_CACHE=false`` turns all of it off.

    Args:
      folder: where to keep them; the user's cache folder where None (``$XDG_CACHE_HOME/seqvision/xla``).

    Returns:
      The folder in use, None if the cache is off or the folder cannot be written.

    Raises:
      PermissionError: if others may write to the folder; a program read from it would run as you. Of a folder that is
        already configured a warning says so.
    """
    config: Any = jax.config  # its flags are unknown to type checkers
    if not config.jax_enable_compilation_cache:
        return None
    configured = config.jax_compilation_cache_dir
    path = Path(folder or configured or _default_folder())
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = (
            f"compilation cache {path} can be written by others, whose programs would run as you: chmod go-w {path}"
        )
        if folder is not None or not configured:
            raise PermissionError(f"{message}, or choose another folder")
        warnings.warn(message, stacklevel=2)  # jax reads it anyway
    _set_flags(dict(zip(_FLAGS, (str(path), 0.0, -1), strict=True)))
    return path


@contextmanager
def kept_on_disk() -> Iterator[None]:
    """Compile as after `enable_compilation_cache`; jax's flags are as before when the last thread has left."""
    global _inside, _before
    with _lock:
        if not _inside:
            _before = {name: getattr(jax.config, name) for name in _FLAGS}
            try:
                enable_compilation_cache()
            except PermissionError as error:
                warnings.warn(f"programs are not kept: {error}", stacklevel=2)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _set_flags(_before)


def _set_flags(flags: dict[str, Any]) -> None:
    config: Any = jax.config  # its flags are unknown to type checkers
    moves = flags["jax_compilation_cache_dir"] != config.jax_compilation_cache_dir
    for name, value in flags.items():
        config.update(name, value)
    if moves:
        reset_cache()  # jax goes on with the folder that it used first until it is told


def compilation_cache_folder() -> Path:
    """Return the folder in which compiled programs are kept: the configured one, or the user's cache.

    >>> compilation_cache_folder().is_absolute()
    True
    """
    config: Any = jax.config
    return Path(config.jax_compilation_cache_dir or _default_folder())


def _default_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "seqvision" / "xla"
