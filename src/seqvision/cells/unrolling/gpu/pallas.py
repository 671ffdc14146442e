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

from seqvision._derivatives import with_backward
from seqvision._sharding import vary_alike

from ...base import PyTree
from ...elman import Elman
from ...gru import GRU
from ..problem import Problem
from ..rules.table import has_gated_rule, rule_of
from ..scan import unroll_by_scan

ROWS = 16  # sequences a program: the fewest that a GPU's matrix unit takes
ON_CHIP = 2**17  # bytes of W_h that leave room for the rest of a program


def is_supported(cell, problem: Problem) -> bool:
    """Whether method="pallas" can run this cell: `Elman`, `LSTM` or `GRU` (reset_after) of 16, 32, 64 … units."""
    return has_gated_rule(cell) and cell.hidden >= 16 and cell.hidden & (cell.hidden - 1) == 0


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

    mask = (jnp.ones((T, N), bool) if mask is None else mask.reshape(T, N)).astype(jnp.int32)
    reset = (jnp.zeros((T, N), bool) if reset is None else reset.reshape(T, N)).astype(jnp.int32)
    state, fresh = jax.tree.map(lambda leaf: padded(leaf.reshape(N, -1), 0), (state, fresh))
    rows = vary_alike(Problem(params, padded(xs.reshape(T, N, -1), 1), state, fresh, padded(mask, 1), padded(reset, 1)))
    final, ys = _run(cell, rows)
    final = jax.tree.map(lambda leaf: leaf[:N].reshape(*batch, -1), final)
    return final, ys[:, :N].reshape(T, *batch, -1)


def _forward(cell, problem):
    params, xs, state, fresh, mask, reset = problem
    (T, N, _), H = xs.shape, cell.hidden
    share, _ = rule_of(cell).forward(params)
    shares = share(xs.reshape(T * N, -1))
    a_x = (jnp.stack(shares) if isinstance(cell, GRU) else _by_gate(shares, H)).reshape(-1, T, N, H)
    b_n = jnp.zeros((1, H), xs.dtype) if getattr(params, "b_n", None) is None else params.b_n.reshape(1, H)

    def kernel(shared, flags, rows, results):
        (w_h, b_n), (mask, reset), (a_x, first, fresh) = shared, flags, rows
        last, ys, starts, saved = results
        weights, b_n = [w_h[g] for g in range(w_h.shape[0])], b_n[...]
        first, fresh = _read((first, fresh))

        def step(t, state):
            state = _where(reset[t], fresh, state)
            a_h = [_dot(cell, state.h, w_g) for w_g in weights]
            new, keep = rule_of(cell).gates(_sums(cell, [a_x[g, t] for g in range(a_x.shape[0])], a_h, b_n), state)
            _write((starts, saved), (state, keep), t)
            ys[t] = _where(mask[t], new.h, jnp.zeros_like(new.h))
            return _where(mask[t], new, state)

        _write(last, jax.lax.fori_loop(0, T, step, first))

    of_steps = jax.ShapeDtypeStruct((T, N, H), xs.dtype)
    kept = jax.eval_shape(lambda a, s: rule_of(cell).gates(a, s)[1], (state.h,) * _gates(cell), state)
    starts, saved = jax.tree.map(lambda _: of_steps, (state, kept))
    (last, ys, starts, saved) = _call(
        kernel, (_by_gate(params.w_h, H), b_n), (mask, reset), (a_x, state, fresh), (state, of_steps, starts, saved)
    )
    return (last, ys), (params, xs, mask, reset, starts, saved)


def _backward(cell, residuals, cotangents):
    params, xs, mask, reset, starts, saved = residuals
    d_final, d_ys = cotangents
    (T, N, _), H = xs.shape, cell.hidden

    def kernel(shared, flags, rows, results):
        (w_back,), (mask, reset), (d_ys, d_last, starts, saved) = shared, flags, rows
        d_first, d_gates = results
        weights = [w_back[g] for g in range(w_back.shape[0])]
        d_last = _read(d_last)
        zero = jax.tree.map(jnp.zeros_like, d_last)

        def step(k, carry):
            t, (d_state, d_fresh) = T - 1 - k, carry
            d_new = _where(mask[t], d_state._replace(h=d_state.h + d_ys[t]), zero)
            start, kept = _read((starts, saved), t)
            d_a, d_start = rule_of(cell).gates_back(kept, start, d_new)
            d_h = d_start.h
            for part, w_g in zip(_of_h(cell, d_a), weights, strict=True):
                d_h = d_h + _dot(cell, part, w_g)
            _write(d_gates, list(d_a), t)
            d_start = _where(mask[t], d_start._replace(h=d_h), d_state)
            d_fresh = jax.tree.map(jnp.add, d_fresh, _where(reset[t], d_start, zero))
            return _where(reset[t], zero, d_start), d_fresh

        _write(d_first, jax.lax.fori_loop(0, T, step, (d_last, zero)))

    w_back = jnp.swapaxes(_by_gate(params.w_h, H), 1, 2)
    d_gates = [jax.ShapeDtypeStruct((T, N, H), xs.dtype)] * _gates(cell)
    (d_state, d_fresh), d_gates = _call(
        kernel, (w_back,), (mask, reset), (d_ys, d_final, starts, saved), ((d_final, d_final), d_gates)
    )
    starts, inputs, d_gates = jax.tree.map(lambda a: a.reshape(T * N, -1), (starts, xs, d_gates))
    d_a = (jnp.concatenate(_of_h(cell, d_gates), axis=-1),)
    d_params, d_xs = rule_of(cell).gradients(
        params, starts, inputs, (d_a, d_gates[2]) if isinstance(cell, GRU) else d_a
    )
    return Problem(d_params, d_xs.reshape(xs.shape), d_state, d_fresh)


