"""The rule of `Elman`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array

from seqvision.activations import activation

from ...affine import affine
from ...elman import Elman, ElmanParams, ElmanState
from .affine_parts import input_gradient, pre_activation, weight_gradients

SLOPES: dict[str, Callable[[Array], Array]] = {  # of the activations, by the values that they gave
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).astype(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
    "linear": jnp.ones_like,
}


@dataclass(frozen=True)
class ElmanRule:
    """See `seqvision.cells.unrolling.rules.table.GatedRule`; a has the one pre-activation."""

    cell: Elman

    def forward(self, params: ElmanParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it."""
        join = join and params.w_x.shape[0] == 1  # more features are faster taken out of the loop, unlike the LSTM's
        share, product = pre_activation(*params, join=join, dtype=self.cell.compute_dtype)
        return share, lambda x, state: self.gates((product(x, state.h),), state)

    def backward(self, params: ElmanParams) -> Callable:
        """Return the transpose of a step."""
        w_back = params.w_h.T  # once: a product with a transposed operand is slower in every step

        def retreat(saved, state, d):
            (d_a,), _ = self.gates_back(saved, state, d)
            return (d_a,), ElmanState(affine(d_a, w_back, None, self.cell.compute_dtype))

        return retreat

    def gates(self, a: Sequence[Array], state: ElmanState) -> tuple[ElmanState, tuple]:
        """Apply what follows the products."""
        h = activation(self.cell.activation)(a[0])
        return ElmanState(h), (h,)

    def gates_back(self, saved: tuple, state: ElmanState, d: ElmanState) -> tuple[tuple, ElmanState]:
        """Transpose `gates`."""
        (h,) = saved
        return (d.h * SLOPES[self.cell.activation](h),), ElmanState(jnp.zeros_like(d.h))

    def gradients(self, params: ElmanParams, state: ElmanState, x: Array, d_a: tuple) -> tuple[ElmanParams, Array]:
        """Return the gradients of params and x; d_a is one array (R, H)."""
        d_x = input_gradient(d_a, params.w_x, self.cell.compute_dtype)
        return ElmanParams(*weight_gradients(x, state.h, d_a, self.cell.compute_dtype)), d_x
