"""method="pallas": the recurrence as one GPU kernel, in which the recurrent weights stay on the chip across all steps.

A loop of XLA reads W_h from memory in every step and starts several kernels for it. Here every 16 sequences are one
program that reads W_h once, walks through time and keeps its state in registers; the backward kernel does the same with
W_h^T. The input's share of the pre-activations and the gradients of the weights are products outside, as in "fused".

Away from a GPU the kernels are interpreted: right, and slow.

Source: Diamos et al., "Persistent RNNs: stashing recurrent weights on-chip", 2016.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from ...base import PyTree
from ...elman import Elman
from ...gru import GRU
from ...lstm import LSTM
from ..problem import Problem

ROWS = 16  # sequences a program: the fewest that a GPU's matrix unit takes
ON_CHIP = 2**17  # bytes of W_h that leave room for the rest of a program


def is_supported(cell, problem: Problem) -> bool:
    """Whether method="pallas" can run this cell: `Elman`, `LSTM` or `GRU` (reset_after) of 16, 32, 64 … units."""
    known = type(cell) in (Elman, LSTM) or (type(cell) is GRU and cell.reset_after)
    return known and cell.hidden >= 16 and cell.hidden & (cell.hidden - 1) == 0


def unroll_by_pallas(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll in one type of numbers."""
    params, xs, state, fresh, mask, reset = problem.cast()
    dtype = xs.dtype
    fresh = jax.tree.map(jnp.zeros_like, state) if fresh is None else fresh
    if jax.default_backend() == "gpu" and dtype.itemsize * params.w_h.size > ON_CHIP:
        raise ValueError(
            f'unroll: method="pallas" keeps w_h on the chip, at most {ON_CHIP} bytes, got '
            f'{dtype.itemsize * params.w_h.size}: use method="fused"'
        )
    T, *batch, _ = xs.shape
    N = xs[..., 0].size // max(T, 1)
    if not T * N:
        return state, jnp.zeros((T, *batch, cell.hidden), dtype)

    def padded(a, axis):  # whole programs; what is added is masked
        return jnp.pad(a, [(0, -N % ROWS) if k == axis else (0, 0) for k in range(a.ndim)])

    flags = (jnp.ones((T, N), bool) if mask is None else mask.reshape(T, N)).astype(jnp.int32)
    anew = (jnp.zeros((T, N), bool) if reset is None else reset.reshape(T, N)).astype(jnp.int32)
    state, fresh = jax.tree.map(lambda leaf: padded(leaf.reshape(N, -1), 0), (state, fresh))
    final, ys = _run(cell, params, padded(xs.reshape(T, N, -1), 1), state, fresh, padded(flags, 1), padded(anew, 1))
    final = jax.tree.map(lambda leaf: leaf[:N].reshape(*batch, -1), final)
    return final, ys[:, :N].reshape(T, *batch, -1)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(cell, params, xs, state, fresh, flags, anew):
    return _forward(cell, params, xs, state, fresh, flags, anew)[0]


def _forward(cell, params, xs, state, fresh, flags, anew):
    (T, N, _), H = xs.shape, cell.hidden
    lift, _ = cell.forward_parts(params)
    shares = lift(xs.reshape(T * N, -1))
    a_x = (jnp.stack(shares) if isinstance(cell, GRU) else _blocks(shares, H)).reshape(-1, T, N, H)
    bias = jnp.zeros((1, H), xs.dtype) if getattr(params, "b_n", None) is None else params.b_n.reshape(1, H)
    ahead = jax.eval_shape(lambda a, s: cell.gates(a, s)[1], (state.h,) * _inputs(cell), state)
    leaves, kept = len(state), len(ahead)

    def kernel(w, bias, flags, anew, a_x, *refs):
        first, fresh, last, (ys,), starts, saved = _split(refs, leaves, leaves, leaves, 1, leaves, kept)
        weights, b_n = [w[g] for g in range(w.shape[0])], bias[...]
        first, fresh = (type(state)(*(ref[...] for ref in refs)) for refs in (first, fresh))

        def step(t, state):
            state = _where(anew[t], fresh, state)
            a_h = [_dot(cell, state.h, w_g) for w_g in weights]
            new, keep = cell.gates(_combine(cell, [a_x[g, t] for g in range(a_x.shape[0])], a_h, b_n), state)
            for ref, value in zip((*starts, *saved), (*state, *keep), strict=True):
                ref[t] = value
            ys[t] = _where(flags[t], new.h, jnp.zeros_like(new.h))
            return _where(flags[t], new, state)

        end = jax.lax.fori_loop(0, T, step, first)
        for ref, value in zip(last, end, strict=True):
            ref[...] = value

    shapes = [(N, H)] * leaves + [(T, N, H)] * (1 + leaves + kept)
    out = _call(kernel, [_blocks(params.w_h, H), bias], [flags, anew], [a_x, *state, *fresh], shapes)
    last, (ys,), starts, saved = _split(out, leaves, 1, leaves, kept)
    return (type(state)(*last), ys), (params, xs, flags, anew, type(state)(*starts), tuple(saved))


