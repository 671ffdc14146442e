"""The simple recurrent cell of Elman 1990: h' = f(x W_x + h W_h + b)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from .base import ACTIVATIONS, affine, check_dtype, check_size
from .initializers import input_kernel, recurrent_kernel
from .unrolling.products import input_gradient, pre_activation, weight_gradients


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
    activation: str = "tanh"
    compute_dtype: str | None = None

    def __post_init__(self):
        check_size("Elman", "hidden", self.hidden)
        check_dtype("Elman", "compute_dtype", self.compute_dtype)
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
        lift, advance = self.forward_parts(params)
        state, _ = advance(lift(x), state)
        return state, state.h

    def forward_parts(self, params: ElmanParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it; see `seqvision.cells.unrolling.fused`."""
        join = join and params.w_x.shape[0] == 1  # more features are faster taken out of the loop, unlike the LSTM's
        lift, product = pre_activation(*params, join=join, dtype=self.compute_dtype)

        return lift, lambda x, state: self.gates((product(x, state.h),), state)

    def backward_parts(self, params: ElmanParams) -> Callable:
        """Return the transpose of a step: the gradients of its pre-activations and of the old state."""
        w_back = params.w_h.T

        def retreat(saved, state, d):
            (d_a,), _ = self.gates_back(saved, state, d)
            return (d_a,), ElmanState(affine(d_a, w_back, None, self.compute_dtype))

        return retreat

    def gates(self, a: Sequence[Array], state: ElmanState) -> tuple[ElmanState, tuple]:
        """Apply the part of a step that follows its products, and say what to keep of it."""
        h = ACTIVATIONS[self.activation](a[0])
        return ElmanState(h), (h,)

    def gates_back(self, saved: tuple, state: ElmanState, d: ElmanState) -> tuple[tuple, ElmanState]:
        """Transpose `gates`: the gradients of a, and that of the old state but for what goes through the products."""
        (h,) = saved
        slope = {"tanh": 1 - h * h, "relu": (h > 0).astype(h.dtype), "sigmoid": h * (1 - h), "linear": 1}
        return (d.h * slope[self.activation],), ElmanState(jnp.zeros_like(d.h))

    def gather(self, params: ElmanParams, state: ElmanState, x: Array, d_a: tuple) -> tuple[ElmanParams, Array]:
        """Return the gradients of params and x (R, D) from those of all pre-activations, one array (R, H)."""
        d_x = input_gradient(d_a, params.w_x, self.compute_dtype)
        return ElmanParams(*weight_gradients(x, state.h, d_a, self.compute_dtype)), d_x
