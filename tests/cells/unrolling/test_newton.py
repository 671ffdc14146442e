"""Newton in parallel over time against the scan: states, gradients, the account of the iteration, what fails."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqvision.cells import GRU, LRU, LSTM, Elman, ElmanParams, newton_unroll, unroll
from seqvision.cells.unrolling.newton import NewtonSettings, linear_recurrence, solve, unroll_by_newton
from seqvision.cells.unrolling.problem import Problem
from seqvision.cells.unrolling.scan import unroll_by_scan
from tests.cells.cases import D, H, random_params, random_state

CELLS = {"elman": Elman(H), "gru": GRU(H), "gru-reset-before": GRU(H, reset_after=False), "lstm": LSTM(H)}
T, N = 12, 2


def problem(cell, seed=0, flags=True, scale=1.0):
    """Parameters, inputs and states with nothing special about them, time first."""
    rng = np.random.default_rng(seed)
    params = jax.tree.map(lambda w: jnp.asarray(scale * w), random_params(cell, rng))
    xs = jnp.asarray(rng.normal(size=(T, N, D)))
    mask, reset = (jnp.asarray(rng.random((T, N)) < p) for p in (0.8, 0.1)) if flags else (None, None)
    state, fresh = (random_state(cell, rng, (N,)) for _ in range(2))
    return Problem(params, xs, *jax.tree.map(jnp.asarray, (state, fresh if flags else None)), mask, reset)


def loss(method, cell, mask, reset, params, xs, state, fresh):
    """A number to which every output and final state matters."""
    final, ys = method(cell, Problem(params, xs, state, fresh, mask, reset))
    weights = jnp.cos(jnp.arange(ys.size, dtype=ys.dtype)).reshape(ys.shape)
    return jnp.sum(weights * ys) + sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(final))


def value_and_gradients(method, cell, p):
    function = partial(loss, method, cell, p.mask, p.reset)
    return jax.jit(jax.value_and_grad(function, argnums=(0, 1, 2, 3)))(p.params, p.xs, p.state, p.fresh)


def assert_trees_close(got, wanted, rtol=1e-10, atol=1e-10):
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("name", "flags"), [*((name, True) for name in CELLS), ("lstm", False)])
def test_values_and_gradients_equal_those_of_the_scan(name, flags):
    cell = CELLS[name]
    p = problem(cell, flags=flags)
    assert bool(solve(cell, NewtonSettings(), p)[1].converged)
    assert_trees_close(value_and_gradients(unroll_by_newton, cell, p), value_and_gradients(unroll_by_scan, cell, p))


@pytest.mark.usefixtures("x64")
def test_the_states_are_those_of_the_scan_for_any_batch_axes():
    cell, rng = CELLS["lstm"], np.random.default_rng(1)
    params = random_params(cell, rng)
    for batch in ((), (2, 3)):
        xs, mask = jnp.asarray(rng.normal(size=(*batch, T, D))), jnp.asarray(rng.random((*batch, T)) < 0.8)
        reset, state = jnp.asarray(rng.random((*batch, T)) < 0.1), random_state(cell, rng, batch)
        result = jax.jit(partial(newton_unroll, cell))(params, xs, state=state, mask=mask, reset=reset)
        final, ys = unroll(cell, params, xs, state=state, mask=mask, reset=reset, method="scan")
        assert bool(result.converged)
        assert_trees_close(jax.tree.map(lambda leaf: leaf[..., -1, :], result.states), final)
        np.testing.assert_allclose(np.where(mask[..., None], result.states.h, 0), ys, atol=1e-10)


@pytest.mark.usefixtures("x64")
def test_the_gradient_of_the_states_is_that_of_the_scan():
    cell = CELLS["gru"]
    p = problem(cell, flags=False)
    xs = jnp.moveaxis(p.xs, 0, 1)

    def by_newton(params, form):
        return jnp.sum(jnp.sin(newton_unroll(cell, params, xs, form=form).states.h))

    expected = jax.grad(lambda params: jnp.sum(jnp.sin(unroll(cell, params, xs, method="scan")[1])))(p.params)
    for form in ("full", "quasi"):  # the gradient takes the full Jacobian either way
        assert_trees_close(jax.jit(jax.grad(by_newton), static_argnums=1)(p.params, form), expected, atol=1e-8)


@pytest.mark.usefixtures("x64")
def test_second_order_reverse():
    cell = CELLS["elman"]
    p = problem(cell)._replace(mask=None, reset=None, fresh=None)

    def curvature(method):
        first = jax.grad(lambda params: loss(method, cell, None, None, params, p.xs, p.state, None))
        return jax.jit(jax.grad(lambda params: sum(jnp.sum(g**2) for g in first(params))))(p.params)

    assert_trees_close(curvature(unroll_by_newton), curvature(unroll_by_scan), rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_the_account_of_the_iteration():
    cell = CELLS["gru"]
    p = problem(cell, flags=False)
    xs = jnp.moveaxis(p.xs, 0, 1)
    static = ("max_iterations", "form", "damping", "tolerance", "unconverged")
    run = jax.jit(partial(newton_unroll, cell), static_argnames=static)
    full, quasi, damped = (run(p.params, xs, **how) for how in ({}, {"form": "quasi"}, {"damping": 0.5}))
    assert full.residual < 1e-12
    assert 2 < full.iterations < quasi.iterations <= T + 1
    assert full.iterations < damped.iterations <= T + 1
    for other in (quasi, damped):
        assert bool(other.converged)
        assert_trees_close(other.states, full.states)
    # Jacobi's iteration makes one more state right each time: all T, and one iteration to see that nothing changes.
    jacobi = run(p.params, xs, damping=1.0)
    assert jacobi.iterations == T + 1
    assert_trees_close(jacobi.states, full.states)

    assert np.isnan(run(p.params, xs, max_iterations=3).states.h).all()  # nobody takes them for right
    early = run(p.params, xs, max_iterations=3, unconverged="keep")
    assert early.iterations == 3
    assert not early.converged
    assert early.residual > 1e-6
    np.testing.assert_allclose(early.states.h[:, :3], full.states.h[:, :3], atol=1e-14)  # exact as far as it got
    assert run(p.params, xs, tolerance=1e-2).iterations < full.iterations


@pytest.mark.usefixtures("x64")
def test_a_linear_recurrence_takes_one_iteration_and_one_to_confirm_it():
    cell = Elman(H, "linear")
    p = problem(cell, scale=0.5)
    assert solve(cell, NewtonSettings(), p)[1].iterations == 2


@pytest.mark.usefixtures("x64")
def test_a_chaotic_recurrence_falls_back_to_the_scan():
    cell = CELLS["elman"]
    p = problem(cell, flags=False, scale=12.0)
    long = p._replace(xs=jnp.concatenate([0.1 * p.xs] * 20))
    outcome = jax.jit(partial(solve, cell, NewtonSettings()))(long)[1]
    assert not outcome.converged
    got, wanted = value_and_gradients(unroll_by_newton, cell, long), value_and_gradients(unroll_by_scan, cell, long)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(wanted))
    assert_trees_close(got, wanted, rtol=1e-6)


@pytest.mark.usefixtures("x64")
def test_states_that_run_away_are_those_of_the_scan():
    cell = Elman(1, "relu")  # h doubles with each step and leaves float64 behind
    params = ElmanParams(jnp.ones((1, 1)), jnp.full((1, 1), 2.0), jnp.zeros(1))
    xs = jnp.ones((1200, 1))
    p = Problem(params, xs, cell.initial_state(params))
    final, ys = unroll_by_newton(cell, p)
    expected, all_ = unroll_by_scan(cell, p)
    np.testing.assert_array_equal(ys, all_)
    assert final.h == expected.h == np.inf


@pytest.mark.usefixtures("x64")
def test_nan_stays_nan():
    cell = CELLS["lstm"]
    p = problem(cell, flags=False)
    p = p._replace(xs=p.xs.at[5, 1].set(jnp.nan))
    (_, ys), (_, expected) = unroll_by_newton(cell, p), unroll_by_scan(cell, p)
    np.testing.assert_allclose(ys, expected, rtol=1e-12)  # NaN where the scan has it, and nowhere else
    assert np.isnan(ys[5:, 1]).all()
    assert not np.isnan(ys[:, 0]).any()
    assert not newton_unroll(cell, p.params, jnp.moveaxis(p.xs, 0, 1)).converged


@pytest.mark.usefixtures("x64")
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 3.0))
def test_any_weights(seed, scale):
    cell = CELLS["gru"]
    p = problem(cell, seed, scale=scale)
    (final, ys), (expected, all_) = _compiled(unroll_by_newton, cell)(p), _compiled(unroll_by_scan, cell)(p)
    np.testing.assert_allclose(ys, all_, atol=1e-9)
    assert_trees_close(final, expected, atol=1e-9)


_PROGRAMS: dict = {}


def _compiled(method, cell):
    return _PROGRAMS.setdefault((method, cell), jax.jit(lambda p: method(cell, p)))


def test_float32():
    cell = CELLS["lstm"]
    p = jax.tree.map(lambda leaf: leaf if leaf.dtype == bool else leaf.astype(jnp.float32), problem(cell))
    final, ys = unroll_by_newton(cell, p)
    expected, all_ = unroll_by_scan(cell, p)
    assert ys.dtype == final.c.dtype == jnp.float32
    np.testing.assert_allclose(ys, all_, atol=1e-5)
    assert_trees_close(final, expected, atol=1e-5)
    assert solve(cell, NewtonSettings(), p)[1].converged


def test_linear_recurrences_in_both_directions():
    rng = np.random.default_rng(0)
    full, diagonal, b = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 2, 3, 3), (7, 2, 3), (7, 2, 3)))
    for a in (full, diagonal):
        for order in (range(7), range(6, -1, -1)):
            y, expected = np.zeros((2, 3)), np.zeros((7, 2, 3))
            for t in order:
                y = (np.einsum("nij,nj->ni", a[t], y) if a.ndim == 4 else a[t] * y) + b[t]
                expected[t] = y
            got = linear_recurrence(jnp.asarray(a), jnp.asarray(b), reverse=order[0] == 6)
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


GOOD = {"cell": LSTM(H), "params": LSTM(H).init(jax.random.key(0), D), "xs": jnp.ones((2, 5, D))}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"unconverged": "raise"}, ValueError, "unconverged must be one of 'nan', 'keep', got 'raise'"),
        ({"max_iterations": 0}, ValueError, "max_iterations must be an int >= 1, got 0"),
        ({"tolerance": -1.0}, ValueError, "tolerance must be a number > 0, got -1.0"),
        ({"form": "diagonal"}, ValueError, "form must be one of 'full', 'quasi', got 'diagonal'"),
        ({"damping": 1.5}, ValueError, r"damping must be a number >= 0 and <= 1, got 1.5"),
        ({"xs": jnp.ones((2, 0, D))}, ValueError, "at least one time step"),
        ({"mask": jnp.ones((2, 4), bool)}, ValueError, "mask must have the shape"),
        ({"cell": "lstm"}, TypeError, "cell must have init"),
        ({"cell": LRU(H), "params": LRU(H).init(jax.random.key(0), D)}, ValueError, "real vectors.*complex64"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_calls_name_the_argument_the_value_and_the_remedy(change, kind, message):
    with pytest.raises(kind, match=message):
        newton_unroll(**{**GOOD, **change})


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-5, 1e-20])
def test_small_states_are_as_right_as_large_ones(scale):
    cell = Elman(8, activation="relu")  # whose states are as large as its inputs
    params = cell.init(jax.random.key(1), in_features=3)
    xs = scale * jax.random.normal(jax.random.key(2), (2, 50, 3))
    right, got = (unroll(cell, params, xs, method=method)[1] for method in ("scan", "newton"))
    np.testing.assert_allclose(got, right, rtol=0, atol=1e-5 * float(jnp.abs(right).max()))


def test_an_empty_batch_stays_empty():
    cell = Elman(4)
    _, ys = unroll(cell, cell.init(jax.random.key(0), 3), jnp.zeros((0, 5, 3)), method="newton")
    assert ys.shape == (0, 5, 4)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_is_as_near_as_that_of_the_scan(dtype):
    cell = Elman(8)
    params = jax.tree.map(lambda w: w.astype(dtype), cell.init(jax.random.key(0), 3))
    xs = jax.random.normal(jax.random.key(1), (2, 40, 3)).astype(dtype)
    exact = jax.tree.map(lambda w: w.astype(jnp.float32), params)
    _, want = unroll(cell, exact, xs.astype(jnp.float32), method="scan")
    _, ys = unroll(cell, params, xs, method="newton")
    _, by_scan = unroll(cell, params, xs, method="scan")
    assert ys.dtype == dtype
    rounding = float(jnp.finfo(dtype).eps)
    assert float(jnp.abs(ys - want).max()) < 2 * float(jnp.abs(by_scan - want).max()) + rounding
    found = newton_unroll(cell, params, xs)
    assert bool(found.converged)
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(found.states))
