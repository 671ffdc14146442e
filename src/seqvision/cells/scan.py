"""method="scan": any cell by `lax.scan`, differentiated by JAX; the reference that every other method is tested on."""

import math

import jax
import jax.numpy as jnp
from jax import Array

from .base import PyTree, keep


def scan(
    cell,
    params: PyTree,
    xs: Array,
    state: PyTree,
    fresh: PyTree,
    mask: Array | None,
    reset: Array | None,
    remat: str = "none",
) -> tuple[PyTree, Array]:
    """Unroll over xs (T, ..., D); masked inputs are already zero, the state's dtypes already hold."""

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
    T = xs.shape[0]
    if remat == "gates" or T < 4:
        return jax.lax.scan(body, state, inputs)
    return _scan_in_chunks(body, state, inputs, T)


def _scan_in_chunks(body, state, inputs, T):
    """Keep the state at about sqrt(T) steps and recompute the rest (Chen et al. 2016)."""
    size = math.isqrt(T)
    chunks = T // size
    head = jax.tree.map(lambda a: a[: chunks * size].reshape(chunks, size, *a.shape[1:]), inputs)
    tail = jax.tree.map(lambda a: a[chunks * size :], inputs)

    def run(state, part):
        return jax.lax.scan(body, state, part)

    run = jax.checkpoint(run, prevent_cse=False)
    state, ys = jax.lax.scan(run, state, head)
    state, rest = run(state, tail)
    return state, jnp.concatenate([ys.reshape(chunks * size, *ys.shape[2:]), rest])
