"""What every way of execution is given: one unrolling, checked and with time first."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ..base import PyTree


class Problem(NamedTuple):
    """The arguments of one unrolling over T steps; a way of execution is a function run(cell, problem, remat)."""

    params: PyTree
    xs: Array  # (T, *batch, *event), 0 where masked
    state: PyTree  # before the first step, leaves (*batch, ...)
    fresh: PyTree = None  # what a reset returns to, like state; None where reset is
    mask: Array | None = None  # bool (T, *batch); None: all steps are valid
    reset: Array | None = None  # bool (T, *batch); None: no step is

    @property
    def dtype(self):
        """The type that parameters, inputs and state promote to."""
        return jnp.result_type(*jax.tree.leaves((self.params, self.xs, self.state)))

    def cast(self) -> "Problem":
        """Return the problem with all of its numbers in one type."""
        dtype = self.dtype
        params, xs, state, fresh = jax.tree.map(lambda leaf: leaf.astype(dtype), self[:4])
        return self._replace(params=params, xs=xs, state=state, fresh=fresh)

    def flip(self) -> "Problem":
        """Return the problem with its last step first."""
        xs, mask, reset = jax.tree.map(lambda a: jnp.flip(a, 0), (self.xs, self.mask, self.reset))
        return self._replace(xs=xs, mask=mask, reset=reset)


def keep(condition: Array, new: PyTree, old: PyTree) -> PyTree:
    """Choose by a bool condition (...) between two trees whose leaves start with its axes."""

    def choose(a, b):
        return jnp.where(condition.reshape(condition.shape + (1,) * (a.ndim - condition.ndim)), a, b)

    return jax.tree.map(choose, new, old)
