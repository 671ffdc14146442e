"""method="fused" beside method="scan": the same numbers and gradients, wherever an input goes and whatever wraps it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from seqvision.cells import GRU, LSTM, Elman, unroll
from seqvision.testing import reference
from tests.cells.cases import CELLS, H, random_params, random_state, same

MAIN = ("elman-tanh", "gru", "gru-reset-before", "lstm")
IN_FEATURES = (1, 2, 9)  # by itself in the loop, beside h in one product (LSTM), before the loop


def value_and_gradients(cell, **options):
    """A loss that reads everything an unrolling returns, and its gradients by parameters, inputs and state."""

    def loss(params, xs, state, mask, reset, weights):
        final, ys = unroll(cell, params, xs, state=state, mask=mask, reset=reset, **options)
        return jnp.sum(jnp.sin(ys) * weights) + sum(jnp.sum(jnp.cos(leaf)) for leaf in jax.tree.leaves(final))

    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2)))


@pytest.mark.parametrize(
    ("in_features", "remat"), [*((k, "none") for k in IN_FEATURES), (2, "gates"), (9, "gates"), (2, "sqrt")]
)
@pytest.mark.parametrize("name", MAIN)
def test_gradients_equal_autodiff_of_the_scan(name, in_features, remat):
    cell, batch, T = CELLS[name][0], (2, 3), 7
    with jax.enable_x64(True):
        twins = value_and_gradients(cell, method="fused", remat=remat), value_and_gradients(cell, method="scan")
        for seed in range(3):
            rng = np.random.default_rng(seed)
            xs, weights = rng.normal(size=(*batch, T, in_features)), rng.normal(size=(*batch, T, H))
            mask, reset = rng.random((*batch, T)) < 0.7, rng.random((*batch, T)) < 0.3
            arguments = random_params(cell, rng, in_features), xs, random_state(cell, rng, batch), mask, reset, weights
            same(twins[0](*arguments), twins[1](*arguments), 1e-12)


@pytest.mark.parametrize("batch", [(2,), (3, 22)])  # few rows, and many
@pytest.mark.parametrize(
    "cell", [GRU(128), GRU(128, reset_after=False), LSTM(128)], ids=["gru", "gru-reset-before", "lstm"]
)
def test_wide_layers_whose_gates_are_kept_apart(cell, batch):
    rng, T, D = np.random.default_rng(0), 4, 3
    with jax.enable_x64(True):
        xs, weights = rng.normal(size=(*batch, T, D)), rng.normal(size=(*batch, T, 128))
        mask, reset = rng.random((*batch, T)) < 0.7, rng.random((*batch, T)) < 0.3
        arguments = random_params(cell, rng, D), xs, random_state(cell, rng, batch), mask, reset, weights
        same(*(value_and_gradients(cell, method=m)(*arguments) for m in ("fused", "scan")), 1e-12)


@settings(max_examples=12)
@given(
    name=st.sampled_from(MAIN),
    batch=st.lists(st.integers(0, 3), max_size=3),
    T=st.integers(0, 5),
    in_features=st.integers(1, 6),
    flags=st.tuples(st.booleans(), st.booleans()),
    dtype=st.sampled_from([np.float64, np.float32]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape(name, batch, T, in_features, flags, dtype, seed):
    cell, rng = CELLS[name][0], np.random.default_rng(seed)
    with jax.enable_x64(True):
        xs, weights = (rng.normal(size=(*batch, T, k)).astype(dtype) for k in (in_features, H))
        mask, reset = (rng.random((*batch, T)) < 0.6 if given_ else None for given_ in flags)
        state = random_state(cell, rng, tuple(batch), dtype)
        arguments = random_params(cell, rng, in_features, dtype), xs, state, mask, reset, weights
        got, expected = (value_and_gradients(cell, method=m)(*arguments) for m in ("fused", "scan"))
        assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(got))
        same(got, expected, 1e-12 if dtype == np.float64 else 1e-4)


@pytest.mark.parametrize("name", MAIN)
def test_finite_differences_of_first_and_second_order(name):
    cell, rng = CELLS[name][0], np.random.default_rng(0)
    mask = np.array([[True, True, False], [True, False, True]])
    with jax.enable_x64(True):
        arguments = random_params(cell, rng), rng.normal(size=(2, 3, 2)), random_state(cell, rng, (2,))

        @jax.jit
        def run(params, xs, state):
            return unroll(cell, params, xs, state=state, mask=mask, reset=~mask[:, ::-1], method="fused")

        check_grads(run, arguments, order=2, modes=("rev",))


@pytest.mark.parametrize("name", ["gru-reset-before", "lstm"])
def test_under_vmap_scan_and_checkpoint(name):
    cell, members, T = CELLS[name][0], 3, 4
    with jax.enable_x64(True):
        rng = np.random.default_rng(1)
        params = [random_params(cell, rng) for _ in range(members)]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
        xs = rng.normal(size=(members, 2, T, 2))

        def loss(params, xs, method="fused"):
            return jnp.sum(unroll(cell, params, xs, method=method)[1] ** 2)

        expected = [jax.jit(jax.grad(lambda p, x: loss(p, x, "scan")))(p, x) for p, x in zip(params, xs, strict=True)]
        expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *expected)
        gradient = jax.grad(loss)
        same(jax.jit(jax.vmap(gradient))(stacked, xs), expected, 1e-12)
        by_scan = jax.jit(lambda p, x: jax.lax.scan(lambda _, one: (None, gradient(*one)), None, (p, x))[1])
        same(by_scan(stacked, xs), expected, 1e-12)
        same(jax.jit(jax.vmap(jax.grad(jax.checkpoint(loss))))(stacked, xs), expected, 1e-12)


@pytest.mark.parametrize("cell", [Elman(H), GRU(H), GRU(H, reset_after=False), LSTM(H)], ids=str)
def test_bfloat16_products_with_a_float32_state(cell):
    half = type(cell)(**{**vars(cell), "compute_dtype": "bfloat16"})
    rng = np.random.default_rng(2)
    params, xs, weights = (
        random_params(cell, rng, 3, np.float32),
        rng.normal(size=(2, 5, 3)),
        rng.normal(size=(2, 5, H)),
    )
    arguments = params, xs.astype(np.float32), random_state(cell, rng, (2,), np.float32), None, None, weights
    exact = value_and_gradients(cell, method="fused")(*arguments)
    for method in ("fused", "scan"):
        rounded = value_and_gradients(half, method=method)(*arguments)
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(rounded))
        same(rounded, exact, 0.05)
        assert not np.allclose(rounded[1][0].w_h, exact[1][0].w_h, rtol=1e-6, atol=1e-6)
        program = str(jax.make_jaxpr(lambda p, x, m=method: unroll(half, p, x, method=m))(*arguments[:2]))
        assert program.count("preferred_element_type=float32") == program.count("dot_general[") > 0


def test_the_slope_of_relu_at_zero_is_zero_in_every_loop():
    cell = Elman(3, "relu")
    params, xs = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 2)), np.ones((4, 2), np.float32)
    for method in ("scan", "fused"):
        slopes = jax.grad(lambda p, m=method: jnp.sum(unroll(cell, p, xs, method=m)[1]))(params)
        assert not any(leaf.any() for leaf in slopes)
    assert not any(leaf.any() for leaf in reference.elman_gradients(params, xs, np.ones((4, 3)), activation="relu")[0])


def test_an_unknown_compute_dtype():
    for cell in (Elman, GRU, LSTM):
        with pytest.raises(ValueError, match=r"compute_dtype must be one of None, 'bfloat16', .* got 'int8'"):
            cell(4, compute_dtype="int8")
