"""Every relative of the LSTM and GRU, by every method, against the loops of seqvision.testing.reference."""

from functools import partial

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given, settings

from seqvision.cells import SLSTM, unroll
from tests.cells.family import FAMILY, event, random_params, random_state, to_reference

BATCH, T = (2, 3), 4
LINEAR = ("lru", "min-gru", "min-lstm")  # those that run by "associative"
QUICK = (*LINEAR, "lstm-layer-norm", "lstm-multiplicative", "slstm-exp", "conv-lstm-2d")
SEEDS = st.integers(0, 2**32 - 1)
KINKED = ("ind-rnn-relu", "lstm-clip", "lstm-all", "lstm-three-peepholes")  # no place for finite differences


class Problem:
    """Random arguments of one unroll, everything given, and a random gradient of its results."""

    def __init__(self, name, seed, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.cell, self.forward = FAMILY[name]
        self.params = random_params(self.cell, rng, dtype)
        state = random_state(self.cell, rng, BATCH, dtype)
        self.options = {"state": state, "mask": rng.random((*BATCH, T)) < 0.7, "reset": rng.random((*BATCH, T)) < 0.3}
        self.xs = rng.normal(size=(*BATCH, T, *event(self.cell))).astype(dtype)
        self.xs[~self.options["mask"]] = np.nan  # padding holds anything
        self.direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), self.params)
        _, ys = self.expected()
        self.d_ys = rng.normal(size=ys.shape).astype(dtype)
        self.d_final = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(leaf.dtype), state)
        if isinstance(self.cell, SLSTM):  # the reference's final state is not the stabilised one
            self.d_final = jax.tree.map(np.zeros_like, self.d_final)

    def expected(self, shift=0.0):
        """(final state, ys), with the parameters moved along the direction."""
        params = jax.tree.map(lambda p, v: p + shift * v, self.params, self.direction)
        options = {**self.options, "state": to_reference(self.cell, self.options["state"])}
        return self.forward(params, self.xs, **options, reverse=True)

    def expected_slope(self):
        """The gradient of the results along the direction, by differences."""

        def value(shift):
            final, ys = self.expected(shift)
            return np.sum(ys * self.d_ys) + sum(np.sum((a * d).real) for a, d in zip(final, self.d_final, strict=False))

        return (value(1e-6) - value(-1e-6)) / 2e-6

    def run(self, method):
        """(final state, ys), gradients of params, xs and the first state."""
        return run_with_gradients(self.cell, method, self.params, self.xs, self.options, (self.d_final, self.d_ys))


@partial(jax.jit, static_argnums=(0, 1))
def run(cell, method, params, xs, options):
    return unroll(cell, params, xs, **options, reverse=True, method=method)


@partial(jax.jit, static_argnums=(0, 1))
def run_with_gradients(cell, method, params, xs, options, cotangents):
    def function(params, xs, state):
        return run(cell, method, params, xs, {**options, "state": state})

    results, pull = jax.vjp(function, params, xs, options["state"])
    return results, pull(cotangents)


def close(got, wanted, tolerance=1e-10):
    got, wanted = jax.tree.leaves(got), jax.tree.leaves(wanted)
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", [name for name in FAMILY if name not in QUICK])
@settings(max_examples=5)
@given(seed=SEEDS)
def test_outputs(name, seed):
    problem = Problem(name, seed)
    with jax.enable_x64(True):
        final, ys = run(problem.cell, "scan", problem.params, problem.xs, problem.options)
    close((to_reference(problem.cell, final), ys), problem.expected())
    assert not np.any(np.asarray(ys)[~problem.options["mask"]])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAMILY]
)
@settings(max_examples=5)
@given(seed=SEEDS)
def test_outputs_and_gradients(name, seed):
    problem = Problem(name, seed)
    with jax.enable_x64(True):
        (final, ys), gradients = problem.run("scan")
        if name in LINEAR:
            close(problem.run("associative"), ((final, ys), gradients))
    close((to_reference(problem.cell, final), ys), problem.expected())
    assert not np.any(np.asarray(gradients[1])[~problem.options["mask"]])
    if name not in KINKED:
        slope = sum(
            np.sum(np.asarray(d) * v) for d, v in zip(gradients[0], problem.direction, strict=True) if v is not None
        )
        np.testing.assert_allclose(slope, problem.expected_slope(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["lru", "slstm-exp"])
def test_single_precision(name):
    problem = Problem(name, 0, np.float32)
    results, gradients = problem.run("associative" if name in LINEAR else "scan")
    assert {leaf.dtype for leaf in jax.tree.leaves((results[1], gradients[0]))} == {np.dtype("float32")}
    close((to_reference(problem.cell, results[0]), results[1]), problem.expected(), 1e-4)
