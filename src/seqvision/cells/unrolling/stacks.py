"""Several cells over one sequence: stacked, and in both directions."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from ..base import Cell, PyTree
from .unroll import unroll


def unroll_stack(
    cells: Sequence[Cell],
    params: Sequence[PyTree],
    xs: Array,
    *,
    state: Sequence[PyTree] | None = None,
    **options,
) -> tuple[tuple[PyTree, ...], Array]:
    """Run cells on top of each other: each reads the outputs of the one below.

    Args:
      cells: L cells, the one that reads xs first.
      params: L parameter trees, the k-th made with ``in_features`` = outputs of the cell below.
      xs: (..., T, D).
      state: L states, or None for the initial ones.
      **options: mask, reset, reverse, method, remat of `unroll`, for every layer.

    Returns:
      L final states, and the top layer's ys (..., T, H).

    Raises:
      ValueError: if cells, params and state differ in number.

    >>> import jax
    >>> from seqvision.cells import GRU
    >>> cells = (GRU(4), GRU(2))
    >>> params = (cells[0].init(jax.random.key(0), 3), cells[1].init(jax.random.key(1), 4))
    >>> finals, ys = unroll_stack(cells, params, jnp.ones((5, 3)))
    >>> len(finals), ys.shape
    (2, (5, 2))
    """
    state = (None,) * len(cells) if state is None else state
    if not len(cells) == len(params) == len(state):
        raise ValueError(
            f"unroll_stack: {len(cells)} cells, {len(params)} params, {len(state)} states: numbers must agree"
        )
    finals = []
    for cell, layer_params, layer_state in zip(cells, params, state, strict=True):
        final, xs = unroll(cell, layer_params, xs, state=layer_state, **options)
        finals.append(final)
    return tuple(finals), xs


def unroll_bidirectional(
    forward: Cell,
    backward: Cell,
    params: tuple[PyTree, PyTree],
    xs: Array,
    *,
    state: tuple[PyTree, PyTree] | None = None,
    **options,
) -> tuple[tuple[PyTree, PyTree], Array]:
    """Run one cell forward in time and one backward, outputs side by side (Schuster and Paliwal 1997).

    With a mask that ends early the backward cell starts at the last valid step, since masked steps hold its state.

    Args:
      forward: the cell that runs from the first step to the last.
      backward: the cell that runs from the last step to the first.
      params: the two parameter trees.
      xs: (..., T, D).
      state: the two states, or None for the initial ones.
      **options: mask, reset, method, remat of `unroll`.

    Returns:
      The two final states (the backward cell's is the one at the first step), and ys (..., T, H_forward + H_backward).

    >>> import jax
    >>> from seqvision.cells import LSTM
    >>> cell = LSTM(4)
    >>> params = (cell.init(jax.random.key(0), 3), cell.init(jax.random.key(1), 3))
    >>> finals, ys = unroll_bidirectional(cell, cell, params, jnp.ones((2, 5, 3)))
    >>> ys.shape
    (2, 5, 8)
    """
    if "reverse" in options:
        raise ValueError("unroll_bidirectional runs both directions: drop reverse")
    state = (None, None) if state is None else state
    ahead, ys_ahead = unroll(forward, params[0], xs, state=state[0], **options)
    back, ys_back = unroll(backward, params[1], xs, state=state[1], reverse=True, **options)
    return (ahead, back), jnp.concatenate([ys_ahead, ys_back], axis=-1)
