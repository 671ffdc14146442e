"""method="scan": any cell by `lax.scan`, differentiated by JAX; the reference that every other method is tested on."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from ..base import PyTree
from .arguments import promote
from .problem import Problem, keep


def unroll_by_scan(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll by the cell's step."""
    params, xs, state, fresh, mask, reset = promote(cell, problem)

    def body(state, inputs):
        x, m, r = inputs
        start = state if r is None else keep(r, fresh, state)
        new, y = cell.step(params, start, x)
        new = jax.tree.map(lambda leaf, old: leaf.astype(old.dtype), new, start)
        if m is None:
            return new, y
        return keep(m, new, start), keep(m, y, jnp.zeros_like(y))

    inputs = (xs, mask, reset)
    if remat == "none":
        return jax.lax.scan(body, state, inputs)
    body = jax.checkpoint(body, prevent_cse=False)
    if remat == "gates":
        return jax.lax.scan(body, state, inputs)
    return in_chunks(partial(jax.lax.scan, body), state, inputs)


def in_chunks(run, state: PyTree, inputs: PyTree) -> tuple[PyTree, Array]:
    """Unroll by run(state, inputs (size, ...)), keeping the state at about sqrt(T) steps and recomputing the rest.

    Source: Chen et al., "Training deep nets with sublinear memory cost", 2016.
    """
    T = inputs[0].shape[0]
    run = jax.checkpoint(run, prevent_cse=False)
    size = math.isqrt(T)
    if size < 2:
        return run(state, inputs)
    chunks = T // size
    head = jax.tree.map(lambda a: a[: chunks * size].reshape(chunks, size, *a.shape[1:]), inputs)
    tail = jax.tree.map(lambda a: a[chunks * size :], inputs)
    state, ys = jax.lax.scan(run, state, head)
    ys = ys.reshape(chunks * size, *ys.shape[2:])
    if not T % size:
        return state, ys
    state, rest = run(state, tail)
    return state, jnp.concatenate([ys, rest])
