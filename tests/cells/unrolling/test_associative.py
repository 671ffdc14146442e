"""method="associative": the loop's numbers without a loop, and which cells it takes."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import LRU, LSTM, LearnedStart, MinGRU, MinLSTM, unroll
from seqvision.cells.unrolling.associative import is_supported
from tests.cells.family import D, H, random_params, random_state

CELLS = {"min-gru": MinGRU(H), "min-lstm": MinLSTM(H), "lru": LRU(H, r_min=0.9)}


@partial(jax.jit, static_argnums=(0, 1))
def run(cell, method, params, xs, **options):
    return unroll(cell, params, xs, **options, method=method)


class LeakState(NamedTuple):
    s: jax.Array  # (..., D)


@dataclass(frozen=True)
class Leak:
    """A user's cell: a leaky sum of its inputs, with one weight."""

    def init(self, key, in_features):
        return {"rate": jnp.full((in_features,), 0.9)}

    def initial_state(self, params, batch_shape=()):
        return LeakState(jnp.zeros((*batch_shape, *params["rate"].shape)))

    def step(self, params, state, x):
        a, b = self.linear(params, x)
        state = LeakState(a * state.s + b)
        return state, self.readout(params, state, x)

    def linear(self, params, x):
        return jnp.broadcast_to(params["rate"], x.shape), x

    def readout(self, params, state, x):
        return jnp.tanh(state.s)


class OtherStep(MinGRU):
    def step(self, params, state, x):
        state, y = super().step(params, state, x)
        return state, 2 * y


class OtherParts(MinGRU):
    def linear(self, params, x):
        a, b = super().linear(params, x)
        return a, 2 * b


@pytest.mark.parametrize(("name", "T"), [("min-gru", 257), ("min-lstm", 1), ("lru", 257), ("lru", 0)])
def test_any_length_in_single_precision(name, T):
    cell, rng = CELLS[name], np.random.default_rng(T)
    params, state = cell.init(jax.random.key(0), D), random_state(cell, rng, (2,), np.float32)
    xs = rng.normal(size=(2, T, D)).astype(np.float32)
    reset = rng.random((2, T)) < 0.01
    with jax.default_matmul_precision("highest"):
        got, wanted = (run(cell, m, params, xs, state=state, reset=reset) for m in ("associative", "scan"))
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_there_is_no_loop():
    params, xs = CELLS["lru"].init(jax.random.key(0), D), jnp.ones((64, D))
    program = str(jax.make_jaxpr(lambda p, x: unroll(CELLS["lru"], p, x, method="associative"))(params, xs))
    assert "scan" not in program
    assert "while" not in program


def test_forward_mode_and_second_derivatives():
    cell = MinGRU(H)
    with jax.enable_x64(True):
        params = jax.tree.map(jnp.asarray, random_params(cell, np.random.default_rng(0)))
        xs = jnp.asarray(np.random.default_rng(1).normal(size=(5, D)))

        def curvature(method):
            def slope(x):
                return jax.grad(lambda x: jnp.sum(unroll(cell, params, x, method=method)[1] ** 2))(x)

            return jax.jit(lambda x: jax.jvp(slope, (x,), (jnp.cos(x),)))(xs)

        for got, wanted in zip(curvature("associative"), curvature("scan"), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-10)


def test_a_cell_of_the_users_own():
    cell, xs = Leak(), jnp.asarray(np.random.default_rng(0).normal(size=(3, 9, D)), jnp.float32)
    params = cell.init(None, D)
    mask = jnp.arange(9)[None] < jnp.array([[9], [4], [0]])
    got, wanted = (run(cell, m, params, xs, mask=mask) for m in ("associative", "scan"))
    np.testing.assert_allclose(got[1], wanted[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got[0].s, wanted[0].s, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["min-gru", "lru"])
def test_a_reset_returns_to_a_learned_start_on_masked_steps_too(name):
    cell, rng = LearnedStart(CELLS[name]), np.random.default_rng(3)
    params = cell.init(jax.random.key(0), D)
    start = jax.tree.map(lambda leaf: leaf + jnp.arange(1.0, 1.0 + H), params.start)
    xs = rng.normal(size=(4, 9, D)).astype(np.float32)
    mask, reset = rng.random((4, 9)) < 0.6, rng.random((4, 9)) < 0.4
    assert (reset & ~mask).any()

    @partial(jax.jit, static_argnums=1)
    def both(start, method):
        def total(start):
            final, ys = unroll(cell, params._replace(start=start), xs, mask=mask, reset=reset, method=method)
            return jnp.sum(ys**2) + sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in final), (final, ys)

        return jax.value_and_grad(total, has_aux=True)(start)

    for a, b in zip(jax.tree.leaves(both(start, "associative")), jax.tree.leaves(both(start, "scan")), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_which_cells_it_takes():
    assert all(is_supported(cell, None) for cell in (*CELLS.values(), Leak(), OtherParts(H)))
    assert not any(is_supported(cell, None) for cell in (LSTM(H), OtherStep(H)))
    with pytest.raises(ValueError, match=r'method="associative" .*LSTM'):
        unroll(LSTM(H), LSTM(H).init(jax.random.key(0), D), jnp.ones((5, D)), method="associative")
