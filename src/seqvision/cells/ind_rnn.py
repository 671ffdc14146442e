"""The independently recurrent network of Li et al. 2018: every unit sees its own past only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from seqvision._checks import check_choice, check_count
from seqvision.activations import activation

from .affine import affine, rows
from .elman import SimpleActivation
from .initializers import input_kernel
from .parameters import check_params


class IndRNNParams(NamedTuple):
    """Parameters of `IndRNN`."""

    w_x: Array  # (D, H)
    u: Array  # (H,)
    b: Array  # (H,)


class IndRNNState(NamedTuple):
    """State of `IndRNN`."""

    h: Array  # (..., H)


@dataclass(frozen=True)
class IndRNN:
    """Independently recurrent network: h' = f(x W_x + u * h + b), an Elman cell whose recurrent matrix is diagonal.

    Args:
      hidden: units H, >= 1.
      activation: "tanh", "relu", "sigmoid" or "linear"; the paper stacks layers of "relu".

    Raises:
      ValueError: for a hidden size below 1 or an unknown activation.

    Source: Li et al., "Independently recurrent neural network (IndRNN)", 2018, arXiv:1803.04831. Gradients stay bounded
    over T steps while |u| <= gamma^(1/T) for the largest factor gamma one allows.

    >>> cell = IndRNN(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> state, y = cell.step(params, cell.initial_state(params, (2,)), jnp.ones((2, 3)))
    >>> y.shape
    (2, 4)
    """

    hidden: int
    activation: SimpleActivation = "relu"

    def __post_init__(self):
        object.__setattr__(self, "hidden", check_count("hidden", self.hidden, owner="IndRNN"))
        check_choice("activation", self.activation, get_args(SimpleActivation), owner="IndRNN")

    def init(self, key: Array, in_features: int, dtype: DTypeLike = jnp.float32) -> IndRNNParams:
        """Draw parameters: Glorot input kernel, u uniform in [0, 1), zero bias."""
        check_count("in_features", in_features, owner="IndRNN.init")
        key_x, key_u = jax.random.split(key)
        return IndRNNParams(
            w_x=input_kernel(key_x, in_features, self.hidden, 1, dtype),
            u=jax.random.uniform(key_u, (self.hidden,), dtype),
            b=jnp.zeros((self.hidden,), dtype),
        )

    def initial_state(self, params: IndRNNParams, batch_shape: Sequence[int] = ()) -> IndRNNState:
        """Return h = 0, (*batch_shape, H)."""
        check_params(self, params)
        return IndRNNState(h=jnp.zeros((*batch_shape, self.hidden), params.u.dtype))

    def step(self, params: IndRNNParams, state: IndRNNState, x: Array) -> tuple[IndRNNState, Array]:
        """Advance one step: x (..., D) -> state, h (..., H)."""
        check_params(self, params)
        a = affine(x, params.w_x, params.b) + rows(params.u, state.h.ndim) * state.h
        h = activation(self.activation)(a)
        return IndRNNState(h), h
