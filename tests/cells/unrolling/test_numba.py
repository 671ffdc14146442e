"""method="numba": the compiled kernels beside the scan, whatever the shapes, and wherever JAX takes them."""

import inspect
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.extend.core import jaxprs_in_params

from seqvision.cells import GRU, LSTM, Elman, LearnedStart, unroll
from seqvision.cells.unrolling.methods import METHODS
from seqvision.cells.unrolling.numba import kernel_calls, processor
from seqvision.cells.unrolling.numba.method import is_available
from tests.cells.cases import random_state, same

if jax.default_backend() != "cpu":
    pytest.skip("the kernels are for CPUs", allow_module_level=True)
if not is_available():
    pytest.skip("no kernels for this machine, and no compiler", allow_module_level=True)

KINDS = ("elman", "gru", "lstm")


def cell_of(kind, H):
    return {"elman": Elman, "gru": GRU, "lstm": LSTM}[kind](H)


def problem(cell, batch, T, D, flags=(True, True), seed=0):
    rng = np.random.default_rng(seed)
    params = cell.init(jax.random.key(0), D)
    params = jax.tree.map(lambda w: (rng.normal(size=w.shape) / np.sqrt(cell.hidden)).astype(np.float32), params)
    xs, weights = (rng.normal(size=(*batch, T, k)).astype(np.float32) for k in (D, cell.hidden))
    mask, reset = (rng.random((*batch, T)) < share if on else None for share, on in zip((0.7, 0.3), flags, strict=True))
    state = random_state(getattr(cell, "cell", cell), rng, batch, np.float32)
    return params, xs, state, mask, reset, weights


def gradients(cell, method, remat="none"):
    """Values and gradients of a loss that reads everything an unrolling returns."""

    def loss(params, xs, state, mask, reset, weights):
        final, ys = unroll(cell, params, xs, state=state, mask=mask, reset=reset, method=method, remat=remat)
        return jnp.sum(jnp.sin(ys) * weights) + sum(jnp.sum(jnp.cos(leaf)) for leaf in final), (final, ys)

    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))


SHAPES = {  # batch, T, D, H
    "one sequence": ((), 5, 3, 5),
    "units that fill no panel": ((2, 3), 5, 2, 33),
    "many features": ((43,), 5, 40, 17),
    "shared units": ((4,), 5, 9, 128),  # by several cores
    "narrow": ((5, 4), 5, 2, 5),  # so many sequences that they fill vectors
    "narrow, with a rest": ((37,), 4, 1, 11),
}


