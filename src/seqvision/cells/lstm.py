"""Long short-term memory, Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count

from .affine import affine
from .base import FloatType, float_type
from .initializers import input_kernel, recurrent_kernel
from .parameters import check_params


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
    compute_dtype: FloatType | None = None

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="LSTM"))
        object.__setattr__(self, "compute_dtype", float_type("LSTM", self.compute_dtype))

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> LSTMParams:
        """Draw parameters: Glorot and orthogonal blocks by gate, bias zero but for the forget gate."""
        check_count("in_features", in_features, owner="LSTM.init")
        key_x, key_h = jax.random.split(key)
        b = jnp.zeros((4, self.hidden), dtype).at[1].set(self.forget_bias)
        return LSTMParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 4, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 4, dtype),
            b=b.reshape(-1),
        )

    def initial_state(self, params: LSTMParams, batch_shape: Sequence[int] = ()) -> LSTMState:
        """Return h = c = 0, each (*batch_shape, H)."""
        check_params(self, params)
        zeros = jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype)
        return LSTMState(h=zeros, c=zeros)

    def step(self, params: LSTMParams, state: LSTMState, x: Array) -> tuple[LSTMState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        of_x = affine(x, params.w_x, params.b, self.compute_dtype)
        of_h = affine(state.h, params.w_h, None, self.compute_dtype)
        a_i, a_f, a_g, a_o = jnp.split(of_x + of_h, 4, axis=-1)
        i, f, g, o = jax.nn.sigmoid(a_i), jax.nn.sigmoid(a_f), jnp.tanh(a_g), jax.nn.sigmoid(a_o)
        c = f * state.c + i * g
        h = o * jnp.tanh(c)
        return LSTMState(h=h, c=c), h
