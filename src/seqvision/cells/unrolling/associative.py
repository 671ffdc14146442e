"""method="associative": cells whose state is linear in its past, all steps in parallel.

A cell has two methods more: ``linear(params, x) -> (a, b)``, such that a step is state' = a * state + b, and
``readout(params, state', x) -> y``. Its state has one leaf, a and b fit that leaf, and x may have any number of leading
axes. Two steps are one step with (a2 a1, a2 b1 + b2), and composition is associative, so that a tree of depth log T
does what a loop of T steps does (Blelloch 1990; Martin and Cundy 2018).
"""

import jax
import jax.numpy as jnp
from jax import Array

from ..base import PyTree
from .arguments import promote
from .problem import Problem, keep


def is_supported(cell, problem: Problem) -> bool:
    """Whether the cell says that it is linear: its own class does, since a subclass may have another step."""
    return "linear" in vars(type(cell)) and hasattr(cell, "readout")


def unroll_associative(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll all steps at once.

    >>> from seqvision.cells import MinGRU, unroll
    >>> cell = MinGRU(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> loop, tree = (unroll(cell, params, jnp.ones((5, 3)), method=m)[1] for m in ("scan", "associative"))
    >>> bool(jnp.allclose(loop, tree, atol=1e-6))
    True
    """
    _, xs, state, fresh, mask, reset = problem = promote(cell, problem)
    (start,), structure = jax.tree.flatten(state)
    a, b = cell.linear(problem.params, xs)
    dtype = jnp.result_type(a, b, start)
    a, b = jnp.broadcast_to(a, b.shape).astype(dtype), b.astype(dtype)
    if mask is not None:  # a held state: 1 * state + 0
        a, b = keep(mask, (a, b), (jnp.ones_like(a), jnp.zeros_like(b)))
    if reset is not None:  # a step from the fresh state: 0 * state + (a * fresh + b)
        (begin,) = jax.tree.leaves(fresh)
        a, b = keep(reset, (jnp.zeros_like(a), a * begin[None] + b), (a, b))
    if xs.shape[0]:
        b = b.at[0].add(a[0] * start.astype(dtype))
    _, states = jax.lax.associative_scan(_compose, (a, b))
    ys = cell.readout(problem.params, jax.tree.unflatten(structure, [states]), xs)
    if mask is not None:
        ys = keep(mask, ys, jnp.zeros_like(ys))
    final = states[-1] if xs.shape[0] else start.astype(dtype)
    return jax.tree.unflatten(structure, [final]), ys


def _compose(first, second):
    (a1, b1), (a2, b2) = first, second
    return a2 * a1, a2 * b1 + b2
