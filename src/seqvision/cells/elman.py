"""The simple recurrent cell of Elman 1990: h' = f(x W_x + h W_h + b)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_choice, check_count
from seqvision.activations import activation

from .affine import affine
from .base import FloatType, float_type
from .initializers import input_kernel, recurrent_kernel
from .parameters import check_params

SimpleActivation = Literal["tanh", "relu", "sigmoid", "linear"]  # whose slopes are known by their values


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
      compute_dtype: None, or what the operands of the products are rounded to ("bfloat16"); the state keeps its type.

    Raises:
      ValueError: for a hidden size below 1, an unknown activation or compute_dtype.

    Source: Elman, "Finding structure in time", 1990.

    >>> cell = Elman(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    hidden: int
    activation: SimpleActivation = "tanh"
    compute_dtype: FloatType | None = None

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="Elman"))
        object.__setattr__(self, "compute_dtype", float_type("Elman", self.compute_dtype))
        check_choice("activation", self.activation, get_args(SimpleActivation), owner="Elman")

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> ElmanParams:
        """Draw parameters: Glorot input kernel, orthogonal recurrent kernel, zero bias."""
        check_count("in_features", in_features, owner="Elman.init")
        key_x, key_h = jax.random.split(key)
        return ElmanParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 1, dtype),
            w_h=recurrent_kernel(key_h, self.hidden, 1, dtype),
            b=jnp.zeros((self.hidden,), dtype),
        )

    def initial_state(self, params: ElmanParams, batch_shape: Sequence[int] = ()) -> ElmanState:
        """Return h = 0, (*batch_shape, H)."""
        check_params(self, params)
        return ElmanState(h=jnp.zeros((*batch_shape, self.hidden), params.w_h.dtype))

    def step(self, params: ElmanParams, state: ElmanState, x: Array) -> tuple[ElmanState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        of_x = affine(x, params.w_x, params.b, self.compute_dtype)
        of_h = affine(state.h, params.w_h, None, self.compute_dtype)
        h = activation(self.activation)(of_x + of_h)
        return ElmanState(h), h
