"""Every way of execution at the edges: no steps, no sequences, one of each, infinite padding, kinks, tiny numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, LRU, LSTM, SLSTM, Elman, IndRNN, MinGRU, unroll
from tests.cells.cases import D, H

METHODS = {
    Elman(H, "relu"): ("scan", "fused", "newton", "numba"),
    IndRNN(H): ("scan", "newton"),
    GRU(H): ("scan", "fused", "newton", "numba"),
    LSTM(H): ("scan", "fused", "numba"),
    MinGRU(H): ("scan", "associative"),
    LRU(H, features=3): ("scan", "associative"),
    SLSTM(H, forget="exp"): ("scan",),
}
CASES = [(cell, method) for cell, methods in METHODS.items() for method in methods]


def run(cell, method, params, xs, mask=None):
    def loss(params, xs):
        final, ys = unroll(cell, params, xs, mask=mask, method=method)
        return sum(jnp.sum(jnp.abs(leaf)) for leaf in jax.tree.leaves((final, ys))), (final, ys)

    return jax.grad(loss, (0, 1), has_aux=True)(params, xs)


@pytest.mark.parametrize(("cell", "method"), CASES, ids=str)
def test_no_steps_and_no_sequences(cell, method):
    params = cell.init(jax.random.key(0), D)
    for shape in ((2, 0), (0, 3)):
        step = jax.jit(lambda xs: run(cell, method, params, xs))
        gradients, (final, ys) = step(jnp.ones((*shape, D)))
        start = cell.initial_state(params, shape[:-1])
        jax.tree.map(np.testing.assert_array_equal, final, start)
        assert ys.shape[:-1] == shape
        assert not any(np.any(leaf) for leaf in jax.tree.leaves(gradients))


@pytest.mark.parametrize(("cell", "method"), CASES, ids=str)
def test_infinite_padding_and_subnormal_inputs(cell, method):
    params = cell.init(jax.random.key(0), D)
    xs = np.random.default_rng(0).normal(size=(3, 4, D)).astype(np.float32)
    xs[0] = 1e-42
    mask = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0]], bool)
    dirty = np.where(mask[..., None], xs, [np.inf, np.nan]).astype(np.float32)
    step = jax.jit(lambda xs: run(cell, method, params, xs, mask))
    found, expected = step(dirty), step(np.where(mask[..., None], xs, 0))
    jax.tree.map(np.testing.assert_array_equal, found, expected)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


@pytest.mark.parametrize(
    ("cell", "method"), [case for case in CASES if getattr(case[0], "activation", None) == "relu"], ids=str
)
@pytest.mark.parametrize("remat", ["none", "sqrt"])
def test_the_gradient_of_relu_at_zero_is_zero(cell, method, remat):
    if method == "newton" and remat != "none":
        pytest.skip("the method keeps all it needs")
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), D))
    step = jax.jit(jax.grad(lambda p, xs: unroll(cell, p, xs, method=method, remat=remat)[1].sum(), (0, 1)))
    gradients = step(params, jnp.ones((2, 3, D)))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(gradients))
