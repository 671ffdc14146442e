"""Run a cell over a sequence: one function, several ways to execute it."""

import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_flag
from seqvision._sharding import on_auto_axes

from ..base import Cell, Params, State
from .arguments import as_inputs, started, time_first
from .methods import Method, Remat, choose


def unroll(
    cell: Cell[Params, State],
    params: Params,
    xs: Array,
    *,
    state: State | None = None,
    mask: Array | None = None,
    reset: Array | None = None,
    reverse: bool = False,
    method: Method = "auto",
    remat: Remat = "none",
) -> tuple[State, Array]:
    """Run a cell over time.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.
      params: the cell's parameters, or a dict of their fields.
      xs: (..., T, D) inputs, any number of batch axes, T >= 0.
      state: the state before the first step; ``cell.initial_state`` where None.
      mask: bool (..., T). Where False the state is held and the output is 0, whatever the input holds, NaN included;
        no gradient comes from there.
      reset: bool (..., T). Where True at t, the state before step t is ``cell.initial_state``.
      reverse: run from the last step to the first; the same as flipping inputs, mask and reset, and flipping ys back.
      method: how it is executed, the numbers being the same to rounding: "auto", or one of
        `seqvision.cells.unrolling.methods.METHODS`, which says what each takes (its ``table()`` stands in the README).
      remat: "none" keeps what the backward pass needs; "gates" keeps states and recomputes gates; "sqrt" keeps about
        sqrt(T) states, and computes the forward pass twice.

    Mixed dtypes: the state takes the type that parameters, inputs and given state promote to (float16 parameters with
    float32 inputs compute in float32), and keeps it.

    Returns:
      The state after the last step, and ys (..., T, H).

    Raises:
      ValueError: for shapes that do not fit together, parameters of another cell, an unknown method, or one that
        cannot run this.
      TypeError: for a mask that is not bool or an object that is no cell.

    >>> import jax
    >>> from seqvision.cells import LSTM
    >>> cell = LSTM(8)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> final, ys = unroll(cell, params, jnp.ones((2, 5, 3)))
    >>> ys.shape, final.h.shape
    ((2, 5, 8), (2, 8))
    """
    check_flag("reverse", reverse, owner="unroll")

    def run(params, xs, state, mask, reset):
        batch, problem = time_first("unroll", cell, params, xs, state, mask, reset)
        inner, problem = started(cell, problem)
        how = choose(inner, problem, method, remat)
        final, ys = how.run(inner, problem.flip() if reverse else problem, remat)
        return final, jnp.moveaxis(jnp.flip(ys, 0) if reverse else ys, 0, len(batch))

    xs = as_inputs("unroll", cell, params, xs)
    batch_axes = max(xs.ndim - 1 - getattr(cell, "event_axes", 1), 0)
    return on_auto_axes(run, xs, batch_axes, params, xs, state, mask, reset)
