"""Many members of one population: the same pure function of a key, over several keys, compiled once."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array

from seqvision._checks import check_flag, shown
from seqvision._compilation import Program


def run_population(member: Callable[..., Any], keys: Array, *shared: Any, together: bool = True) -> Any:
    """Map a pure function over keys, all members in one vmapped program or one after another.

    On CPU a step of ten recurrent networks of five units takes little longer than that of one, so that together they
    train in about half the time; from some 64 units on the products are better done one after another.

    Programs in two threads at once would use two cores, but XLA's CPU client, whose thread pool has one thread a core,
    can then wait for itself for ever (seen with jax 0.10.1).

    Args:
      member: (key, *shared) -> pytree of arrays: what one member draws, trains and measures.
      keys: (S,) JAX keys, one a member.
      shared: pytrees of arrays that all members see, data sets for instance (closed over they would be constants).
      together: vmap the members; otherwise one after another.

    Returns:
      What ``member`` returns as NumPy arrays, with a leading axis (S,).

    Raises:
      ValueError: if there are no keys.

    >>> keys = jax.random.split(jax.random.key(0), 5)
    >>> run_population(lambda key: {"draw": jax.random.normal(key, (3,))}, keys)["draw"].shape
    (5, 3)
    """
    check_flag("together", together, owner="run_population")
    got = f"shape {keys.shape}" if hasattr(keys, "shape") else shown(keys)
    if getattr(keys, "ndim", 0) != 1 or not len(keys):
        raise ValueError(f"run_population: keys must be (S,) with S >= 1, got {got}: jax.random.split one")
    if together:
        program = Program(jax.vmap(member, in_axes=(0, *(None for _ in shared))))
        return jax.device_get(program.compile(keys, *shared)(keys, *shared))
    run = Program(member).compile(keys[0], *shared)
    results = [jax.device_get(run(key, *shared)) for key in keys]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *results)