def _backward(cell, residuals, cotangents):
    params, xs, flags, anew, starts, saved = residuals
    d_final, d_ys = cotangents
    (T, N, _), H = xs.shape, cell.hidden
    leaves, kept, gates, State = len(starts), len(saved), _inputs(cell), type(starts)

    def kernel(w_back, flags, anew, d_ys, *refs):
        d_last, starts, saved, d_first, d_gates = _split(refs, leaves, leaves, kept, 2 * leaves, gates)
        weights = [w_back[g] for g in range(w_back.shape[0])]
        d_last = State(*(ref[...] for ref in d_last))
        zero = jax.tree.map(jnp.zeros_like, d_last)

        def step(k, carry):
            t, (d_state, d_fresh) = T - 1 - k, carry
            d_new = _where(flags[t], d_state._replace(h=d_state.h + d_ys[t]), zero)
            start = State(*(ref[t] for ref in starts))
            parts, d_start = cell.gates_back(tuple(ref[t] for ref in saved), start, d_new)
            d_h = d_start.h
            for part, w_g in zip(_recurrent(cell, parts), weights, strict=True):
                d_h = d_h + _dot(cell, part, w_g)
            for ref, value in zip(d_gates, parts, strict=True):
                ref[t] = value
            d_start = _where(flags[t], d_start._replace(h=d_h), d_state)
            d_fresh = jax.tree.map(jnp.add, d_fresh, _where(anew[t], d_start, zero))
            return _where(anew[t], zero, d_start), d_fresh

        d_state, d_fresh = jax.lax.fori_loop(0, T, step, (d_last, zero))
        for ref, value in zip(d_first, (*d_state, *d_fresh), strict=True):
            ref[...] = value

    shapes = [(N, H)] * 2 * leaves + [(T, N, H)] * gates
    w_back = jnp.swapaxes(_blocks(params.w_h, H), 1, 2)
    out = _call(kernel, [w_back], [flags, anew], [d_ys, *d_final, *starts, *saved], shapes)
    d_state, d_fresh, parts = _split(out, leaves, leaves, gates)
    table = [part.reshape(T * N, H) for part in parts]
    d_a = (jnp.concatenate(_recurrent(cell, table), axis=-1),)
    rows = jax.tree.map(lambda a: a.reshape(T * N, -1), (starts, xs))
    d_params, d_xs = cell.gather(params, *rows, (d_a, table[2]) if isinstance(cell, GRU) else d_a)
    return d_params, d_xs.reshape(xs.shape), State(*d_state), State(*d_fresh), None, None


_run.defvjp(_forward, _backward)


def _inputs(cell):
    """The number of pre-activations that ``cell.gates`` takes."""
    return 1 if isinstance(cell, Elman) else 4


def _combine(cell, a_x, a_h, b_n):
    if isinstance(cell, GRU):
        return a_x[0] + a_h[0], a_x[1] + a_h[1], a_x[2], a_h[2] + b_n
    return [x + h for x, h in zip(a_x, a_h, strict=True)]


def _recurrent(cell, parts):
    """Of the gradients that ``cell.gates_back`` returns, those that go back through W_h."""
    return [parts[0], parts[1], parts[3]] if isinstance(cell, GRU) else list(parts)


def _where(flags, new, old):
    """Choose by flags (N,) between trees of (N, H)."""
    return jax.tree.map(lambda a, b: jnp.where(flags[:, None] > 0, a, b), new, old)


def _blocks(columns, H):
    """Return (R, G H) as (G, R, H), one block a gate."""
    return jnp.stack(jnp.split(columns, columns.shape[-1] // H, axis=-1))


def _dot(cell, x, w):
    if cell.compute_dtype is not None:
        x, w = x.astype(cell.compute_dtype), w.astype(cell.compute_dtype)
        return jnp.dot(x, w, preferred_element_type=jnp.float32)
    return jnp.dot(x, w, precision=jax.lax.Precision.HIGHEST)


def _split(refs, *sizes):
    parts, at = [], 0
    for size in sizes:
        parts.append(refs[at : at + size])
        at += size
    return parts


def _call(kernel, shared, flags, rows, shapes):
    """Run the kernel on blocks of ROWS sequences.

    Every program gets all of ``shared``; flags are (T, N), and rows and results (..., N, H).
    """
    from jax.experimental import pallas as pl  # here, since they take long to import
    from jax.experimental.pallas import triton

    def block(shape, axis):
        sizes = tuple(ROWS if k == axis else size for k, size in enumerate(shape))
        return pl.BlockSpec(sizes, lambda i: tuple(i if k == axis else 0 for k in range(len(shape))))

    def run(interpret, *operands):
        return pl.pallas_call(
            kernel,
            out_shape=[jax.ShapeDtypeStruct(shape, rows[0].dtype) for shape in shapes],
            grid=(shapes[0][0] // ROWS,),
            in_specs=[block(a.shape, None) for a in shared]
            + [block(a.shape, 1) for a in flags]
            + [block(a.shape, a.ndim - 2) for a in rows],
            out_specs=[block(shape, len(shape) - 2) for shape in shapes],
            interpret=interpret,
            compiler_params=triton.CompilerParams(num_warps=4, num_stages=1),
        )(*operands)

    return jax.lax.platform_dependent(*shared, *flags, *rows, cuda=partial(run, False), default=partial(run, True))
