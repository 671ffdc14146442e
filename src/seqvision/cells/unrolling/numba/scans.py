"""What the calls of `seqvision.cells.unrolling.numba.kernel_calls` compute, as scans: slow, obvious, on any device."""

import jax
import jax.numpy as jnp

from ...base import PyTree
from ...elman import Elman
from ...lstm import LSTM
from ..problem import keep
from ..rules.table import rule_of
from .rows import before_h, joined, parted


def forward(cell, stacks: str, params, xs, state, fresh, mask, reset) -> tuple:
    """Return the last state, and as ``stacks`` asks, hs (T, N, H), and cs and a step's row of gates."""
    share, advance = rule_of(cell).forward(params)

    def body(state, inputs):
        x, m, r = inputs
        start = state if r is None else keep(r, fresh, state)
        new, parts = advance(share(x), start)
        new = new if m is None else keep(m, new, start)
        return new, (new, joined(cell, parts))

    final, (states, rows) = jax.lax.scan(body, state, (xs, mask, reset))
    hs = None if stacks == "none" else states.h
    cs = states.c if stacks == "all" and isinstance(cell, LSTM) else None
    return final, hs, cs, rows if stacks == "all" and not isinstance(cell, Elman) else None


def backward(cell, _, w_h, d_final, d_hs, hs, cs, saved, state, fresh, mask, reset) -> tuple:
    """Return the gradients of a step's row (T, N, columns), of the first state and of the fresh one."""
    states = type(state)(*(a for a in (hs, cs) if a is not None))
    starts = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest[:-1]]), state, states)

    def body(carry, inputs):
        d_state, d_fresh = carry
        d_h, row, new, start, m, r = inputs
        start = start if r is None else keep(r, fresh, start)
        d_new = d_state._replace(h=d_state.h + d_h)
        parts, d_start = rule_of(cell).gates_back(parted(cell, row, new), start, d_new)
        row = joined(cell, parts)
        d_start = d_start._replace(h=d_start.h + row[..., before_h(cell) :] @ w_h.T)
        if m is not None:
            row, d_start = keep(m, (row, d_start), (jnp.zeros_like(row), d_new))
        if r is not None:
            zeros = jax.tree.map(jnp.zeros_like, d_start)
            d_fresh = jax.tree.map(jnp.add, d_fresh, keep(r, d_start, zeros))
            d_start = keep(r, zeros, d_start)
        return (d_start, d_fresh), row

    d_fresh: PyTree = None if fresh is None else jax.tree.map(jnp.zeros_like, fresh)
    inputs = (d_hs, saved, states, starts, mask, reset)
    (d_state, d_fresh), rows = jax.lax.scan(body, (d_final, d_fresh), inputs, reverse=True)
    return rows, d_state, d_fresh


def weight_sums(cell, _, xs, hs, d, h0, reset, fresh_h) -> tuple:
    """Return [h, 1, x]^T d, summed over steps and sequences; h is the state before a step.

    Of a GRU the kernel leaves out h for the first part of a row, and x for the last one, which have no weights.
    """
    starts = jnp.concatenate([h0[None], hs[:-1]])
    starts = starts if reset is None else keep(reset, jnp.broadcast_to(fresh_h, starts.shape), starts)
    rows = jnp.concatenate([starts, jnp.ones_like(xs[..., :1]), xs], axis=-1)
    return (rows.reshape(-1, rows.shape[-1]).T @ d.reshape(-1, d.shape[-1]),)


def input_products(cell, _, d, w_x) -> tuple:
    """Return the product of the steps' rows, as far as they come of x, with W_x^T."""
    return (d[..., : w_x.shape[1]] @ w_x.T,)