@pytest.mark.parametrize("flags", [(False, False), (True, True)], ids=str)
@pytest.mark.parametrize(("batch", "T", "D", "H"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_kernels_equal_the_scan(kind, batch, T, D, H, flags):
    arguments = problem(cell_of(kind, H), batch, T, D, flags)
    same(gradients(cell_of(kind, H), "numba")(*arguments), gradients(cell_of(kind, H), "scan")(*arguments))


@settings(max_examples=5)
@given(
    kind=st.sampled_from(KINDS),
    batch=st.lists(st.integers(0, 5), max_size=3),
    T=st.integers(0, 6),
    D=st.integers(1, 12),
    H=st.sampled_from([1, 7, 32, 160]),
    flags=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape(kind, batch, T, D, H, flags, seed):
    arguments = problem(cell_of(kind, H), tuple(batch), T, D, flags, seed)
    same(gradients(cell_of(kind, H), "numba")(*arguments), gradients(cell_of(kind, H), "scan")(*arguments))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "linear"])
def test_activations(activation):
    arguments = problem(Elman(24, activation), (5,), 4, 3)
    same(*(gradients(Elman(24, activation), method)(*arguments) for method in ("numba", "scan")))


@pytest.mark.parametrize("kind", KINDS)
def test_many_sequences_on_all_cores_and_one_by_one(kind):
    cell = cell_of(kind, 48)
    params, xs, state, mask, reset, _ = problem(cell, (67,), 11, 5)
    run = jax.jit(lambda x, s, m, r: unroll(cell, params, x, state=s, mask=m, reset=r, method="numba"))
    final, ys = run(xs, state, mask, reset)
    for n in (0, 15, 16, 66):
        alone = run(xs[n : n + 1], jax.tree.map(lambda a, n=n: a[n : n + 1], state), mask[n : n + 1], reset[n : n + 1])
        same(alone, (jax.tree.map(lambda a, n=n: a[n : n + 1], final), ys[n : n + 1]), 0)


def test_programs_side_by_side():
    cell = LSTM(64)
    arguments = problem(cell, (33,), 20, 8)
    run = gradients(cell, "numba")
    expected = run(*arguments)
    with ThreadPoolExecutor(6) as pool:
        for got in pool.map(lambda _: run(*arguments), range(60)):
            same(got, expected, 0)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_how_exact_the_gates_are(activation):
    a = np.concatenate([np.linspace(-20, 20, 20001), np.geomspace(1e-30, 1e4, 999), -np.geomspace(1e-30, 1e4, 999)])
    a = a.astype(np.float32)
    params = Elman(1).init(jax.random.key(0), 1)._replace(w_x=jnp.ones((1, 1)), w_h=jnp.zeros((1, 1)))
    _, ys = unroll(Elman(1, activation), params, a[:, None, None], method="numba")
    exact = np.tanh(a.astype(float)) if activation == "tanh" else 1 / (1 + np.exp(-np.maximum(a.astype(float), -87)))
    np.testing.assert_allclose(ys[:, 0, 0], exact, rtol=4e-7, atol=1e-37)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_infinity_stay_what_they_are(kind):
    cell = cell_of(kind, 20)
    params, xs, state, *_ = problem(cell, (3,), 4, 2)
    xs[1, 2] = np.nan
    for value in (np.nan, np.inf):
        xs[1, 2, 0] = value
        got, expected = (np.isnan(unroll(cell, params, xs, state=state, method=m)[1]) for m in ("numba", "scan"))
        np.testing.assert_array_equal(got, expected)
        assert got[1, 2:].all()
        assert not got[0].any()


@pytest.mark.parametrize("kind", [pytest.param("gru", marks=pytest.mark.slow), "lstm"])
def test_derivatives_of_derivatives(kind):
    cell = cell_of(kind, 6)
    params, xs, state, mask, reset, weights = problem(cell, (3,), 4, 2)

    def product(method):
        def loss(params, xs, state):
            final, ys = unroll(cell, params, xs, state=state, mask=mask, reset=reset, method=method)
            return jnp.sum(jnp.sin(ys) * weights) + sum(jnp.sum(leaf**2) for leaf in final)

        def slope(*arguments):
            slopes = jax.grad(loss, argnums=(0, 1, 2))(*arguments)
            return sum(jnp.sum(jnp.cos(leaf)) for leaf in jax.tree.leaves(slopes))

        return jax.jit(jax.grad(slope, argnums=(0, 1, 2)))(params, xs, state)

    same(product("numba"), product("scan"), 1e-4)

    def forward_over_reverse(method):  # and under vmap
        def slopes(scale):
            return jax.grad(lambda p: jnp.sum(unroll(cell, p, xs * scale, method=method)[1]))(params)

        return jax.jit(jax.jacfwd(jax.vmap(slopes)))(jnp.ones(2))

    same(forward_over_reverse("numba"), forward_over_reverse("scan"), 1e-4)


@pytest.mark.parametrize("kind", [pytest.param("gru", marks=pytest.mark.slow), "lstm"])
def test_under_vmap_scan_and_checkpoint(kind):
    cell, members = cell_of(kind, 9), 3
    problems = [problem(cell, (2,), 4, 3, seed=seed) for seed in range(members)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *problems)
    run, expected = gradients(cell, "numba"), [gradients(cell, "scan")(*one) for one in problems]
    expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *expected)
    same(jax.jit(jax.vmap(run))(*stacked), expected)
    same(jax.jit(lambda *p: jax.lax.scan(lambda _, one: (None, run(*one)), None, p)[1])(*stacked), expected)
    same(jax.jit(jax.vmap(jax.checkpoint(run)))(*stacked), expected)
    shared = [gradients(cell, "scan")(problems[0][0], *one[1:]) for one in problems]
    shared = jax.tree.map(lambda *leaves: jnp.stack(leaves), *shared)
    same(jax.jit(jax.vmap(run, in_axes=(None, 0, 0, 0, 0, 0)))(problems[0][0], *stacked[1:]), shared)
    starts = jax.jit(jax.vmap(lambda state: run(*problems[0][:2], state, *problems[0][3:])[0][1]))(stacked[2])
    for n, (state, got) in enumerate(zip((one[2] for one in problems), range(members), strict=True)):
        expected_n = gradients(cell, "scan")(*problems[0][:2], state, *problems[0][3:])[0][1]
        same(jax.tree.map(lambda leaf, got=got: leaf[got], starts), expected_n), n


