"""minGRU and minLSTM of Feng et al. 2024: gates that see the input only, so that the state is linear in its past."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_count

from .affine import affine
from .initializers import input_kernel
from .parameters import check_params


class MinimalParams(NamedTuple):
    """Parameters of `MinGRU` (z | n along the last axis, K = 2) and `MinLSTM` (f | i | n, K = 3)."""

    w_x: Array  # (D, K H)
    b: Array  # (K H,)


class MinimalState(NamedTuple):
    """State of `MinGRU` and `MinLSTM`."""

    h: Array  # (..., H)


@dataclass(frozen=True)
class _Minimal:
    """A cell whose step is h' = a h + b, with a and b functions of the input alone."""

    hidden: int
    gates: ClassVar[int]

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner=type(self).__name__))

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> MinimalParams:
        """Draw parameters: Glorot blocks, zero biases."""
        check_count("in_features", in_features, owner=f"{type(self).__name__}.init")
        w_x = input_kernel(key, in_features, self.hidden, self.gates, dtype)
        return MinimalParams(w_x=w_x, b=jnp.zeros((self.gates * self.hidden,), dtype))

    def initial_state(self, params: MinimalParams, batch_shape: Sequence[int] = ()) -> MinimalState:
        """Return h = 0, (*batch_shape, H)."""
        check_params(self, params)
        return MinimalState(h=jnp.zeros((*batch_shape, self.hidden), params.w_x.dtype))

    def step(self, params: MinimalParams, state: MinimalState, x: Array) -> tuple[MinimalState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        a, b = self.linear(params, x)
        h = a * state.h + b
        return MinimalState(h), h

    def linear(self, params: MinimalParams, x: Array) -> tuple[Array, Array]:
        """Return a and b, each (..., H)."""
        raise NotImplementedError

    def readout(self, params: MinimalParams, state: MinimalState, x: Array) -> Array:
        """Return the output of a step whose new state is given: h."""
        return state.h


@dataclass(frozen=True)
class MinGRU(_Minimal):
    """Minimal GRU: h' = (1 - z) h + z n, where z takes the new value (the paper's convention).

    z = sigmoid(x W_z + b_z) and n = x W_n + b_n see the input alone, so that unroll's method="associative" runs the
    steps in parallel. Since 0 < 1 - z < 1 the products that it forms only shrink, and the direct form is stable: there
    is no need of the paper's logarithms, nor of the positive n that they need.

    Args:
      hidden: units H, >= 1.

    Raises:
      ValueError: for a hidden size below 1.

    Source: Feng et al., "Were RNNs all we needed?", 2024, arXiv:2410.01201.

    >>> cell = MinGRU(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    gates: ClassVar[int] = 2

    def linear(self, params: MinimalParams, x: Array) -> tuple[Array, Array]:
        """Return a = 1 - z and b = z n, each (..., H), of the step h' = a h + b."""
        a_z, n = jnp.split(affine(x, params.w_x, params.b), 2, axis=-1)
        return jax.nn.sigmoid(-a_z), jax.nn.sigmoid(a_z) * n


@dataclass(frozen=True)
class MinLSTM(_Minimal):
    """Minimal LSTM: h' = f/(f + i) h + i/(f + i) n, with gates that add up to one.

    f = sigmoid(x W_f + b_f), i = sigmoid(x W_i + b_i) and n = x W_n + b_n see the input alone: see `MinGRU`. The
    normalized gates are computed as sigmoid(±(log f - log i)), which holds where both gates are 0.

    Args:
      hidden: units H, >= 1.

    Raises:
      ValueError: for a hidden size below 1.

    Source: Feng et al., "Were RNNs all we needed?", 2024, arXiv:2410.01201.

    >>> cell = MinLSTM(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    gates: ClassVar[int] = 3

    def linear(self, params: MinimalParams, x: Array) -> tuple[Array, Array]:
        """Return a = f/(f + i) and b = i/(f + i) n, each (..., H), of the step h' = a h + b."""
        a_f, a_i, n = jnp.split(affine(x, params.w_x, params.b), 3, axis=-1)
        log_odds = jax.nn.log_sigmoid(a_f) - jax.nn.log_sigmoid(a_i)
        return jax.nn.sigmoid(log_odds), jax.nn.sigmoid(-log_odds) * n
