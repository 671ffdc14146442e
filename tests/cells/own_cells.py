"""Cells as users write them, without a rule or a kernel of ours."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from seqvision.cells.affine import affine


class SRUState(NamedTuple):
    """State of `SRU`."""

    c: jax.Array


@dataclass(frozen=True)
class SRU:
    """Simple recurrent unit, Lei et al. 2018: c' = f c + (1 - f) x W, h = r tanh(c') + (1 - r) x W_s."""

    hidden: int

    def init(self, key, in_features, dtype=jnp.float32):
        """Draw one matrix for the four products of x."""
        return {
            "w": jax.random.normal(key, (in_features, 4 * self.hidden), dtype) / in_features**0.5,
            "b": jnp.zeros((2 * self.hidden,), dtype),
        }

    def initial_state(self, params, batch_shape=()):
        """Start at 0."""
        return SRUState(jnp.zeros((*batch_shape, self.hidden), params["b"].dtype))

    def step(self, params, state, x):
        """Advance by a step."""
        new, skip, a_f, a_r = jnp.split(affine(x, params["w"]), 4, axis=-1)
        b_f, b_r = (b.reshape((1,) * (x.ndim - 1) + (-1,)) for b in jnp.split(params["b"], 2))
        f, r = jax.nn.sigmoid(a_f + b_f), jax.nn.sigmoid(a_r + b_r)
        c = f * state.c + (1 - f) * new
        return SRUState(c), r * jnp.tanh(c) + (1 - r) * skip


@dataclass(frozen=True)
class LiquidTimeConstant:
    """Liquid time-constant cell, Hasani et al. 2021: one fused step of dh/dt = -(1/tau + f) h + f A."""

    hidden: int
    dt: float = 0.5

    def init(self, key, in_features, dtype=jnp.float32):
        """Draw the weights of f, and time constants of one."""
        keys, H = jax.random.split(key), self.hidden
        return {
            "w_x": jax.random.normal(keys[0], (in_features, H), dtype) / in_features**0.5,
            "w_h": jax.random.normal(keys[1], (H, H), dtype) / H**0.5,
            "b": jnp.zeros((H,), dtype),
            "a": jnp.ones((H,), dtype),
            "log_tau": jnp.zeros((H,), dtype),
        }

    def initial_state(self, params, batch_shape=()):
        """Start at 0."""
        return {"h": jnp.zeros((*batch_shape, self.hidden), params["b"].dtype)}

    def step(self, params, state, x):
        """Advance by a step of time dt."""
        a, tau = (v.reshape((1,) * (x.ndim - 1) + (-1,)) for v in (params["a"], jnp.exp(params["log_tau"])))
        f = jax.nn.sigmoid(affine(x, params["w_x"], params["b"]) + affine(state["h"], params["w_h"]))
        h = (state["h"] + self.dt * f * a) / (1 + self.dt * (1 / tau + f))
        return {"h": h}, h


class DrawnState(NamedTuple):
    """State of `Drawn`."""

    h: jax.Array
    key: jax.Array  # a typed key for each element of the batch
    steps: jax.Array  # int32


@dataclass(frozen=True)
class Drawn:
    """A leaky sum with noise of its own: the state holds a typed key and a counter."""

    hidden: int

    def init(self, key, in_features, dtype=jnp.float32):
        """Draw one matrix."""
        return {"w": jax.random.normal(key, (in_features, self.hidden), dtype)}

    def initial_state(self, params, batch_shape=()):
        """Start at 0, with a key for each sequence."""
        keys = jax.random.split(jax.random.key(7), batch_shape)
        h = jnp.zeros((*batch_shape, self.hidden), params["w"].dtype)
        return DrawnState(h, keys, jnp.zeros(batch_shape, jnp.int32))

    def step(self, params, state, x):
        """Advance by a step."""
        draw = lambda key: (jax.random.split(key)[0], jax.random.normal(key, (self.hidden,), state.h.dtype))  # noqa: E731
        keys, noise = jax.vmap(draw)(state.key.reshape(-1))
        h = 0.5 * state.h + affine(x, params["w"]) + 0.1 * noise.reshape(state.h.shape)
        return DrawnState(h, keys.reshape(state.key.shape), state.steps + 1), h