def test_a_population_is_one_call():
    cell, members = GRU(8), 5
    problems = [problem(cell, (3,), 4, 2, seed=seed) for seed in range(members)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *problems)
    program = jax.make_jaxpr(jax.vmap(gradients(cell, "numba")))(*stacked).jaxpr
    assert [name for name in names(program) if name.startswith("recurrent_") or name in ("scan", "while")] == [
        "recurrent_forward",
        "recurrent_backward",
        "recurrent_weights",
        "recurrent_inputs",
    ]
    twice = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), stacked)  # members of members: one after another
    got = jax.jit(jax.vmap(jax.vmap(gradients(cell, "numba"))))(*twice)
    expected = jax.vmap(gradients(cell, "scan"))(*stacked)
    for half in range(2):
        same(jax.tree.map(lambda leaf, half=half: leaf[half], got), expected)


def names(program):
    """The primitives of a program and of those inside it."""
    for equation in program.eqns:
        yield equation.primitive.name
        for inner in jaxprs_in_params(equation.params):
            yield from names(inner)


def test_sequences_that_vmap_adds_go_through_the_same_kernel():
    cell = LSTM(16)
    params, xs, *_ = problem(cell, (7, 2), 4, 3)
    batched = jax.make_jaxpr(jax.vmap(lambda x: unroll(cell, params, x, method="numba")[1]))(xs)
    assert list(names(batched.jaxpr)).count("recurrent_forward") == 1
    assert "scan" not in names(batched.jaxpr)
    same(jax.vmap(lambda x: unroll(cell, params, x, method="numba")[1])(xs), unroll(cell, params, xs, method="scan")[1])


def test_a_gradient_is_three_calls_and_no_loop():
    cell = LSTM(16)
    program = gradients(cell, "numba").lower(*problem(cell, (4,), 6, 3)).compile().as_text()
    assert program.count('custom_call_target="seqvision_') == 3  # forward, backward, the weights' gradients
    assert "while(" not in program


@pytest.mark.parametrize("kind", ["elman", "lstm"])
def test_the_last_state_alone_stacks_nothing(kind):
    cell, T, N, H = cell_of(kind, 48), 2048, 2, 48
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), 1))
    xs = jax.ShapeDtypeStruct((N, T, 1), jnp.float32)

    def temporaries(take):
        run = jax.jit(lambda params, xs: take(unroll(cell, params, xs, method="numba")))
        return run.lower(params, xs).compile().memory_analysis().temp_size_in_bytes

    assert temporaries(lambda out: out[0].h) < T * N * H  # a quarter of what all states take
    assert temporaries(lambda out: jnp.sin(out[1]).sum()) > 2 * T * N * H


@pytest.mark.parametrize("T", [1, 3, 10])
def test_recomputation_changes_no_number(T):
    arguments = problem(LSTM(8), (3,), T, 2)
    same(gradients(LSTM(8), "numba", "sqrt")(*arguments), gradients(LSTM(8), "scan")(*arguments))


def test_a_learned_start_goes_through_the_kernels():
    cell = LearnedStart(GRU(8))
    params = cell.init(jax.random.key(0), 2)
    _, xs, _, mask, reset, _ = problem(GRU(8), (3,), 5, 2)
    got, expected = (unroll(cell, params, xs, mask=mask, reset=reset, method=m) for m in ("numba", "scan"))
    same(got, expected)


