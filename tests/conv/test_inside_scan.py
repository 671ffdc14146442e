"""Training steps with our convolutions inside `lax.scan`, on CPU and lowered for other platforms."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export, lax

from seqvision.conv import conv, conv_block

pytestmark = pytest.mark.optimized


def network(params, x):
    """A large convolution with a pool, a small one with a stride, and a dense layer."""
    x = conv_block(x, *params["first"], pool=2)
    x = conv_block(x, *params["second"], stride=2, padding="valid")
    return x.reshape(x.shape[0], -1) @ params["head"]


def train_step(params, batch):
    x, y = batch

    def loss(params):
        return jnp.mean((network(params, x) - y) ** 2)

    value, slopes = jax.value_and_grad(loss)(params)
    return jax.tree.map(lambda p, g: p - 0.01 * g, params, slopes), value


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    normal = lambda *shape: jnp.asarray(0.1 * rng.normal(size=shape), jnp.float32)  # noqa: E731
    params = {
        "first": (normal(5, 5, 3, 16), normal(16)),
        "second": (normal(3, 3, 16, 16), normal(16)),
        "head": normal(7 * 7 * 16, 2),
    }
    return params, (normal(4, 32, 30, 30, 3), normal(4, 32, 2))


def test_loop_and_scan_give_the_same_bits(problem):
    params, batches = problem
    scanned, losses = jax.jit(functools.partial(lax.scan, train_step))(params, batches)
    step = jax.jit(train_step)
    for i in range(4):
        params, loss = step(params, jax.tree.map(lambda b, i=i: b[i], batches))
        np.testing.assert_array_equal(loss, losses[i])
    jax.tree.map(np.testing.assert_array_equal, params, scanned)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="looks at programs compiled for CPU")
def test_every_convolution_on_cpu_is_in_the_fast_layout(problem):
    text = jax.jit(functools.partial(lax.scan, train_step)).lower(*problem).compile().as_text()
    layouts = re.findall(r"dim_labels=([^,\s]+)", text)
    assert set(layouts) == {"b01f_01io->b01f"}  # the large one's values; all the rest are matrix products
    assert not re.search(r"rhs_reversal|lhs_dilate|select-and-scatter", text)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="looks at programs compiled for CPU")
def test_kernels_larger_than_the_image_stay_out_of_slow_layouts():
    # XLA would exchange image and kernel here.
    x, kernel = jnp.ones((512, 2, 2, 64)), jnp.ones((3, 3, 64, 64))
    text = jax.jit(lambda x, k: lax.map(lambda x: conv(x, k), x[None])).lower(x, kernel).compile().as_text()
    assert " convolution(" not in text


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_other_platforms_get_their_own_convolutions(problem, platform):
    params, batches = problem
    run = jax.jit(functools.partial(lax.scan, train_step))
    text = export.export(run, platforms=[platform])(params, batches).mlir_module()
    # two forward, one gradient by the image (the first layer's is not needed), two by kernels
    assert text.count("stablehlo.convolution") == 5
    assert len(re.findall(r"stablehlo\.dot_general", text)) == 3  # the head and its gradients: no patches


def test_exports_for_any_batch_size():
    (batch,) = export.symbolic_shape("batch")
    kernel = jnp.ones((3, 3, 2, 4))
    run = jax.jit(lambda x: conv_block(x, kernel, pool=2))
    exported = export.export(run, platforms=["cpu", "cuda"])(jax.ShapeDtypeStruct((batch, 8, 8, 2), jnp.float32))
    if jax.default_backend() == "cpu":
        x = jnp.arange(3 * 8 * 8 * 2, dtype=jnp.float32).reshape(3, 8, 8, 2)
        np.testing.assert_allclose(exported.call(x), run(x), rtol=1e-6)
