"""`conv_block` gives the values of its parts in their usual order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from seqvision.conv import conv, conv_block, max_pool

MONOTONE = ["relu", "leaky_relu", "elu", "softplus", "tanh", "linear", None]
OTHERS = ["gelu", "mish", jnp.abs, lambda y: -y]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=s).astype(np.float32) for s in ((2, 3, 9, 8, 2), (3, 3, 2, 4), (4,)))


def by_parts(x, kernel, bias, activation, pool, **options):
    y = conv(x, kernel, bias, **options)
    named = {None: lambda y: y, "linear": lambda y: y}
    y = (activation if callable(activation) else named.get(activation) or getattr(nn, activation, None) or jax.nn.mish)(
        y
    )
    return y if pool is None else max_pool(y, pool)


@pytest.mark.parametrize("activation", MONOTONE + OTHERS)
def test_values_of_the_parts(arrays, activation):
    x, kernel, bias = arrays

    @jax.jit
    def run(x, kernel, bias):
        results = []
        for pool, window in ((None, None), ((3, 2), (3, 2))):
            options = {"stride": (1, 2), "padding": "replicate"} if pool is None else {"padding": "full"}
            ours = conv_block(x, kernel, bias, activation=activation, pool=pool, **options)
            results.append((ours, by_parts(x, kernel, bias, activation, window, **options)))
        return results

    for ours, parts in run(x, kernel, bias):
        np.testing.assert_allclose(ours, parts, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_gradients_of_the_parts(arrays, activation):
    def loss(block):
        return lambda *a: jnp.sum(jnp.sin(block(*a)))

    @jax.jit
    def run(*arrays):
        ours = jax.grad(loss(lambda *a: conv_block(*a, activation=activation, pool=2)), (0, 1, 2))(*arrays)
        return ours, jax.grad(loss(lambda *a: by_parts(*a, activation, (2, 2))), (0, 1, 2))(*arrays)

    ours, parts = run(*arrays)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), ours, parts)


def test_without_bias_in_one_and_three_dimensions():
    rng = np.random.default_rng(0)
    for axes in (1, 3):
        x = rng.normal(size=(*[6] * axes, 2)).astype(np.float32)
        kernel = rng.normal(size=(*[3] * axes, 1, 4)).astype(np.float32)
        y = conv_block(x, kernel, groups=2, dilation=2, pool=2)
        expected = max_pool(jax.nn.relu(conv(x, kernel, groups=2, dilation=2)), (2,) * axes)
        np.testing.assert_array_equal(y, expected)


def test_the_activation_runs_on_the_pooled_array_only_where_that_is_the_same(arrays):
    sizes = []

    def spy(y):
        sizes.append(y.shape)
        return jnp.abs(y)

    conv_block(*arrays, activation=spy, pool=2)
    assert sizes == [(2, 3, 9, 8, 4)]
    text = str(jax.make_jaxpr(lambda *a: conv_block(*a, activation=jax.nn.tanh, pool=2))(*arrays))
    assert "f32[2,3,4,4,4] = tanh" in text
