"""Adaptive pools against the float64 reference and torch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqvision.conv import adaptive_avg_pool, adaptive_max_pool
from seqvision.testing import reference


@st.composite
def configurations(draw):
    axes = draw(st.integers(1, 3))
    sizes, out = (tuple(draw(st.integers(1, 7 if axes < 3 else 4)) for _ in range(axes)) for _ in range(2))
    return (*draw(st.sampled_from([(), (2,), (2, 1)])), *sizes, 2), out


@given(configurations(), st.integers(0, 2**31))
@settings(max_examples=10)
def test_values_and_gradients(configuration, seed):
    shape, out = configuration
    x = np.random.default_rng(seed).normal(size=shape)
    with jax.enable_x64(True):

        @jax.jit
        def run(x):
            mean, pull_mean = jax.vjp(lambda x: adaptive_avg_pool(x, out), x)
            largest, pull_largest = jax.vjp(lambda x: adaptive_max_pool(x, out), x)
            return mean, pull_mean(mean)[0], largest, pull_largest(jnp.ones_like(largest))[0]

        mean, mean_slope, largest, slope = map(np.asarray, run(x))
    np.testing.assert_allclose(mean, reference.adaptive_pool(x, out), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(largest, reference.adaptive_pool(x, out, np.max))
    np.testing.assert_allclose(np.sum(mean * mean), np.sum(x * mean_slope), rtol=1e-9, atol=1e-9)  # linear
    np.testing.assert_allclose(np.sum(slope), largest.size)  # each window's goes to one pixel, which it holds
    np.testing.assert_allclose(np.sum(slope * x), np.sum(largest), rtol=1e-9, atol=1e-9)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=10)
def test_equals_torch(height, width, rows, columns):
    torch = pytest.importorskip("torch", reason="torch is the other framework")
    x = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
    theirs = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
    functional = torch.nn.functional
    for ours, peer in (
        (adaptive_avg_pool, functional.adaptive_avg_pool2d),
        (adaptive_max_pool, functional.adaptive_max_pool2d),
    ):
        expected = np.moveaxis(peer(theirs, (rows, columns)).numpy(), 1, -1)
        np.testing.assert_allclose(ours(x, (rows, columns)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: adaptive_avg_pool(x, 2), ValueError, r"tuple.*\(7, 7\)"),
        (lambda x: adaptive_max_pool(x, (0, 2)), ValueError, "out"),
        (lambda x: adaptive_max_pool(x, (2, 2, 2)), ValueError, "needs 3 spatial axes"),
        (lambda x: adaptive_avg_pool(x.astype(int), (2, 2)), TypeError, "x has dtype int32"),
        (lambda x: adaptive_avg_pool(x[:0], (2, 2)), ValueError, "no pixels"),
    ],
)
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(jnp.ones((4, 4, 2)))
