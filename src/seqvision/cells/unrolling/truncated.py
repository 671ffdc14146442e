"""Sequences that differ in length, and sequences too long for one backward pass."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from seqvision._checks import check_count, check_flag

from ..base import Cell, Params, PyTree, State
from .arguments import check_cell_first
from .unroll import unroll


def sequence_mask(lengths: ArrayLike, T: int) -> Array:
    """Return which of T steps are valid in sequences padded at the end, for `unroll`'s mask.

    Args:
      lengths: integers (...) of any width, the valid steps of each sequence; more than T are all T, less than 0 none.
      T: steps of the padded sequences.

    Returns:
      bool (..., T).

    Raises:
      TypeError: for lengths that are not integers.

    >>> sequence_mask(jnp.array([3, 0]), 4).tolist()
    [[True, True, True, False], [False, False, False, False]]
    """
    lengths = lengths if isinstance(lengths, Array) else np.asarray(lengths)
    if not jnp.issubdtype(lengths.dtype, jnp.integer):
        raise TypeError(f"sequence_mask: lengths must be integers, got {lengths.dtype}: cast them to int32")
    T = check_count("T", T, owner="sequence_mask", least=0)
    # T may be more than a small integer holds, and a length more than an int32.
    shortened = jnp.asarray(lengths.clip(0, min(T, jnp.iinfo(lengths.dtype).max)).astype(np.int32))
    return jnp.arange(T, dtype=jnp.int32).reshape((1,) * lengths.ndim + (T,)) < shortened[..., None]


def unroll_truncated(
    cell: Cell[Params, State],
    params: Params,
    xs: Array,
    *,
    length: int,
    state: State | None = None,
    mask: Array | None = None,
    reset: Array | None = None,
    **options: Any,
) -> tuple[State, Array]:
    """Run a cell over time with truncated backpropagation: gradients flow back at most to the start of their chunk.

    Values are those of `unroll`. The state goes from chunk to chunk, its gradient does not (Williams and Peng 1990):
    the same as cutting xs, calling `unroll` on each part and passing ``stop_gradient(final)`` on.

    Args:
      cell: any object with ``init``, ``initial_state`` and ``step``.
      params: the cell's parameters.
      xs: (..., T, D).
      length: steps in a chunk, >= 1; the last one may be shorter.
      state: the state before the first step, to which gradients flow from the first chunk alone.
      mask: bool (..., T), as in `unroll`.
      reset: bool (..., T), as in `unroll`.
      **options: method and remat of `unroll`.

    Returns:
      The state after the last step, and ys (..., T, H).

    Raises:
      ValueError: for a length below 1, xs without a time axis, or reverse=True (the state is carried forward).

    >>> from seqvision.cells import GRU
    >>> cell = GRU(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> final, ys = unroll_truncated(cell, params, jnp.ones((2, 10, 3)), length=4)
    >>> ys.shape
    (2, 10, 4)
    """
    length = check_count("length", length, owner="unroll_truncated")
    check_flag("reverse", options.get("reverse", False), owner="unroll_truncated")
    if options.get("reverse"):
        raise ValueError("unroll_truncated runs forward: flip xs, mask and reset to run backward")
    check_cell_first("unroll_truncated", cell, params)
    xs = jnp.asarray(xs)
    mask, reset = (flags if flags is None else jnp.asarray(flags) for flags in (mask, reset))
    axis = xs.ndim - 1 - getattr(cell, "event_axes", 1)  # of time
    if axis < 0:
        raise ValueError(f"unroll_truncated: xs must be (..., T, D), got shape {xs.shape}: add the missing axis")
    T = xs.shape[axis]
    whole = max(T // length - 1, 0)  # full chunks after the first

    def run(state: Any, part: Any) -> tuple[State, Array]:
        return unroll(cell, params, part[0], state=state, mask=part[1], reset=part[2], **options)

    def go_on(state, part):
        return run(jax.lax.stop_gradient(state), part)

    first, middle, last = _cut((xs, mask, reset), axis, (min(T, length), min(T, (1 + whole) * length)))
    final, ys = run(state, first)  # apart from the others: gradients reach the state that was given
    outputs = [ys]
    if whole:
        chunks = jax.tree.map(lambda a: jnp.moveaxis(_split(a, axis, length), axis, 0), middle)
        final, ys = jax.lax.scan(go_on, final, chunks)
        outputs.append(_merge(jnp.moveaxis(ys, 0, axis), axis))
    if last[0].shape[axis]:
        final, ys = go_on(final, last)
        outputs.append(ys)
    return final, jnp.concatenate(outputs, axis)


def _cut(tree: PyTree, axis: int, places: tuple[int, ...]) -> tuple[PyTree, ...]:
    leaves, structure = jax.tree.flatten(tree)
    parts = [jnp.split(leaf, places, axis) for leaf in leaves]
    return tuple(jax.tree.unflatten(structure, part) for part in zip(*parts, strict=True))


def _split(a: Array, axis: int, length: int) -> Array:
    return a.reshape(*a.shape[:axis], -1, length, *a.shape[axis + 1 :])


def _merge(a: Array, axis: int) -> Array:
    return a.reshape(*a.shape[:axis], -1, *a.shape[axis + 2 :])
