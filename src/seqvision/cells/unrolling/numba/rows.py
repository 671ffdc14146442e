"""The row that the kernels keep of a step: the blocks of the gates side by side, H values each.

  Elman   a
  LSTM    i | f | g | o
  GRU     n | r | z | n_h     n is x's share of the candidate and then the candidate, n_h is h's share of it

So the blocks that x has a part in lie side by side, all but the GRU's last, and those that h has, all but its first.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from ...elman import Elman
from ...gru import GRU


def row_size(cell) -> int:
    """Return the values of a row."""
    return (1 if isinstance(cell, Elman) else 4) * cell.hidden


def before_h(cell) -> int:
    """Return the values of a row in which h has no part: they come first."""
    return cell.hidden if isinstance(cell, GRU) else 0


def columns_of_x(cell, columns: Array) -> Array:
    """Bring x's columns (..., gates H) from the order of the parameters into that of the row."""
    if not isinstance(cell, GRU):
        return columns
    r_and_z, n = jnp.split(columns, (2 * cell.hidden,), axis=-1)
    return jnp.concatenate([n, r_and_z], axis=-1)


def parameters_of_x(cell, row: Array) -> Array:
    """Bring x's columns of a row (..., row) into the order of the parameters."""
    if not isinstance(cell, GRU):
        return row
    n, r_and_z, _ = jnp.split(row, (cell.hidden, 3 * cell.hidden), axis=-1)
    return jnp.concatenate([r_and_z, n], axis=-1)


def joined(cell, gates: Sequence[Array]) -> Array:
    """Put what a rule's ``gates`` keeps, or the gradients of what it takes, side by side."""
    if isinstance(cell, GRU):
        r, z, n, n_h = gates
        gates = n, r, z, n_h
    return jnp.concatenate(gates[:4], axis=-1)


def parted(cell, row: Array, new) -> tuple[Array, ...]:
    """Return what a rule's ``gates`` keeps, from the row and the state after the step."""
    if isinstance(cell, Elman):
        return (new.h,)
    a, b, c, d = jnp.split(row, 4, axis=-1)
    return (b, c, a, d) if isinstance(cell, GRU) else (a, b, c, d, jnp.tanh(new.c))
