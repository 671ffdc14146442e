"""Our cells where equinox's go: a cell and its parameters as one callable pytree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
from jax import Array

from seqvision.cells import Cell, PyTree, unroll


@partial(jax.tree_util.register_dataclass, data_fields=["params"], meta_fields=["cell"])
@dataclass(frozen=True)
class EquinoxCell:
    """A cell with its parameters, called as ``equinox.nn.LSTMCell`` and ``GRUCell`` are.

    It is a pytree whose leaves are the parameters and whose cell is static, so that it is a field of an equinox
    module, and ``eqx.filter_jit``, ``filter_grad``, ``partition`` and ``tree_at`` treat it as one. Any number of batch
    axes may lead; under ``jax.vmap`` it works as equinox's cells do.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.
      params: its parameters.

    >>> import jax.numpy as jnp
    >>> from seqvision.cells import LSTM
    >>> cell = LSTM(4)
    >>> layer = EquinoxCell(cell, cell.init(jax.random.key(0), in_features=3))
    >>> hidden = layer(jnp.ones(3), layer.initial_state())
    >>> hidden.h.shape
    (4,)
    >>> final, ys = layer.unroll(jnp.ones((2, 5, 3)))
    >>> ys.shape
    (2, 5, 4)
    """

    cell: Cell
    params: PyTree

    def __call__(self, input: Array, hidden: Any, *, key: Array | None = None) -> Any:
        """Advance one step: input (..., D), hidden -> hidden; ``key`` is not used."""
        return self.cell.step(self.params, hidden, input)[0]

    def initial_state(self, batch_shape: Sequence[int] = ()) -> Any:
        """Return the state before the first step; every leaf starts with ``batch_shape``."""
        return self.cell.initial_state(self.params, batch_shape)

    def unroll(self, xs: Array, **options: Any) -> tuple[Any, Array]:
        """Run over xs (..., T, D): the final state and ys (..., T, H); options as `seqvision.cells.unroll`."""
        return unroll(self.cell, self.params, xs, **options)
