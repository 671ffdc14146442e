"""Compile ahead of time, so that compiling and running are told apart."""

import time
from collections.abc import Callable
from typing import Any

import jax


class Program:
    """A jitted function that is compiled once for each signature of its arguments and says how long that took.

    Args:
      function: the function to jit.
      donate: positions of arguments whose buffers the results may take.
    """

    def __init__(self, function: Callable, donate: tuple[int, ...] = ()):
        self._jitted = jax.jit(function, donate_argnums=donate)
        self._compiled: dict[Any, Any] = {}

    def compile(self, *args: Any) -> tuple[Callable, float]:
        """Return the executable for arguments like these, and the seconds spent on it now (0 if it was there)."""
        leaves, structure = jax.tree.flatten(args)
        signature = (structure, tuple((jax.typeof(leaf), leaf.sharding) for leaf in leaves))
        if signature in self._compiled:
            return self._compiled[signature], 0.0
        start = time.perf_counter()
        self._compiled[signature] = self._jitted.lower(*args).compile()
        return self._compiled[signature], time.perf_counter() - start
