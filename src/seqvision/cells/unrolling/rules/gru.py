"""The rules of the `GRU`, whose two forms differ in where the reset gate acts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from ...affine import affine, rows
from ...gru import GRU, GRUParams, GRUState, candidate_bias
from .affine_parts import apart, input_gradient, pre_activation, weight_gradients


@dataclass(frozen=True)
class ResetAfterRule:
    """See `seqvision.cells.unrolling.rules.table.GatedRule`; a = (a_r, a_z, x's share of a_n, h's share of a_n)."""

    cell: GRU

    def forward(self, params: GRUParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it."""
        b_n, dtype = candidate_bias(params), self.cell.compute_dtype

        def gate_by_gate(x):  # over all steps: the loop reads three arrays faster than thirds of one
            pairs = zip(jnp.split(params.w_x, 3, axis=-1), jnp.split(params.b, 3), strict=True)
            return tuple(affine(x, w, b, dtype) for w, b in pairs)

        def at_once(x):
            return jnp.split(affine(x, params.w_x, params.b, dtype), 3, axis=-1)

        joined = _joined(params, join)

        def advance(x, state):
            x_r, x_z, x_n = at_once(x) if joined else x
            h_r, h_z, h_n = jnp.split(affine(state.h, params.w_h, None, dtype), 3, axis=-1)
            return self.gates((x_r + h_r, x_z + h_z, x_n, h_n + rows(b_n, h_n.ndim)), state)

        return (lambda x: x) if joined else gate_by_gate, advance

    def backward(self, params: GRUParams) -> Callable:
        """Return the transpose of a step; d_a is ((of r, z and h's share of n), of x's share of n)."""
        w_back = params.w_h.T  # once: a product with a transposed operand is slower in every step

        def retreat(saved, state, d):
            (d_r, d_z, d_n, d_h_n), d_state = self.gates_back(saved, state, d)
            d_h = jnp.concatenate([d_r, d_z, d_h_n], axis=-1)
            rows = math.prod(d.h.shape[:-1])
            few = isinstance(rows, int) and rows < 64  # of many d_h is as well stored whole, and cut after the loop
            kept = (d_r, d_z, d_h_n) if few and apart(self.cell.hidden) else (d_h,)
            return (kept, d_n), GRUState(d_state.h + affine(d_h, w_back, None, self.cell.compute_dtype))

        return retreat

    def gates(self, a: Sequence[Array], state: GRUState) -> tuple[GRUState, tuple]:
        """Apply what follows the products."""
        a_r, a_z, x_n, h_n = a
        r, z = jax.nn.sigmoid(a_r), jax.nn.sigmoid(a_z)
        n = jnp.tanh(x_n + r * h_n)
        return GRUState((1 - z) * n + z * state.h), (r, z, n, h_n)

    def gates_back(self, saved: tuple, state: GRUState, d: GRUState) -> tuple[tuple, GRUState]:
        """Transpose `gates`."""
        r, z, n, h_n = saved
        d_n = d.h * (1 - z) * (1 - n * n)
        d_a = (d_n * h_n * r * (1 - r), d.h * (state.h - n) * z * (1 - z), d_n, d_n * r)
        return d_a, GRUState(d.h * z)

    def gradients(self, params: GRUParams, state: GRUState, x: Array, d_a: tuple) -> tuple[GRUParams, Array]:
        """Return the gradients of params and x."""
        hidden, dtype = self.cell.hidden, self.cell.compute_dtype
        d_h, d_n = d_a
        if apart(hidden):
            d_h = jnp.split(d_h[0], 3, axis=-1) if len(d_h) == 1 else d_h
            d_x = input_gradient((d_h[0], d_h[1], d_n), params.w_x, dtype)
        else:  # zeros for the last third are cheaper than to copy d_h without it
            w_rz, w_n = _gates_and_candidate(params.w_x, hidden)
            w = jnp.concatenate([w_rz, jnp.zeros_like(w_n), w_n], axis=-1)
            d_x = input_gradient((*d_h, d_n), w, dtype)
        d_w_rz, d_w_h, d_b_rz = weight_gradients(x, state.h, d_h, dtype)
        d_w_n, _, d_b_n = weight_gradients(x, x[..., :0], (d_n,), dtype)
        d_w_x = jnp.concatenate([_gates_and_candidate(d_w_rz, hidden)[0], d_w_n], axis=-1)
        d_b, d_b_h = jnp.split(d_b_rz, (2 * hidden,))
        return GRUParams(d_w_x, d_w_h, jnp.concatenate([d_b, d_b_n]), d_b_h), d_x


@dataclass(frozen=True)
class ResetBeforeRule:
    """See `seqvision.cells.unrolling.rules.table.Rule`."""

    cell: GRU

    def forward(self, params: GRUParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it."""
        dtype, join = self.cell.compute_dtype, _joined(params, join)
        parts = (_gates_and_candidate(p, self.cell.hidden) for p in (params.w_x, params.w_h, params.b))
        (x_rz, x_n), (h_rz, h_n), (b_rz, b_n) = parts
        share_rz, product_rz = pre_activation(x_rz, h_rz, b_rz, join=join, dtype=dtype)
        share_n, product_n = pre_activation(x_n, h_n, b_n, join=join, dtype=dtype)

        def advance(x, state):
            r, z = jnp.split(jax.nn.sigmoid(product_rz(x[0], state.h)), 2, axis=-1)
            n = jnp.tanh(product_n(x[1], r * state.h))
            return GRUState((1 - z) * n + z * state.h), (r, z, n)

        return lambda x: (share_rz(x), share_n(x)), advance

    def backward(self, params: GRUParams) -> Callable:
        """Return the transpose of a step; d_a is (of r and z, of n, and r h)."""
        dtype, hidden = self.cell.compute_dtype, self.cell.hidden
        back_rz, back_n = (w.T for w in _gates_and_candidate(params.w_h, hidden))

        def retreat(saved, state, d):
            r, z, n = saved
            d_n = d.h * (1 - z) * (1 - n * n)
            d_rh = affine(d_n, back_n, None, dtype)
            d_gates = (d_rh * state.h * r * (1 - r), d.h * (state.h - n) * z * (1 - z))
            d_rz = jnp.concatenate(d_gates, axis=-1)
            d_h = d.h * z + d_rh * r + affine(d_rz, back_rz, None, dtype)
            return (d_gates if apart(hidden) else (d_rz,), d_n, r * state.h), GRUState(d_h)

        return retreat

    def gradients(self, params: GRUParams, state: GRUState, x: Array, d_a: tuple) -> tuple[GRUParams, Array]:
        """Return the gradients of params and x."""
        dtype = self.cell.compute_dtype
        d_rz, d_n, rh = d_a
        d_x = input_gradient((*d_rz, d_n), params.w_x, dtype)
        d_rz = weight_gradients(x, state.h, d_rz, dtype)
        d_n = weight_gradients(x, rh, (d_n,), dtype)
        return GRUParams(*(jnp.concatenate(pair, axis=-1) for pair in zip(d_rz, d_n, strict=True))), d_x


def _joined(params, join):
    return join and params.w_x.shape[0] == 1  # more features are faster taken out of the loop, unlike the LSTM's


def _gates_and_candidate(columns, hidden):
    return jnp.split(columns, (2 * hidden,), axis=-1)