def test_auto_takes_the_kernels_where_they_are_right():
    def chosen(cell, dtype=np.float32, **options):
        params = jax.eval_shape(lambda: cell.init(jax.random.key(0), 2, dtype))
        run = jax.make_jaxpr(lambda p, x: unroll(cell, p, x, **options))
        return "recurrent_forward" in str(run(params, jnp.zeros((3, 4, 2), dtype)))

    assert all(map(chosen, (Elman(16), Elman(16, "relu"), GRU(5), LSTM(5))))
    assert not any(map(chosen, (Elman(15), GRU(4), LSTM(4))))  # tiny layers
    assert chosen(LSTM(8), remat="sqrt")
    assert not chosen(LSTM(8), remat="gates")
    assert not any(map(chosen, (GRU(8, reset_after=False), LSTM(8, compute_dtype="bfloat16"))))
    with jax.enable_x64(True):
        assert not chosen(LSTM(8), np.float64)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_programs_for_other_platforms_hold_the_scan(kind):
    cell = cell_of(kind, 8)
    arguments = problem(cell, (3,), 4, 2)
    for platform in ("cuda", "tpu"):
        lowered = gradients(cell, "auto").trace(*arguments).lower(lowering_platforms=(platform,)).as_text()
        assert "seqvision_" not in lowered
        assert "while" in lowered


@pytest.mark.slow
def test_vectors_of_the_length_that_this_cpu_does_not_take():
    cases = ("elman-units that fill no panel", "gru-many features", "gru-shared units", "lstm-narrow")
    tests = [f"{__file__}::test_the_kernels_equal_the_scan[{case}-(True, True)]" for case in cases]
    environment = os.environ | {processor.ENVIRONMENT: {8: "16", 16: "8"}[processor.lanes()]}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert f"{len(tests)} passed" in done.stdout, done.stdout


def test_lanes_are_what_the_environment_says(monkeypatch):
    for lanes in (8, 16):
        monkeypatch.setenv(processor.ENVIRONMENT, str(lanes))
        assert processor.lanes() == lanes
    monkeypatch.setenv(processor.ENVIRONMENT, "12")
    with pytest.raises(ValueError, match="SEQVISION_KERNEL_LANES must be 8 or 16, got '12': unset it"):
        processor.lanes()


@pytest.mark.parametrize("name", ["forward_loop", "backward_loop", "weight_sums", "input_products"])
def test_the_axes_of_operands_are_in_their_order(name):
    primitive = getattr(kernel_calls, name)
    for function in (primitive.scan, primitive.outlines):
        assert list(inspect.signature(function).parameters)[2:] == list(primitive.axes)


def test_bad_calls(monkeypatch):
    cell = LSTM(4)
    params, xs, *_ = problem(cell, (2,), 3, 2)
    with jax.enable_x64(True), pytest.raises(ValueError, match=r'computes in float32, got float64: use method="fused"'):
        unroll(cell, params, xs.astype(np.float64), method="numba")
    with pytest.raises(ValueError, match=r"does not know remat='gates', only 'none', 'sqrt': use method=\"fused\""):
        unroll(cell, params, xs, method="numba", remat="gates")
    before = GRU(4, reset_after=False)
    with pytest.raises(ValueError, match=r"does not know GRU.*reset_after=False.*: use method=\"fused\" or \"auto\""):
        unroll(before, before.init(jax.random.key(0), 2), xs, method="numba")
    with pytest.raises(
        ValueError, match=r"needs .*w_h \(4, 16\).*, got .*w_h \(3, 16\).*: init them with the same cell"
    ):
        unroll(cell, params._replace(w_h=params.w_h[:3]), xs, method="numba")
    with pytest.raises(
        ValueError, match=r"needs .*w_x \(D, 20\).*, got .*w_x \(2, 16\).*: init them with the same cell"
    ):
        unroll(LSTM(5), params, xs, method="numba")
    with pytest.raises(ValueError, match=r"x has 3 features .*made for 2"):
        unroll(cell, params, np.ones((2, 3, 3), np.float32), method="numba")
    monkeypatch.setitem(METHODS, "numba", METHODS["numba"]._replace(is_available=lambda: False))
    with pytest.raises(ValueError, match=r'needs a CPU under Linux or macOS; llvmlite where .*: use method="fused"'):
        unroll(cell, params, xs, method="numba")