def _tangents(cell, problem, residuals, dots):
    """Return those of method="scan": a kernel has none."""

    def run(floats):
        flags = {"mask": problem.mask > 0, "reset": problem.reset > 0}
        return unroll_by_scan(cell, floats._replace(**flags))

    return jax.jvp(run, (problem._replace(mask=None, reset=None),), (dots,))[1]


@with_backward(_forward, _backward, _tangents)
def _run(cell, problem):
    return _forward(cell, problem)[0]


def _gates(cell):
    """The number of pre-activations that a rule's ``gates`` takes."""
    return 1 if isinstance(cell, Elman) else 4


def _sums(cell, a_x, a_h, b_n):
    """What a rule's ``gates`` takes, of the shares of x and h."""
    if isinstance(cell, GRU):
        return a_x[0] + a_h[0], a_x[1] + a_h[1], a_x[2], a_h[2] + b_n
    return [x + h for x, h in zip(a_x, a_h, strict=True)]


def _of_h(cell, parts):
    """Of the gradients that a rule's ``gates_back`` returns, those that go back through W_h."""
    return [parts[0], parts[1], parts[3]] if isinstance(cell, GRU) else list(parts)


def _where(flags, new, old):
    """Choose by flags (N,) between trees of (N, H)."""
    return jax.tree.map(lambda a, b: jnp.where(flags[:, None] > 0, a, b), new, old)


def _by_gate(columns, H):
    """Return (R, G H) as (G, R, H), one block a gate."""
    return jnp.stack(jnp.split(columns, columns.shape[-1] // H, axis=-1))


def _dot(cell, x, w):
    if cell.compute_dtype is not None:
        x, w = x.astype(cell.compute_dtype), w.astype(cell.compute_dtype)
        return jnp.dot(x, w, preferred_element_type=jnp.float32)
    return jnp.dot(x, w, precision=jax.lax.Precision.HIGHEST)


def _read(refs, at=...):
    return jax.tree.map(lambda ref: ref[at], refs)


def _write(refs, values, at=...):
    for ref, value in zip(jax.tree.leaves(refs), jax.tree.leaves(values), strict=True):
        ref[at] = value


def _call(kernel, shared, flags, rows, results):
    """Run kernel(shared, flags, rows, results) on blocks of ROWS sequences and return the results.

    All four are trees. Every program gets all of ``shared``; flags are (T, N), and rows and results (..., N, H).
    """
    from jax.experimental import pallas as pl  # here, since they take long to import
    from jax.experimental.pallas import triton

    def blocks(tree, axis):  # the axis that counts sequences
        def block(array):
            sequences = axis and axis % array.ndim
            sizes = tuple(ROWS if k == sequences else size for k, size in enumerate(array.shape))
            return pl.BlockSpec(sizes, lambda i: tuple(i if k == sequences else 0 for k in range(len(sizes))))

        return jax.tree.map(block, tree)

    varies = jax.typeof(flags[0]).manual_axis_type
    outlines = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, manual_axis_type=varies), results)

    def run(interpret, *operands):
        return pl.pallas_call(
            kernel,
            out_shape=[outlines],
            grid=(flags[0].shape[1] // ROWS,),
            in_specs=[blocks(shared, None), blocks(flags, 1), blocks(rows, -2)],
            out_specs=[blocks(outlines, -2)],
            interpret=interpret,
            compiler_params=triton.CompilerParams(num_warps=4, num_stages=1),
        )(*operands)[0]

    return jax.lax.platform_dependent(shared, flags, rows, cuda=partial(run, False), default=partial(run, True))
