"""Several cells over one sequence: stacked, and in both directions."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from seqvision._checks import shown

from ..base import Cell, PyTree
from .unroll import unroll

Layer = Callable[[Array, Any], tuple[Any, Array]]  # xs, and a state or None for the initial one -> final state, ys


def run_stack(layers: Sequence[Layer], xs: Array, state: Sequence[PyTree] | None) -> tuple[tuple[PyTree, ...], Array]:
    """Run layers on top of each other: each reads the outputs of the one below."""
    finals = []
    for layer, start in zip(layers, (None,) * len(layers) if state is None else state, strict=True):
        final, xs = layer(xs, start)
        finals.append(final)
    return tuple(finals), xs


def run_both_ways(ahead: Layer, back: Layer) -> Layer:
    """Make one layer of two that read the same steps, their outputs side by side, their states a pair."""

    def layer(xs, state):
        of_ahead, of_back = (None, None) if state is None else state
        (end, ys), (begin, ys_back) = ahead(xs, of_ahead), back(xs, of_back)
        return (end, begin), jnp.concatenate([ys, ys_back], axis=-1)

    return layer


def unroll_stack(
    cells: Sequence[Cell],
    params: Sequence[PyTree],
    xs: Array,
    *,
    state: Sequence[PyTree] | None = None,
    **options: Any,
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
    if isinstance(cells, Cell):
        raise TypeError(f"unroll_stack: cells must be a tuple, got {shown(cells)}: write (cell,) and (params,)")
    states = len(cells) if state is None else len(state)
    if not len(cells) == len(params) == states:
        raise ValueError(f"unroll_stack: {len(cells)} cells, {len(params)} params, {states} states: numbers must agree")
    return run_stack([_layer(*pair, **options) for pair in zip(cells, params, strict=True)], xs, state)


def unroll_bidirectional(
    forward: Cell,
    backward: Cell,
    params: tuple[PyTree, PyTree],
    xs: Array,
    *,
    state: tuple[PyTree, PyTree] | None = None,
    **options: Any,
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
    if hasattr(params, "_fields") or not isinstance(params, tuple | list) or len(params) != 2:
        raise TypeError("unroll_bidirectional: params must be a pair, of the forward cell and of the backward one")
    if "reverse" in options:
        raise ValueError("unroll_bidirectional runs both directions: drop reverse")
    ahead, back = _layer(forward, params[0], **options), _layer(backward, params[1], reverse=True, **options)
    return run_both_ways(ahead, back)(xs, state)


def _layer(cell: Cell, params: PyTree, **options: Any) -> Layer:
    return lambda xs, state: unroll(cell, params, xs, state=state, **options)
