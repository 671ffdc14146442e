"""A compiled epoch with every kind of convolution: nothing in it is slow on CPU, mapped over models too."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from seqvision.conv import batch_norm, conv, conv_block, conv_transpose, global_avg_pool, max_pool

pytestmark = [
    pytest.mark.optimized,
    pytest.mark.skipif(jax.default_backend() != "cpu", reason="looks at programs compiled for CPU"),
]
SHAPES = {
    "first": (3, 3, 3, 16),
    "strided": (3, 3, 16, 32),
    "depthwise": (3, 3, 1, 32),
    "grouped": (3, 3, 16, 32),
    "larger": (4, 4, 32, 16),
    "last": (3, 3, 16, 8),
}


def network(kernels, x):
    """Pool, stride, batch norm, depthwise, groups, dilation, transposed."""
    x = conv_block(x, kernels["first"], jnp.zeros(16), pool=2)
    x = conv(x, kernels["strided"], stride=2)
    x = jax.nn.relu(batch_norm(x, jnp.ones(32), jnp.zeros(32))[0])
    x = conv(x, kernels["depthwise"], groups=32)
    x = jnp.tanh(conv(x, kernels["grouped"], groups=2, padding="reflect"))
    x = conv_transpose(x, kernels["larger"], stride=2)
    x = max_pool(conv(x, kernels["last"], dilation=2), (3, 3), stride=2, padding="same")
    return global_avg_pool(x)


def epoch(kernels, batches):
    """A scan over steps of gradient descent."""

    def step(kernels, x):
        slopes = jax.grad(lambda kernels: jnp.mean(network(kernels, x) ** 2))(kernels)
        return jax.tree.map(lambda k, g: k - 0.1 * g, kernels, slopes), None

    return lax.scan(step, kernels, batches)[0]


def make(*models):
    rng = np.random.default_rng(0)
    kernels = {name: 0.1 * rng.normal(size=(*models, *shape)).astype(np.float32) for name, shape in SHAPES.items()}
    return kernels, rng.normal(size=(2, 32, 32, 32, 3)).astype(np.float32)


def assert_fast(text):
    convolutions = [
        line for line in text.splitlines() if re.search(r"= \S+ convolution\(", line) or "dim_labels" in line
    ]
    assert convolutions  # large ones there are
    for line in convolutions:
        assert "dim_labels=b01f_01io->b01f" in line
        assert not re.search(r"lhs_dilate|rhs_reversal|feature_group_count|batch_group_count", line), line
    assert "select-and-scatter" not in text


def test_every_convolution_is_in_the_fast_form():
    assert_fast(jax.jit(epoch).lower(*make()).compile().as_text())


@pytest.mark.parametrize("own_data", [False, True])
def test_mapped_over_models_none_is_grouped_and_values_are_those_of_each(own_data):
    kernels, batches = make(3)
    data = jnp.stack([batches, batches + 1, 2 * batches]) if own_data else batches
    run = jax.jit(jax.vmap(epoch, (0, 0 if own_data else None))).lower(kernels, data).compile()
    assert_fast(run.as_text())
    together = run(kernels, data)
    one = jax.jit(epoch)
    for model in range(3):
        alone = one({name: k[model] for name, k in kernels.items()}, data[model] if own_data else data)
        for name, k in alone.items():
            np.testing.assert_allclose(together[name][model], k, rtol=1e-3, atol=1e-5)
