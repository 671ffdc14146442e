"""Compile ahead of time, so that compiling and running are told apart, with the options that suit small programs."""

import time
from collections.abc import Callable
from typing import Any

import jax

# XLA:CPU's older code generator compiles a run in half the time, and small recurrent steps run a fifth faster.
_CPU = {"xla_cpu_use_fusion_emitters": False}
# A program that runs once, such as an initialisation, is not worth optimising.
_CPU_ONCE = {**_CPU, "xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


class Program:
    """A jitted function that is compiled once for each signature of its arguments and says how long that took.

    Args:
      function: the function to jit.
      donate: positions of arguments whose buffers the results may take.
      once: the program runs only once: compile fast rather than well.
    """

    def __init__(self, function: Callable, *, donate: tuple[int, ...] = (), once: bool = False):
        self._jitted = jax.jit(function, donate_argnums=donate)
        self._options: dict[str, Any] | None = _CPU_ONCE if once else _CPU
        self._compiled: dict[Any, Callable] = {}

    def compile(self, *args: Any) -> tuple[Callable, float]:
        """Return the executable for arguments like these, and the seconds spent on it now (0 if it was there)."""
        leaves, structure = jax.tree.flatten(args)
        signature = (structure, tuple((jax.typeof(leaf), leaf.sharding) for leaf in leaves))
        if signature in self._compiled:
            return self._compiled[signature], 0.0
        start = time.perf_counter()
        self._compiled[signature] = self._build(args)
        return self._compiled[signature], time.perf_counter() - start

    def _build(self, args: tuple) -> Callable:
        lowered = self._jitted.lower(*args)
        if jax.default_backend() != "cpu":
            return lowered.compile()
        try:
            return lowered.compile(compiler_options=self._options)
        except Exception as error:  # an XLA without these options; its error type is not public
            if "No such compile option" not in str(error):
                raise
            return lowered.compile()
