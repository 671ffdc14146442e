"""The gated recurrent unit of Cho et al. 2014, in its two published forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count, check_flags

from .affine import affine, affine_pair, rows
from .base import FloatType, float_type
from .initializers import input_kernel, recurrent_kernel
from .parameters import check_params


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
      compute_dtype: None, or what the operands of the products are rounded to ("bfloat16"); the state keeps its type.

    Raises:
      ValueError: for a hidden size below 1 or an unknown compute_dtype.

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
    compute_dtype: FloatType | None = None

    def __post_init__(self):
        check_flags(self)
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="GRU"))
        object.__setattr__(self, "compute_dtype", float_type("GRU", self.compute_dtype))

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> GRUParams:
        """Draw parameters: Glorot and orthogonal blocks by gate, zero biases."""
        check_count("in_features", in_features, owner="GRU.init")
        key_x, key_h = jax.random.split(key)
        return GRUParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 3, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 3, dtype),
            b=jnp.zeros((3 * self.hidden,), dtype),
            b_n=jnp.zeros((self.hidden,), dtype) if self.reset_after else None,
        )

    def initial_state(self, params: GRUParams, batch_shape: Sequence[int] = ()) -> GRUState:
        """Return h = 0, (*batch_shape, H)."""
        check_params(self, params)
        return GRUState(h=jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype))

    def step(self, params: GRUParams, state: GRUState, x: Array) -> tuple[GRUState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        h, dtype = state.h, self.compute_dtype
        if self.reset_after:
            b_n = candidate_bias(params)
            x_r, x_z, x_n = jnp.split(affine(x, params.w_x, params.b, dtype), 3, axis=-1)
            h_r, h_z, h_n = jnp.split(affine(h, params.w_h, None, dtype), 3, axis=-1)
            r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
            n = jnp.tanh(x_n + r * (h_n + rows(b_n, h_n.ndim)))
        else:
            parts = (jnp.split(p, (2 * self.hidden,), axis=-1) for p in (params.w_x, params.w_h, params.b))
            (w_rz, w_n), (u_rz, u_n), (b_rz, b_n) = parts
            r, z = jnp.split(jax.nn.sigmoid(affine_pair(x, w_rz, h, u_rz, b_rz, dtype)), 2, axis=-1)
            n = jnp.tanh(affine_pair(x, w_n, r * h, u_n, b_n, dtype))
        h = (1 - z) * n + z * h
        return GRUState(h), h


def candidate_bias(params: GRUParams) -> Array:
    """Return the bias that reset_after=True has, or refuse parameters without it."""
    if params.b_n is None:
        raise ValueError("GRU(reset_after=True) needs params.b_n (H,), got None: init with the same cell")
    return params.b_n
