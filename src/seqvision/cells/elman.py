"""The simple recurrent cell of Elman 1990: h' = f(x W_x + h W_h + b)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from .base import ACTIVATIONS, affine, check_size
from .initializers import input_kernel, recurrent_kernel


class ElmanParams(NamedTuple):
    """Parameters of `Elman`."""

    w_x: Array  # (D, H)
    w_h: Array  # (H, H)
    b: Array  # (H,)


class ElmanState(NamedTuple):
    """State of `Elman`."""

    h: Array  # (..., H)


@dataclass(frozen=True)
class Elman:
    """Elman's cell, the SimpleRNN of Keras and the RNN of torch.

    Args:
      hidden: units H, >= 1.
      activation: "tanh", "relu", "sigmoid" or "linear".

    Raises:
      ValueError: for a hidden size below 1 or an unknown activation.

    Source: Elman, "Finding structure in time", 1990.

    >>> cell = Elman(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    hidden: int
    activation: str = "tanh"

    def __post_init__(self):
        check_size("Elman", "hidden", self.hidden)
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"Elman: activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> ElmanParams:
        """Draw parameters: Glorot input kernel, orthogonal recurrent kernel, zero bias."""
        check_size("Elman.init", "in_features", in_features)
        key_x, key_h = jax.random.split(key)
        return ElmanParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 1, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 1, dtype),
            b=jnp.zeros((self.hidden,), dtype),
        )

    def initial_state(self, params: ElmanParams, batch_shape: Sequence[int] = ()) -> ElmanState:
        """Return h = 0, (*batch_shape, H)."""
        return ElmanState(h=jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype))

    def step(self, params: ElmanParams, state: ElmanState, x: Array) -> tuple[ElmanState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        state, _ = self.pointwise(self.project(params, x), self.recur(params, state.h), state)
        return state, state.h

    def project(self, params: ElmanParams, x: Array) -> Array:
        """Return the input's share of the pre-activation: x W_x + b, (..., H)."""
        return affine(x, params.w_x, params.b)

    def recur(self, params: ElmanParams, h: Array) -> Array:
        """Return the state's share of the pre-activation: h W_h, (..., H)."""
        return affine(h, params.w_h)

    def pointwise(self, a_x: Array, a_h: Array, state: ElmanState) -> tuple[ElmanState, tuple]:
        """Apply the part of a step that follows its two products; also return what the backward pass needs."""
        h = ACTIVATIONS[self.activation](a_x + a_h)
        return ElmanState(h), (h,)

    def pointwise_vjp(self, saved: tuple, state: ElmanState, d: ElmanState) -> tuple[Array, Array, ElmanState]:
        """Transpose `pointwise`: from the cotangent of the new state to those of a_x, a_h and the old state."""
        (h,) = saved
        slope = {"tanh": 1 - h * h, "relu": (h > 0).astype(h.dtype), "sigmoid": h * (1 - h), "linear": jnp.ones_like(h)}
        d_a = d.h * slope[self.activation]
        return d_a, d_a, ElmanState(jnp.zeros_like(state.h))
