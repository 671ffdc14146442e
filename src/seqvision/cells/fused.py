"""method="fused": the recurrence with its backward pass written down, so that the loop holds only what must be in it.

The gates are kept from the forward pass, the backward loop has one product (d_a W_h^T), and the gradients of the
parameters and inputs are formed after it, as products over all T * N rows at once. Autodiff of `lax.scan` instead adds
a parameter-sized gradient in every step.

It serves every cell whose step is ``pointwise(project(params, x), recur(params, h), state)``, where ``recur`` is
h W_h and perhaps a bias, and that says how to transpose ``pointwise`` (`Elman`, `LSTM`, and `GRU` with reset_after).
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from .base import PyTree, keep


def supports_fused(cell) -> bool:
    """Whether method="fused" can run this cell.

    A subclass that writes ``step`` or a part of it anew, but not the transpose, is run by its step.
    """
    parts = ("step", "project", "recur", "pointwise", "pointwise_vjp")
    if not all(hasattr(cell, part) for part in parts) or not getattr(cell, "fusable", True):
        return False
    lineage = type(cell).__mro__
    depth = {part: next((n for n, c in enumerate(lineage) if part in vars(c)), -1) for part in parts}
    return depth["pointwise_vjp"] <= min(depth.values())


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def fused(
    cell, params: PyTree, xs: Array, state: PyTree, fresh: PyTree, mask: Array | None, reset: Array | None
) -> tuple[PyTree, Array]:
    """Unroll over xs (T, ..., D); masked inputs are already zero, dtypes already agree."""

    def body(state, inputs):
        new, y, _ = _forward_step(cell, params, state, fresh, *inputs)
        return new, y

    return jax.lax.scan(body, state, (xs, mask, reset))


def _forward_step(cell, params, state, fresh, x, m, r):
    start = state if r is None else keep(r, fresh, state)
    new, saved = cell.pointwise(cell.project(params, x), cell.recur(params, start.h), start)
    if m is None:
        return new, new.h, (start, saved)
    return keep(m, new, start), keep(m, new.h, jnp.zeros_like(new.h)), (start, saved)


def _forward(cell, params, xs, state, fresh, mask, reset):
    def body(state, inputs):
        new, y, saved = _forward_step(cell, params, state, fresh, *inputs)
        return new, (y, saved)

    final, (ys, saved) = jax.lax.scan(body, state, (xs, mask, reset))
    return (final, ys), (params, xs, fresh, mask, reset, saved)


def _backward(cell, residuals, cotangents):
    params, xs, fresh, mask, reset, (starts, saved) = residuals
    d_final, d_ys = cotangents
    w_back = params.w_h.T  # transposed here, once: a product with a transposed operand is slower in every step

    def body(carry, inputs):
        d_state, d_fresh = carry
        d_y, m, r, start, kept = inputs
        d_new = d_state._replace(h=d_state.h + d_y)
        if m is not None:
            d_new = keep(m, d_new, jax.tree.map(jnp.zeros_like, d_new))
        d_x, d_h, d_start = cell.pointwise_vjp(kept, start, d_new)
        d_start = d_start._replace(h=d_start.h + d_h @ w_back)
        if m is not None:
            d_start = keep(m, d_start, d_state)
        if r is not None:
            zeros = jax.tree.map(jnp.zeros_like, d_start)
            d_fresh = jax.tree.map(jnp.add, d_fresh, keep(r, d_start, zeros))
            d_start = keep(r, zeros, d_start)
        return (d_start, d_fresh), ((d_x,) if d_x is d_h else (d_x, d_h))

    d_fresh = None if fresh is None else jax.tree.map(jnp.zeros_like, fresh)
    (d_state, d_fresh), d_a = jax.lax.scan(body, (d_final, d_fresh), (d_ys, mask, reset, starts, saved), reverse=True)
    d_params, d_xs = _products(cell, params, xs, starts.h, d_a[0], d_a[-1])
    return d_params, d_xs, d_state, d_fresh, None, None


def _products(cell, params, xs, hs, d_x, d_h):
    """Form the gradients of parameters and inputs from those of all pre-activations, as 2-D products."""

    def rows(a):
        return a.reshape(-1, a.shape[-1])

    _, project_vjp = jax.vjp(cell.project, params, rows(xs))
    _, recur_vjp = jax.vjp(lambda p: cell.recur(p, rows(hs)), params)
    d_project, d_rows = project_vjp(rows(d_x))
    (d_recur,) = recur_vjp(rows(d_h))
    return jax.tree.map(jnp.add, d_project, d_recur), d_rows.reshape(xs.shape)


fused.defvjp(_forward, _backward)
