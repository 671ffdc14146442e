"""Run a cell over a sequence: one function, several ways to execute it."""

from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array

from .base import Cell, PyTree
from .fused import fused, supports_fused
from .scan import scan

METHODS = ("auto", "scan", "fused")
REMAT = ("none", "gates", "sqrt")


def unroll(
    cell: Cell,
    params: PyTree,
    xs: Array,
    *,
    state: PyTree | None = None,
    mask: Array | None = None,
    reset: Array | None = None,
    reverse: bool = False,
    method: Literal["auto", "scan", "fused"] = "auto",
    remat: Literal["none", "gates", "sqrt"] = "none",
) -> tuple[PyTree, Array]:
    """Run a cell over time.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.
      params: the cell's parameters.
      xs: (..., T, D) inputs, any number of batch axes, T >= 0.
      state: the state before the first step; ``cell.initial_state`` where None.
      mask: bool (..., T). Where False the state is held and the output is 0, whatever the input holds, NaN included;
        no gradient comes from there.
      reset: bool (..., T). Where True at t, the state before step t is ``cell.initial_state``.
      reverse: run from the last step to the first; the same as flipping inputs, mask and reset, and flipping ys back.
      method: "scan" is `lax.scan`, differentiable in every mode; "fused" has a hand-written backward pass (reverse mode
        only) that is faster for `Elman`, `LSTM` and `GRU`; "auto" takes "fused" where the cell has it.
      remat: "none" keeps what the backward pass needs; "gates" keeps states and recomputes gates; "sqrt" keeps about
        sqrt(T) states. The last two run by "scan".

    Mixed dtypes: the state takes the type that parameters, inputs and given state promote to (float16 parameters with
    float32 inputs compute in float32), and keeps it.

    Returns:
      The state after the last step, and ys (..., T, H).

    Raises:
      ValueError: for shapes that do not fit together, or an unknown method.
      TypeError: for a mask that is not bool or an object that is no cell.

    >>> from seqvision.cells import LSTM
    >>> cell = LSTM(8)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> final, ys = unroll(cell, params, jnp.ones((2, 5, 3)))
    >>> ys.shape, final.h.shape
    ((2, 5, 8), (2, 8))
    """
    xs = jnp.asarray(xs)
    batch = _check(cell, xs, mask, reset, method, remat)
    start = jax.eval_shape(lambda: cell.initial_state(params, batch))
    state = cell.initial_state(params, batch) if state is None else jax.tree.map(jnp.asarray, state)
    _check_state(state, start, batch)
    fresh = None if reset is None else cell.initial_state(params, batch)

    if mask is not None:
        xs = jnp.where(mask[..., None], xs, 0)
    xs, mask, reset = jax.tree.map(lambda a: jnp.moveaxis(a, len(batch), 0), (xs, mask, reset))  # time first
    if reverse:
        xs, mask, reset = jax.tree.map(lambda a: jnp.flip(a, 0), (xs, mask, reset))

    if _choose(cell, method, remat) == "fused":
        dtype = jnp.result_type(*jax.tree.leaves((params, xs, state)))
        params, xs, state, fresh = _cast((params, xs, state, fresh), dtype)
        final, ys = fused(cell, params, xs, state, fresh, mask, reset)
    else:
        state, fresh = _promote(cell, params, state, fresh, xs)
        final, ys = scan(cell, params, xs, state, fresh, mask, reset, remat)
    if reverse:
        ys = jnp.flip(ys, 0)
    return final, jnp.moveaxis(ys, 0, len(batch))


def _choose(cell, method, remat):
    if method == "fused" and remat != "none":
        raise ValueError(f'unroll: remat={remat!r} runs by method="scan", not "fused": drop one of the two')
    if method == "fused" and not supports_fused(cell):
        raise ValueError(f'unroll: method="fused" does not know {cell!r}: use method="scan" or "auto"')
    if method != "auto":
        return method
    return "fused" if remat == "none" and supports_fused(cell) else "scan"


def _check(cell, xs, mask, reset, method, remat):
    if not isinstance(cell, Cell):
        raise TypeError(f"unroll: cell must have init, initial_state and step, got {cell!r}")
    if method not in METHODS:
        raise ValueError(f"unroll: method must be one of {', '.join(METHODS)}, got {method!r}")
    if remat not in REMAT:
        raise ValueError(f"unroll: remat must be one of {', '.join(REMAT)}, got {remat!r}")
    if xs.ndim < 2:
        raise ValueError(f"unroll: xs must be (..., T, D), got shape {xs.shape}: add the missing axis")
    for name, flags in (("mask", mask), ("reset", reset)):
        if flags is None:
            continue
        if jnp.result_type(flags) != jnp.bool_:
            raise TypeError(f"unroll: {name} must be bool, got {jnp.result_type(flags)}: pass {name}.astype(bool)")
        if jnp.shape(flags) != xs.shape[:-1]:
            raise ValueError(
                f"unroll: {name} must have the shape of xs without its last axis, {xs.shape[:-1]}, "
                f"got {jnp.shape(flags)}"
            )
    return xs.shape[:-2]


def _check_state(state, start, batch):
    expected, got = jax.tree.structure(start), jax.tree.structure(state)
    if expected != got:  # type: ignore[operator]
        raise ValueError(
            f"unroll: state must be as cell.initial_state(params, {batch}) gives it, {expected}, got {got}"
        )
    for (path, leaf), like in zip(jax.tree_util.tree_leaves_with_path(state), jax.tree.leaves(start), strict=True):
        if leaf.shape != like.shape or leaf.shape[: len(batch)] != batch:
            raise ValueError(
                f"unroll: state{jax.tree_util.keystr(path)} must be {like.shape}, the batch axes {batch} of xs first, "
                f"got shape {leaf.shape}: see cell.initial_state(params, batch_shape)"
            )


def _cast(tree, dtype):
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


def _promote(cell, params, state, fresh, xs):
    """Widen the state to the dtypes that a step returns, so that the loop's carry keeps its type."""
    x = jax.ShapeDtypeStruct(xs.shape[1:], xs.dtype)
    for _ in range(3):  # a wider state can widen the next one: two passes settle it
        new, _ = jax.eval_shape(cell.step, params, state, x)
        before, after = jax.tree.structure(state), jax.tree.structure(new)
        if before != after:  # type: ignore[operator]
            raise ValueError(
                f"unroll: step of {cell!r} must return a state like the one it takes, {before}, got {after}"
            )
        state, fresh = (
            tree if tree is None else jax.tree.map(lambda s, n: s.astype(jnp.result_type(s, n)), tree, new)
            for tree in (state, fresh)
        )
    return state, fresh
