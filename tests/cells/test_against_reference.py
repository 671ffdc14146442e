"""Every cell, by every method, against the loops of seqvision.testing.reference: outputs, states and gradients."""

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from seqvision.cells import unroll
from seqvision.cells.unrolling.numba.method import is_available, is_supported
from seqvision.testing import reference
from tests.cells.cases import CELLS, D, H, methods, random_params, random_state

# batch, T, what is given, reverse: few shapes, so that few programs are compiled; hypothesis draws the values.
SITUATIONS = {
    "plain": ((3,), 5, (), False),
    "alone": ((), 4, ("state", "mask", "reset"), True),
    "one step": ((3,), 1, ("reset",), True),
    "no step": ((2, 3), 0, ("state", "mask", "reset"), False),
    "everything": ((2, 3), 4, ("state", "mask", "reset"), True),
}


class Problem:
    """Random arguments of one unroll and a random gradient of its results."""

    def __init__(self, name, situation, seed, dtype=np.float64):
        rng = np.random.default_rng(seed)
        batch, T, given, self.reverse = SITUATIONS[situation]
        self.cell, self.forward, self.backward = CELLS[name]
        self.params = random_params(self.cell, rng, dtype=dtype)
        self.xs = rng.normal(size=(*batch, T, D)).astype(dtype)
        state = random_state(self.cell, rng, batch, dtype)
        mask, reset = rng.random((*batch, T)) < 0.7, rng.random((*batch, T)) < 0.3
        options = {"state": state, "mask": mask, "reset": reset}
        self.options = {key: value if key in given else None for key, value in options.items()}
        if self.options["mask"] is not None:
            self.xs = np.where(mask[..., None], self.xs, np.array(np.nan, dtype))  # padding holds anything
        self.d_final = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(dtype), state)
        self.d_ys = rng.normal(size=(*batch, T, H)).astype(dtype)

    def run(self, method):
        """(final state, ys), gradients of (params, xs, state)."""
        dynamic = (self.params, self.xs, self.options, (self.d_final, self.d_ys))
        return run(self.cell, method, self.reverse, *dynamic)

    def expected(self):
        return self.forward(self.params, self.xs, **self.options, reverse=self.reverse)

    def expected_gradients(self):
        return self.backward(self.params, self.xs, self.d_ys, self.d_final, **self.options, reverse=self.reverse)


@jax.jit(static_argnums=(0, 1, 2))
def run(cell, method, reverse, params, xs, options, cotangents):
    def function(params, xs, state):
        return unroll(cell, params, xs, **{**options, "state": state}, reverse=reverse, method=method)

    results, pull = jax.vjp(function, params, xs, options["state"])
    return results, pull(cotangents)


def close(got, expected, tolerance=1e-10):
    got, expected = jax.tree.leaves(got), jax.tree.leaves(expected)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


SEEDS = st.integers(0, 2**32 - 1)
MAIN = ("elman-tanh", "gru", "gru-reset-before", "lstm")
PAIRS = [(name, situation) for name in CELLS for situation in SITUATIONS if name in MAIN or situation == "everything"]


@pytest.mark.parametrize(("name", "situation"), PAIRS)
@settings(max_examples=5)
@given(seed=SEEDS)
def test_double_precision(name, situation, seed):
    with jax.enable_x64(True):
        problem = Problem(name, situation, seed)
        results = {method: problem.run(method) for method in methods(name)[:2]}
    scan_results, scan_gradients = results["scan"]
    close(scan_results, problem.expected())
    for other_results, other_gradients in results.values():
        close(other_results, scan_results)
        close(other_gradients, scan_gradients)
    if problem.backward is not None:
        by_hand = problem.expected_gradients()
        state = None if problem.options["state"] is None else by_hand.state
        close(scan_gradients, (by_hand.params, by_hand.xs, state))
    if problem.options["mask"] is not None:
        padding = ~problem.options["mask"]
        assert not np.any(np.asarray(scan_results[1])[padding])
        assert not np.any(np.asarray(scan_gradients[1])[padding])


@pytest.mark.parametrize("name", MAIN)
@settings(max_examples=5)
@given(seed=SEEDS)
def test_single_precision(name, seed):
    problem = Problem(name, "alone", seed, np.float32)
    with jax.default_matmul_precision("highest"):
        compiled = ("numba",) if is_available() and is_supported(problem.cell, None) else ()
        for method in (*methods(name)[:2], *compiled):
            results, gradients = problem.run(method)
            assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves((results, gradients)))
            close(results, problem.expected(), 1e-5)
            if problem.backward is not None:
                by_hand = problem.expected_gradients()
                close(gradients, (by_hand.params, by_hand.xs, by_hand.state), 3e-5)


def test_auto_is_fused_where_a_cell_has_it_and_no_kernel():
    for name in CELLS:
        problem = Problem(name, "plain", 0, np.float16)
        twin = "fused" if "fused" in methods(name) else "scan"
        programs = [
            str(jax.make_jaxpr(lambda p, x, m=m, c=problem.cell: unroll(c, p, x, method=m))(problem.params, problem.xs))
            for m in ("auto", twin)
        ]
        assert programs[0] == programs[1], name
        assert ("name=_fused" in programs[0]) == (twin == "fused"), name


@pytest.mark.parametrize("T", [0, 3, 10])
@pytest.mark.parametrize("remat", ["gates", "sqrt"])
def test_recomputation_changes_no_number(remat, T):
    cell, forward, _ = CELLS["lstm"]
    rng = np.random.default_rng(T)
    params, xs = random_params(cell, rng), rng.normal(size=(2, T, D))
    mask, reset = rng.random((2, T)) < 0.7, rng.random((2, T)) < 0.3

    def loss(params, xs, remat):
        (h, c), ys = unroll(cell, params, xs, mask=mask, reset=reset, remat=remat, method="auto")
        return jnp.sum(ys**2) + jnp.sum(h * c), ys

    with jax.enable_x64(True):
        run = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True), static_argnums=2)
        results = run(params, xs, remat)
        close(results, run(params, xs, "none"))
        close(results[0][1], forward(params, xs, mask=mask, reset=reset)[1])


def test_forward_mode_and_second_derivatives_by_scan():
    cell, _, _ = CELLS["gru"]
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        params, xs, direction = random_params(cell, rng), rng.normal(size=(3, D)), rng.normal(size=(3, D))
        _, slope = jax.jvp(lambda xs: unroll(cell, params, xs, method="scan")[1], (xs,), (direction,))
        ahead, behind = (reference.gru(params, xs + s * direction)[1] for s in (1e-6, -1e-6))
        np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-8)
        assert jax.hessian(lambda xs: unroll(cell, params, xs, method="scan")[1].sum())(xs).shape == (3, D, 3, D)
