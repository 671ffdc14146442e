"""The rule of the `LSTM`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from ...affine import affine
from ...lstm import LSTM, LSTMParams, LSTMState
from .affine_parts import apart, input_gradient, pre_activation, weight_gradients


@dataclass(frozen=True)
class LSTMRule:
    """See `seqvision.cells.unrolling.rules.table.GatedRule`; a = (a_i, a_f, a_g, a_o)."""

    cell: LSTM

    def forward(self, params: LSTMParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it."""
        share, product = pre_activation(*params, join=join, dtype=self.cell.compute_dtype)
        return share, lambda x, state: self.gates(jnp.split(product(x, state.h), 4, axis=-1), state)

    def backward(self, params: LSTMParams) -> Callable:
        """Return the transpose of a step."""
        w_back = params.w_h.T  # once: a product with a transposed operand is slower in every step

        def retreat(saved, state, d):
            d_gates, d_state = self.gates_back(saved, state, d)
            d_a = jnp.concatenate(d_gates, axis=-1)
            kept = d_gates if apart(self.cell.hidden) else (d_a,)
            return kept, d_state._replace(h=affine(d_a, w_back, None, self.cell.compute_dtype))

        return retreat

    def gates(self, a: Sequence[Array], state: LSTMState) -> tuple[LSTMState, tuple]:
        """Apply what follows the products."""
        a_i, a_f, a_g, a_o = a
        i, f, g, o = jax.nn.sigmoid(a_i), jax.nn.sigmoid(a_f), jnp.tanh(a_g), jax.nn.sigmoid(a_o)
        c = f * state.c + i * g
        tanh_c = jnp.tanh(c)
        return LSTMState(h=o * tanh_c, c=c), (i, f, g, o, tanh_c)

    def gates_back(self, saved: tuple, state: LSTMState, d: LSTMState) -> tuple[tuple, LSTMState]:
        """Transpose `gates`."""
        i, f, g, o, tanh_c = saved
        d_c = d.c + d.h * o * (1 - tanh_c * tanh_c)
        d_a = (
            d_c * g * i * (1 - i),
            d_c * state.c * f * (1 - f),
            d_c * i * (1 - g * g),
            d.h * tanh_c * o * (1 - o),
        )
        return d_a, LSTMState(h=jnp.zeros_like(d.h), c=d_c * f)

    def gradients(self, params: LSTMParams, state: LSTMState, x: Array, d_a: tuple) -> tuple[LSTMParams, Array]:
        """Return the gradients of params and x; d_a is 4H columns in blocks."""
        d_x = input_gradient(d_a, params.w_x, self.cell.compute_dtype)
        return LSTMParams(*weight_gradients(x, state.h, d_a, self.cell.compute_dtype)), d_x
