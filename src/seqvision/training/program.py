"""Compile ahead of time, so that compiling and running are told apart, with the options that suit small programs."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

# XLA:CPU's older code generator compiles a run in half the time, and small recurrent steps run a fifth faster.
_CPU = {"xla_cpu_use_fusion_emitters": False}
# A program that runs once, such as an initialization, is not worth optimizing.
_CPU_ONCE = {**_CPU, "xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

# While XLA compiles a run in one thread, the program that initializes its state passes through the other.
_BACKGROUND = ThreadPoolExecutor(2, thread_name_prefix="compile")


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

    def shapes(self, *args: Any) -> Any:
        """Return the shapes and dtypes of the results for arguments like these."""
        return jax.eval_shape(self._jitted, *args)

    def prepare(self, *args: Any) -> Future:
        """Lower the program for arguments like these, arrays or shapes, and compile it in the background."""
        leaves, structure = jax.tree.flatten(args)
        signature = (structure, tuple((leaf.shape, leaf.dtype, _spread(leaf)) for leaf in leaves))
        if signature not in self._compiled:
            lowered = self._jitted.lower(*args)  # here and not in the thread, which would not see the caller's context
            self._compiled[signature] = _BACKGROUND.submit(self._build, lowered)
        return self._compiled[signature]

    def compile(self, *args: Any) -> Callable:
        """Return the executable for arguments like these."""
        return self.prepare(*args).result()

    def _build(self, lowered: Any) -> Callable:
        if jax.default_backend() != "cpu":
            return lowered.compile()
        try:
            return lowered.compile(compiler_options=self._options)
        except Exception as error:  # an XLA without these options; its error type is not public
            if "No such compile option" not in str(error):
                raise
            return lowered.compile()


def _spread(leaf: Any) -> Any:
    """Return how an array lies over several devices, None on one."""
    sharding = getattr(leaf, "sharding", None)
    return None if isinstance(sharding, jax.sharding.SingleDeviceSharding) else sharding
