"""The arguments of an unrolling: checked, then arranged for a loop over the leading axis."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._checks import shown
from seqvision._sharding import vary_alike

from ..base import Cell, PyTree
from ..learned_start import LearnedStart
from ..parameters import with_names
from .problem import Problem


def time_first(
    owner: str, cell: Any, params: PyTree, xs: Array, state: PyTree | None, mask: Array | None, reset: Array | None
) -> tuple[tuple[int, ...], Problem]:
    """Check what a user gives, fill in what is missing, and put time before the batch axes.

    Args:
      owner: the function that errors are reported for.
      cell, params, xs, state, mask, reset: as in `seqvision.cells.unroll`.

    Returns:
      The batch shape and the problem.

    Raises:
      TypeError, ValueError: as `seqvision.cells.unroll`.
    """
    xs = as_inputs(owner, cell, params, xs)
    params = with_names(cell, params)
    mask, reset = (flags if flags is None else jnp.asarray(flags) for flags in (mask, reset))
    batch = _check(owner, cell, xs, mask, reset)
    start = jax.eval_shape(lambda: cell.initial_state(params, batch))
    state = cell.initial_state(params, batch) if state is None else jax.tree.map(jnp.asarray, state)
    _check_state(owner, state, start, batch)
    fresh = None if reset is None else cell.initial_state(params, batch)
    if mask is not None:
        xs = jnp.where(jnp.expand_dims(mask, range(mask.ndim, xs.ndim)), xs, 0)
    xs, mask, reset = jax.tree.map(lambda a: jnp.moveaxis(a, len(batch), 0), (xs, mask, reset))
    return batch, vary_alike(Problem(params, xs, state, fresh, mask, reset))


def started(cell: Any, problem: Problem) -> tuple[Any, Problem]:
    """Return the cell that does the steps: what a `LearnedStart` wraps, once the states that it gives are there.

    Methods know cells by their exact types, and would not know the cell in it. A subclass may have a step of its own.
    """
    while type(cell) is LearnedStart:
        cell, problem = cell.cell, problem._replace(params=problem.params.inner)
    return cell, problem


def promote(cell: Any, problem: Problem) -> Problem:
    """Widen the states to the dtypes that a step returns, so that a loop's carry keeps its type."""
    params, xs, state, fresh, *_ = problem
    x = jax.ShapeDtypeStruct(xs.shape[1:], xs.dtype)
    for _ in range(3):  # a wider state can widen the next one: two passes settle it
        new, _ = jax.eval_shape(cell.step, params, state, x)
        before, after = jax.tree.structure(state), jax.tree.structure(new)
        if before != after:  # type: ignore[operator]
            raise ValueError(
                f"unroll: step of {cell!r} must return a state like the one it takes, {before}, got {after}"
            )
        state, fresh = (tree if tree is None else jax.tree.map(_widened, tree, new) for tree in (state, fresh))
    return problem._replace(state=state, fresh=fresh)


def _widened(leaf, new):
    return leaf if leaf.dtype == new.dtype else leaf.astype(jnp.result_type(leaf, new))


def as_inputs(owner: str, cell: Any, params: PyTree, xs: Any) -> Array:
    """Return xs as an array; refuse arguments that stand in another's place."""
    check_cell_first(owner, cell, params)
    if hasattr(params, "shape") and (hasattr(xs, "_fields") or isinstance(xs, Mapping)):
        raise TypeError(f"{owner}: xs must be an array, got {shown(xs)}: params come before xs")
    return jnp.asarray(xs)


def check_cell_first(owner: str, cell: Any, params: PyTree = None) -> None:
    """Refuse what is no cell, and say so where it stands in another place or is a class."""
    if isinstance(cell, type) and isinstance(cell, Cell):
        raise TypeError(f"{owner}: cell must be one cell, got the class {cell.__name__}: write {cell.__name__}(hidden)")
    if not isinstance(cell, Cell):
        remedy = ": cell comes first, then its parameters" if isinstance(params, Cell) else ""
        raise TypeError(f"{owner}: cell must have init, initial_state and step, got {shown(cell)}{remedy}")


def _check(owner, cell, xs, mask, reset):
    event = getattr(cell, "event_axes", 1)
    if jnp.iscomplexobj(xs) and type(cell).__module__.startswith("seqvision."):
        raise TypeError(f"{owner}: xs must hold real numbers, got {xs.dtype}: put parts side by side as features")
    if xs.ndim < 1 + event:
        expected = "(..., T, D)" if event == 1 else f"(..., T, and {event} axes of one event)"
        raise ValueError(f"{owner}: xs must be {expected}, got shape {xs.shape}: add the missing axis")
    for name, flags in (("mask", mask), ("reset", reset)):
        if flags is None:
            continue
        if flags.dtype != jnp.bool_:
            raise TypeError(f"{owner}: {name} must be bool, got {flags.dtype}: pass {name}.astype(bool)")
        if jnp.shape(flags) != xs.shape[:-event]:
            raise ValueError(
                f"{owner}: {name} must have the shape of xs without its last {'axis' if event == 1 else 'axes'}, "
                f"{xs.shape[:-event]}, got {jnp.shape(flags)}"
            )
    return xs.shape[: -event - 1]


def _check_state(owner, state, start, batch):
    expected, got = jax.tree.structure(start), jax.tree.structure(state)
    if expected != got:  # type: ignore[operator]
        raise ValueError(
            f"{owner}: state must be as cell.initial_state(params, {batch}) gives it, {expected}, got {got}"
        )
    for (path, leaf), like in zip(jax.tree_util.tree_leaves_with_path(state), jax.tree.leaves(start), strict=True):
        if leaf.shape != like.shape or leaf.shape[: len(batch)] != batch:
            raise ValueError(
                f"{owner}: state{jax.tree_util.keystr(path)} must be {like.shape}, the batch axes {batch} of xs first, "
                f"got shape {leaf.shape}: see cell.initial_state(params, batch_shape)"
            )
