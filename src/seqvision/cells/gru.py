"""The gated recurrent unit of Cho et al. 2014, in its two published forms."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from .base import affine, check_dtype, check_size, rows
from .initializers import input_kernel, recurrent_kernel
from .unrolling.products import apart, input_gradient, pre_activation, weight_gradients


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
    compute_dtype: str | None = None

    def __post_init__(self):
        check_size("GRU", "hidden", self.hidden)
        check_dtype("GRU", "compute_dtype", self.compute_dtype)

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
        lift, advance = self._forward(params, join=True)
        state, _ = advance(lift(x), state)
        return state, state.h

    def forward_parts(self, params: GRUParams, join: bool = False) -> tuple[Callable, Callable]:
        """Return the input's share of a step, and the step after it; see `seqvision.cells.unrolling.fused`."""
        # More features than one are faster taken out of the loop, unlike the LSTM's.
        return self._forward(params, join and params.w_x.shape[0] == 1)

    def backward_parts(self, params: GRUParams) -> Callable:
        """Return the transpose of a step: the gradients of its pre-activations and of the old state."""
        return (self._backward_after if self.reset_after else self._backward_before)(params)

    def gather(self, params: GRUParams, state: GRUState, x: Array, d_a: tuple) -> tuple[GRUParams, Array]:
        """Return the gradients of params and x (R, D) from those of all pre-activations."""
        return (self._gather_after if self.reset_after else self._gather_before)(params, state, x, d_a)

    def _forward(self, params, join):
        return (self._forward_after if self.reset_after else self._forward_before)(params, join)

    def _forward_after(self, params, join):
        if params.b_n is None:
            raise ValueError("GRU(reset_after=True) needs params.b_n (H,), got None: init with the same cell")

        def at_once(x):
            return jnp.split(affine(x, params.w_x, params.b, self.compute_dtype), 3, axis=-1)

        def gate_by_gate(x):  # over all steps: the loop reads three arrays faster than thirds of one
            pairs = zip(jnp.split(params.w_x, 3, axis=-1), jnp.split(params.b, 3), strict=True)
            return tuple(affine(x, w, b, self.compute_dtype) for w, b in pairs)

        def advance(x, state):
            x_r, x_z, x_n = at_once(x) if join else x
            h_r, h_z, h_n = jnp.split(affine(state.h, params.w_h, None, self.compute_dtype), 3, axis=-1)
            return self.gates((x_r + h_r, x_z + h_z, x_n, h_n + rows(params.b_n, h_n.ndim)), state)

        return (lambda x: x) if join else gate_by_gate, advance

    def gates(self, a: Sequence[Array], state: GRUState) -> tuple[GRUState, tuple]:
        """Apply the part of a step that follows its products, a = (a_r, a_z, x's and h's share of a_n); reset_after."""
        a_r, a_z, x_n, h_n = a
        r, z = jax.nn.sigmoid(a_r), jax.nn.sigmoid(a_z)
        n = jnp.tanh(x_n + r * h_n)
        return GRUState((1 - z) * n + z * state.h), (r, z, n, h_n)

    def gates_back(self, saved: tuple, state: GRUState, d: GRUState) -> tuple[tuple, GRUState]:
        """Transpose `gates`: the gradients of a, and that of the old state but for what goes through the products."""
        r, z, n, h_n = saved
        d_n = d.h * (1 - z) * (1 - n * n)
        d_a = (d_n * h_n * r * (1 - r), d.h * (state.h - n) * z * (1 - z), d_n, d_n * r)
        return d_a, GRUState(d.h * z)

    def _backward_after(self, params):
        w_back = params.w_h.T  # once: a product with a transposed operand is slower in every step

        def retreat(saved, state, d):
            (d_r, d_z, d_n, d_h_n), d_state = self.gates_back(saved, state, d)
            d_h = jnp.concatenate([d_r, d_z, d_h_n], axis=-1)
            few = math.prod(d.h.shape[:-1]) < 64  # of many rows d_h is as well stored whole, and cut after the loop
            kept = (d_r, d_z, d_h_n) if few and apart(self.hidden) else (d_h,)
            return (kept, d_n), GRUState(d_state.h + affine(d_h, w_back, None, self.compute_dtype))

        return retreat

    def _gather_after(self, params, state, x, d_a):
        d_h, d_n = d_a  # of r, z and h's share of n; of x's share of n
        if apart(self.hidden):
            d_h = jnp.split(d_h[0], 3, axis=-1) if len(d_h) == 1 else d_h
            d_x = input_gradient((d_h[0], d_h[1], d_n), params.w_x, self.compute_dtype)
        else:  # zeros for the last third are cheaper than to copy d_h without it
            w_rz, w_n = self._gates_and_candidate(params.w_x)
            w = jnp.concatenate([w_rz, jnp.zeros_like(w_n), w_n], axis=-1)
            d_x = input_gradient((*d_h, d_n), w, self.compute_dtype)
        d_w_rz, d_w_h, d_b_rz = weight_gradients(x, state.h, d_h, self.compute_dtype)
        d_w_n, _, d_b_n = weight_gradients(x, x[:, :0], (d_n,), self.compute_dtype)
        d_w_x = jnp.concatenate([self._gates_and_candidate(d_w_rz)[0], d_w_n], axis=-1)
        d_b, d_b_h = jnp.split(d_b_rz, (2 * self.hidden,))
        return GRUParams(d_w_x, d_w_h, jnp.concatenate([d_b, d_b_n]), d_b_h), d_x

    def _forward_before(self, params, join):
        (x_rz, x_n), (h_rz, h_n), (b_rz, b_n) = map(self._gates_and_candidate, (params.w_x, params.w_h, params.b))
        lift_rz, product_rz = pre_activation(x_rz, h_rz, b_rz, join=join, dtype=self.compute_dtype)
        lift_n, product_n = pre_activation(x_n, h_n, b_n, join=join, dtype=self.compute_dtype)

        def advance(x, state):
            r, z = jnp.split(jax.nn.sigmoid(product_rz(x[0], state.h)), 2, axis=-1)
            n = jnp.tanh(product_n(x[1], r * state.h))
            return GRUState((1 - z) * n + z * state.h), (r, z, n)

        return lambda x: (lift_rz(x), lift_n(x)), advance

    def _backward_before(self, params):
        back_rz, back_n = (w.T for w in self._gates_and_candidate(params.w_h))

        def retreat(saved, state, d):
            r, z, n = saved
            d_n = d.h * (1 - z) * (1 - n * n)
            d_rh = affine(d_n, back_n, None, self.compute_dtype)
            d_gates = (d_rh * state.h * r * (1 - r), d.h * (state.h - n) * z * (1 - z))
            d_rz = jnp.concatenate(d_gates, axis=-1)
            d_h = d.h * z + d_rh * r + affine(d_rz, back_rz, None, self.compute_dtype)
            return (d_gates if apart(self.hidden) else (d_rz,), d_n, r * state.h), GRUState(d_h)

        return retreat

    def _gather_before(self, params, state, x, d_a):
        d_rz, d_n, rh = d_a
        d_x = input_gradient((*d_rz, d_n), params.w_x, self.compute_dtype)
        d_rz = weight_gradients(x, state.h, d_rz, self.compute_dtype)
        d_n = weight_gradients(x, rh, (d_n,), self.compute_dtype)
        return GRUParams(*(jnp.concatenate(pair, axis=-1) for pair in zip(d_rz, d_n, strict=True))), d_x

    def _gates_and_candidate(self, columns):
        return jnp.split(columns, (2 * self.hidden,), axis=-1)
