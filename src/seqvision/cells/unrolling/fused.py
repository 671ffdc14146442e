"""method="fused": the recurrence with its backward pass written down, so that the loop holds only what must be in it.

The gates are kept from the forward pass, the backward loop has one product (d_a W_h^T), and the gradients of the
parameters and inputs are formed after it, as products over all T * N rows at once. Autodiff of `lax.scan` instead adds
a parameter-sized gradient in every step.

It runs the cells that have a rule (`seqvision.cells.unrolling.rules.table`).
"""

import jax
import jax.numpy as jnp
from jax import Array

from seqvision._derivatives import with_backward

from ..base import PyTree
from .problem import Problem, keep
from .rules.table import rule_of
from .scan import in_chunks


def is_supported(cell, problem: Problem) -> bool:
    """Whether the cell has a rule."""
    return rule_of(cell) is not None


def unroll_fused(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll in one type of numbers."""
    problem = problem.cast()
    join = remat != "none" or _joins(problem.params)
    if remat != "sqrt":
        return _fused(cell, join, remat == "gates", problem)

    def run(state, inputs):
        xs, mask, reset = inputs
        return _fused(cell, join, False, problem._replace(xs=xs, state=state, mask=mask, reset=reset))

    return in_chunks(run, problem.state, (problem.xs, problem.mask, problem.reset))


def _joins(params) -> bool:
    """Whether the input's share stays in the loop: measured to be faster on CPU where x is not wider than h."""
    return jax.default_backend() == "cpu" and params.w_x.shape[0] <= params.w_h.shape[0]


def _shares(share, xs):
    return jax.tree.map(lambda a: a.reshape(*xs.shape[:-1], a.shape[-1]), share(_rows(xs)))


def _rows(a):
    """Return steps (T, ..., K) as one table: a 2-D product is the fast one.

    With several devices the axes stay apart, since a batch that is split over them would be gathered for the table.
    """
    return a.reshape(-1, a.shape[-1]) if jax.device_count() == 1 else a


def _forward_step(advance, state, fresh, x, m, r):
    start = state if r is None else keep(r, fresh, state)
    new, saved = advance(x, start)
    if m is None:
        return new, new.h, (start, saved)
    return keep(m, new, start), keep(m, new.h, jnp.zeros_like(new.h)), (start, saved)


def _forward(cell, join, lean, problem):
    params, xs, state, fresh, mask, reset = problem
    share, advance = rule_of(cell).forward(params, join)

    def body(state, inputs):
        new, y, (start, saved) = _forward_step(advance, state, fresh, *inputs)
        return new, (y, start, None if lean else saved)

    final, (ys, starts, saved) = jax.lax.scan(body, state, (_shares(share, xs), mask, reset))
    return (final, ys), (params, xs, fresh, mask, reset, starts, saved)


def _backward(cell, join, lean, residuals, cotangents):
    params, xs, fresh, mask, reset, starts, saved = residuals
    d_final, d_ys = cotangents
    share, advance = rule_of(cell).forward(params, join)
    retreat = rule_of(cell).backward(params)

    def body(carry, inputs):
        d_state, d_fresh = carry
        d_y, x, m, r, start, kept = inputs
        kept = advance(x, start)[1] if lean else kept
        d_new = d_state._replace(h=d_state.h + d_y)
        if m is not None:
            d_new = keep(m, d_new, jax.tree.map(jnp.zeros_like, d_new))
        d_a, d_start = retreat(kept, start, d_new)
        if m is not None:
            d_start = keep(m, d_start, d_state)
        if r is not None:
            zeros = jax.tree.map(jnp.zeros_like, d_start)
            d_fresh = jax.tree.map(jnp.add, d_fresh, keep(r, d_start, zeros))
            d_start = keep(r, zeros, d_start)
        return (d_start, d_fresh), d_a

    d_fresh = None if fresh is None else jax.tree.map(jnp.zeros_like, fresh)
    inputs = (d_ys, _shares(share, xs) if lean else None, mask, reset, starts, saved)
    (d_state, d_fresh), d_a = jax.lax.scan(body, (d_final, d_fresh), inputs, reverse=True)
    d_params, d_xs = rule_of(cell).gradients(params, *jax.tree.map(_rows, (starts, xs, d_a)))
    return Problem(d_params, d_xs.reshape(xs.shape), d_state, d_fresh)


@with_backward(_forward, _backward)
def _fused(cell, join, lean, problem):
    params, xs, state, fresh, mask, reset = problem
    share, advance = rule_of(cell).forward(params, join)

    def body(state, inputs):
        new, y, _ = _forward_step(advance, state, fresh, *inputs)
        return new, y

    return jax.lax.scan(body, state, (_shares(share, xs), mask, reset))
