"""The minimal gated unit of Zhou et al. 2016: a GRU with one gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count

from .affine import affine
from .initializers import input_kernel, recurrent_kernel
from .parameters import check_params


class MGUParams(NamedTuple):
    """Parameters of `MGU`; f | n along the last axis."""

    w_x: Array  # (D, 2H)
    w_h: Array  # (H, 2H)
    b: Array  # (2H,)


class MGUState(NamedTuple):
    """State of `MGU`."""

    h: Array  # (..., H)


@dataclass(frozen=True)
class MGU:
    """Minimal gated unit: h' = (1 - f) h + f n, where f takes the new value (the paper's convention).

    f = sigmoid(x W_f + h U_f + b_f) and n = tanh(x W_n + (f * h) U_n + b_n).

    Args:
      hidden: units H, >= 1.

    Raises:
      ValueError: for a hidden size below 1.

    Source: Zhou et al., "Minimal gated unit for recurrent neural networks", 2016, arXiv:1603.09420.

    >>> cell = MGU(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    hidden: int

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="MGU"))

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> MGUParams:
        """Draw parameters: Glorot and orthogonal blocks, zero biases."""
        check_count("in_features", in_features, owner="MGU.init")
        key_x, key_h = jax.random.split(key)
        return MGUParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 2, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 2, dtype),
            b=jnp.zeros((2 * self.hidden,), dtype),
        )

    def initial_state(self, params: MGUParams, batch_shape: Sequence[int] = ()) -> MGUState:
        """Return h = 0, (*batch_shape, H)."""
        check_params(self, params)
        return MGUState(h=jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype))

    def step(self, params: MGUParams, state: MGUState, x: Array) -> tuple[MGUState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        a_f, a_n = jnp.split(affine(x, params.w_x, params.b), 2, axis=-1)
        u_f, u_n = jnp.split(params.w_h, 2, axis=-1)
        f = jax.nn.sigmoid(a_f + affine(state.h, u_f))
        n = jnp.tanh(a_n + affine(f * state.h, u_n))
        h = (1 - f) * state.h + f * n
        return MGUState(h), h
