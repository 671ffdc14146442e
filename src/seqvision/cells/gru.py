"""The gated recurrent unit of Cho et al. 2014, in its two published forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from .base import affine, check_size
from .initializers import input_kernel, recurrent_kernel


class GRUParams(NamedTuple):
    """Parameters of `GRU`; gates r | z | n along the last axis."""

    w_x: Array  # (D, 3H)
    w_h: Array  # (H, 3H)
    b: Array  # (3H,)
    b_n: Array | None = None  # (H,), the candidate's recurrent bias; None unless reset_after


class GRUState(NamedTuple):
    """State of `GRU`."""

    h: Array  # (..., H)


@dataclass(frozen=True)
class GRU:
    """Gated recurrent unit: h' = (1 - z) n + z h, where z keeps the old state (as in cuDNN, torch, Keras and flax).

    r, z = sigmoid(x W_x + h W_h + b), and the candidate is

      reset_after=True:   n = tanh(x W_n + b + r * (h U_n + b_n))   (cuDNN, torch, Keras)
      reset_after=False:  n = tanh(x W_n + b + (r * h) U_n)         (the first paper)

    Texts that write h' = z n + (1 - z) h are reached by negating z's columns of w_x, w_h and b.

    Args:
      hidden: units H, >= 1.
      reset_after: where the reset gate acts, after or before the recurrent product.

    Raises:
      ValueError: for a hidden size below 1.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> cell = GRU(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    >>> GRU(4, reset_after=False).init(jax.random.key(0), in_features=3).b_n is None
    True
    """

    hidden: int
    reset_after: bool = True

    def __post_init__(self):
        check_size("GRU", "hidden", self.hidden)

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> GRUParams:
        """Draw parameters: Glorot and orthogonal blocks by gate, zero biases."""
        check_size("GRU.init", "in_features", in_features)
        key_x, key_h = jax.random.split(key)
        return GRUParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 3, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 3, dtype),
            b=jnp.zeros((3 * self.hidden,), dtype),
            b_n=jnp.zeros((self.hidden,), dtype) if self.reset_after else None,
        )

    def initial_state(self, params: GRUParams, batch_shape: Sequence[int] = ()) -> GRUState:
        """Return h = 0, (*batch_shape, H)."""
        return GRUState(h=jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype))

    def step(self, params: GRUParams, state: GRUState, x: Array) -> tuple[GRUState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        a_x = self.project(params, x)
        if self.reset_after:
            state, _ = self.pointwise(a_x, self.recur(params, state.h), state)
            return state, state.h
        H = self.hidden
        a_rz, a_n = a_x[..., : 2 * H], a_x[..., 2 * H :]
        r, z = jnp.split(jax.nn.sigmoid(a_rz + affine(state.h, params.w_h[:, : 2 * H])), 2, axis=-1)
        n = jnp.tanh(a_n + affine(r * state.h, params.w_h[:, 2 * H :]))
        h = (1 - z) * n + z * state.h
        return GRUState(h), h

    @property
    def fusable(self) -> bool:
        """Whether a step is two products followed by pointwise work, as method="fused" needs."""
        return self.reset_after

    def project(self, params: GRUParams, x: Array) -> Array:
        """Return the input's share of the pre-activations: x W_x + b, (..., 3H)."""
        return affine(x, params.w_x, params.b)

    def recur(self, params: GRUParams, h: Array) -> Array:
        """Return the state's share of the pre-activations (reset_after): h W_h, and b_n on the candidate, (..., 3H)."""
        if params.b_n is None:
            raise ValueError("GRU(reset_after=True) needs params.b_n (H,), got None: init with the same cell")
        return affine(h, params.w_h, jnp.pad(params.b_n, (2 * self.hidden, 0)))

    def pointwise(self, a_x: Array, a_h: Array, state: GRUState) -> tuple[GRUState, tuple]:
        """Apply the part of a step that follows its two products (reset_after); also return the backward's needs."""
        x_r, x_z, x_n = jnp.split(a_x, 3, axis=-1)
        h_r, h_z, h_n = jnp.split(a_h, 3, axis=-1)
        r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
        n = jnp.tanh(x_n + r * h_n)
        return GRUState((1 - z) * n + z * state.h), (r, z, n, h_n)

    def pointwise_vjp(self, saved: tuple, state: GRUState, d: GRUState) -> tuple[Array, Array, GRUState]:
        """Transpose `pointwise`: from the cotangent of the new state to those of a_x, a_h and the old state."""
        r, z, n, h_n = saved
        d_n = d.h * (1 - z) * (1 - n * n)
        d_r = d_n * h_n * r * (1 - r)
        d_z = d.h * (state.h - n) * z * (1 - z)
        d_x = jnp.concatenate([d_r, d_z, d_n], axis=-1)
        d_h = jnp.concatenate([d_r, d_z, d_n * r], axis=-1)
        return d_x, d_h, GRUState(d.h * z)
