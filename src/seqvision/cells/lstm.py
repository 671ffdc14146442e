"""Long short-term memory, Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from .base import affine, check_dtype, check_size
from .initializers import input_kernel, recurrent_kernel
from .unrolling.products import apart, input_gradient, pre_activation, weight_gradients


class LSTMParams(NamedTuple):
    """Parameters of `LSTM`; gates i | f | g | o along the last axis."""

    w_x: Array  # (D, 4H)
    w_h: Array  # (H, 4H)
    b: Array  # (4H,)


class LSTMState(NamedTuple):
    """State of `LSTM`."""

    h: Array  # (..., H)
    c: Array  # (..., H)


@dataclass(frozen=True)
class LSTM:
    """Long short-term memory: c' = f c + i g, h' = o tanh(c').

    i, f, o = sigmoid and g = tanh of x W_x + h W_h + b, in the order i | f | g | o (Keras and torch use the same one).

    Args:
      hidden: units H, >= 1.
      forget_bias: start of the forget gate's bias, a part of the parameters (Jozefowicz et al. 2015).
      compute_dtype: None, or what the operands of the products are rounded to ("bfloat16"); the state keeps its type.

    Raises:
      ValueError: for a hidden size below 1 or an unknown compute_dtype.

    Source: Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000.

    >>> cell = LSTM(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape, state.c.shape
    ((2, 4), (2, 4))
    """

    hidden: int
    forget_bias: float = 1.0
    compute_dtype: str | None = None

    def __post_init__(self):
        check_size("LSTM", "hidden", self.hidden)
        check_dtype("LSTM", "compute_dtype", self.compute_dtype)

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> LSTMParams:
        """Draw parameters: Glorot and orthogonal blocks by gate, bias zero but for the forget gate."""
        check_size("LSTM.init", "in_features", in_features)
        key_x, key_h = jax.random.split(key)
        b = jnp.zeros((4, self.hidden), dtype).at[1].set(self.forget_bias)
        return LSTMParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 4, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 4, dtype),
            b=b.reshape(-1),
        )

    def initial_state(self, params: LSTMParams, batch_shape: Sequence[int] = ()) -> LSTMState:
        """Return h = c = 0, each (*batch_shape, H)."""
        zeros = jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype)
        return LSTMState(h=zeros, c=zeros)

    def step(self, params: LSTMParams, state: LSTMState, x: Array) -> tuple[LSTMState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        lift, advance = self.forward_parts(params)
        state, _ = advance(lift(x), state)
        return state, state.h

    def forward_parts(self, params: LSTMParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it; see `seqvision.cells.unrolling.fused`."""
        lift, product = pre_activation(*params, join=join, dtype=self.compute_dtype)
        return lift, lambda x, state: self.gates(jnp.split(product(x, state.h), 4, axis=-1), state)

    def backward_parts(self, params: LSTMParams) -> Callable:
        """Return the transpose of a step: the gradients of its pre-activations and of the old state."""
        w_back = params.w_h.T  # once: a product with a transposed operand is slower in every step

        def retreat(saved, state, d):
            d_gates, d_state = self.gates_back(saved, state, d)
            d_a = jnp.concatenate(d_gates, axis=-1)
            kept = d_gates if apart(self.hidden) else (d_a,)
            return kept, d_state._replace(h=affine(d_a, w_back, None, self.compute_dtype))

        return retreat

    def gates(self, a: Sequence[Array], state: LSTMState) -> tuple[LSTMState, tuple]:
        """Apply the part of a step that follows its products, a = (a_i, a_f, a_g, a_o), and say what to keep of it."""
        a_i, a_f, a_g, a_o = a
        i, f, g, o = jax.nn.sigmoid(a_i), jax.nn.sigmoid(a_f), jnp.tanh(a_g), jax.nn.sigmoid(a_o)
        c = f * state.c + i * g
        tanh_c = jnp.tanh(c)
        return LSTMState(h=o * tanh_c, c=c), (i, f, g, o, tanh_c)

    def gates_back(self, saved: tuple, state: LSTMState, d: LSTMState) -> tuple[tuple, LSTMState]:
        """Transpose `gates`: the gradients of a, and that of the old state but for what goes through the products."""
        i, f, g, o, tanh_c = saved
        d_c = d.c + d.h * o * (1 - tanh_c * tanh_c)
        d_a = (
            d_c * g * i * (1 - i),
            d_c * state.c * f * (1 - f),
            d_c * i * (1 - g * g),
            d.h * tanh_c * o * (1 - o),
        )
        return d_a, LSTMState(h=jnp.zeros_like(d.h), c=d_c * f)

    def gather(self, params: LSTMParams, state: LSTMState, x: Array, d_a: tuple) -> tuple[LSTMParams, Array]:
        """Return the gradients of params and x (R, D) from those of all pre-activations, 4H columns in blocks."""
        d_x = input_gradient(d_a, params.w_x, self.compute_dtype)
        return LSTMParams(*weight_gradients(x, state.h, d_a, self.compute_dtype)), d_x
