"""A cell whose initial state is a parameter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from .base import Cell, PyTree, init_params
from .parameters import check_params


class LearnedStartParams(NamedTuple):
    """Parameters of `LearnedStart`."""

    inner: PyTree  # the cell's own
    start: PyTree  # the state before the first step, without batch axes


@dataclass(frozen=True)
class LearnedStart:
    """Any cell, started from a state that is learned with the weights (and so reset to it).

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.

    >>> from seqvision.cells import GRU, unroll
    >>> cell = LearnedStart(GRU(4))
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> slope = jax.grad(lambda p: unroll(cell, p, jnp.ones((2, 5, 3)))[1].sum())(params)
    >>> slope.start.h.shape
    (4,)
    """

    cell: Cell

    @property
    def event_axes(self) -> int:
        """How many axes one event has: the cell's."""
        return getattr(self.cell, "event_axes", 1)

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> LearnedStartParams:
        """Draw the cell's parameters, and start where the cell would."""
        inner = init_params(self.cell, key, in_features, dtype)
        return LearnedStartParams(inner=inner, start=self.cell.initial_state(inner))

    def initial_state(self, params: LearnedStartParams, batch_shape: Sequence[int] = ()) -> PyTree:
        """Return the learned state, each leaf once for every element of ``batch_shape``."""
        check_params(self, params)
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*batch_shape, *leaf.shape)), params.start)

    def step(self, params: LearnedStartParams, state: PyTree, x: Array) -> tuple[PyTree, Array]:
        """Advance the cell by one step."""
        return self.cell.step(params.inner, state, x)
