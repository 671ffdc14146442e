"""The sLSTM of Beck et al. 2024 (xLSTM): exponential gates, a normalizer, and a stabiliser that keeps both finite."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_choice, check_count

from .affine import affine
from .initializers import input_kernel, recurrent_kernel
from .lstm import LSTMParams
from .parameters import check_params


class SLSTMState(NamedTuple):
    """State of `SLSTM`; cell and normalizer are kept divided by exp(m)."""

    h: Array  # (..., H)
    c: Array  # (..., H)
    n: Array  # (..., H)
    m: Array  # (..., H)


@dataclass(frozen=True)
class SLSTM:
    """Scalar LSTM with exponential gates: c' = f c + i g, n' = f n + i, h' = o c' / n'.

    Of a = x W_x + h W_h + b: i = exp(a_i), f = sigmoid(a_f) or exp(a_f), g = tanh(a_g), o = sigmoid(a_o). Since
    exponentials overflow, c and n are kept divided by exp(m) with

      m' = max(log f + m, a_i),   i' = exp(a_i - m'),   f' = exp(log f + m - m'),

    which changes no output. The first step forgets whatever came before (m starts far below zero), so that n >= 1.

    Args:
      hidden: units H, >= 1.
      forget: "sigmoid" or "exp", the forget gate.
      forget_bias: start of the forget gate's bias.

    Raises:
      ValueError: for a hidden size below 1 or an unknown forget gate.

    Source: Beck et al., "xLSTM: extended long short-term memory", 2024, arXiv:2405.04517, equations 8 to 17, with one
    head (a full recurrent matrix).

    >>> cell = SLSTM(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    hidden: int
    forget: str = "sigmoid"
    forget_bias: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="SLSTM"))
        check_choice("forget", self.forget, ("sigmoid", "exp"), owner="SLSTM")

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> LSTMParams:
        """Draw parameters: Glorot and orthogonal blocks by gate, bias zero but for the forget gate."""
        check_count("in_features", in_features, owner="SLSTM.init")
        key_x, key_h = jax.random.split(key)
        b = jnp.zeros((4, self.hidden), dtype).at[1].set(self.forget_bias)
        return LSTMParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 4, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 4, dtype),
            b=b.reshape(-1),
        )

    def initial_state(self, params: LSTMParams, batch_shape: Sequence[int] = ()) -> SLSTMState:
        """Return h = c = n = 0 and m near the lowest number, each (*batch_shape, H)."""
        check_params(self, params)
        dtype = params.w_h.dtype
        zeros = jnp.zeros((*batch_shape, self.hidden), dtype)
        lowest = float(jnp.finfo(dtype).min) / 2  # finite, so that differences of states stay numbers
        return SLSTMState(h=zeros, c=zeros, n=zeros, m=jnp.full_like(zeros, lowest))

    def step(self, params: LSTMParams, state: SLSTMState, x: Array) -> tuple[SLSTMState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        a = affine(x, params.w_x, params.b) + affine(state.h, params.w_h)
        a_i, a_f, a_g, a_o = jnp.split(a, 4, axis=-1)
        log_f = a_f if self.forget == "exp" else jax.nn.log_sigmoid(a_f)
        m = jnp.maximum(log_f + state.m, a_i)
        i, f = jnp.exp(a_i - m), jnp.exp(log_f + state.m - m)
        c = f * state.c + i * jnp.tanh(a_g)
        n = f * state.n + i
        h = jax.nn.sigmoid(a_o) * c / n
        return SLSTMState(h=h, c=c, n=n, m=m), h
