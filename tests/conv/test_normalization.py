"""Sums over pixels and batch normalization, against NumPy and flax."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import export
from jax.test_util import check_grads

from seqvision.conv import batch_norm, channel_sums, per_channel
from seqvision.models import BatchNorm


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 7, 6, 5), (4100, 3)])
def test_sums_and_their_transpose(shape):
    x, weights = normal(*shape), normal(shape[-1], seed=1)
    sums, pull = jax.vjp(jax.jit(channel_sums), x)
    np.testing.assert_allclose(sums, x.astype(np.float64).reshape(-1, shape[-1]).sum(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(pull(weights)[0], np.broadcast_to(weights, shape))
    spread, pull = jax.vjp(jax.jit(lambda w: per_channel(w, shape)), weights)
    np.testing.assert_array_equal(spread, np.broadcast_to(weights, shape))
    np.testing.assert_array_equal(pull(x)[0], sums)


def test_mapped_over_models():
    x = normal(4, 6, 5, 3)
    np.testing.assert_allclose(jax.vmap(channel_sums, 1)(x), x.sum((0, 2)), rtol=1e-5, atol=1e-5)
    spread = jax.vmap(lambda w: per_channel(w, (2, 3)), 1)(x[0, 0].T)
    np.testing.assert_array_equal(spread, np.broadcast_to(x[0, 0][:, None], (5, 2, 3)))


def test_derivatives_of_both_modes_and_of_second_order(x64):
    x, scale, bias = normal(3, 4, 2).astype(float), normal(2).astype(float), normal(2).astype(float)
    check_grads(jax.jit(lambda *a: jnp.sin(batch_norm(*a)[0])), (x, scale, bias), order=2, modes=("fwd", "rev"))


@pytest.mark.parametrize("train", [True, False])
def test_equals_flax(train):
    x = 3 * normal(8, 5, 4, 6) + 2
    layers = [BatchNorm(not train, 0.9, 1e-3), nn.BatchNorm(not train, momentum=0.9, epsilon=1e-3)]
    variables = layers[1].init(jax.random.key(0), x)
    own = layers[0].init(jax.random.key(0), x)
    assert own["batch_stats"].pop("count") == 0
    assert jax.tree.structure(variables) == jax.tree.structure(own)
    weights = {"scale": normal(6), "bias": normal(6, seed=1)}

    def loss(weights, x, layer):
        stats = {"mean": jnp.arange(6.0), "var": jnp.arange(1.0, 7.0)}
        y, new = layer.apply({"params": weights, "batch_stats": stats}, x, mutable=["batch_stats"])
        return jnp.sum(jnp.sin(y)), (y, new)

    run = jax.jit(lambda *a: [jax.value_and_grad(loss, (0, 1), has_aux=True)(*a, layer) for layer in layers])
    ours, theirs = run(weights, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5), ours, theirs)


def test_short_floats_are_summed_in_long_ones():
    x = jnp.full((4096, 1), 0.1, jnp.bfloat16)
    y, mean, var = batch_norm(x, jnp.ones(1), jnp.zeros(1))
    assert (y.dtype, mean.dtype) == (jnp.bfloat16, jnp.float32)
    np.testing.assert_allclose([mean.item(), var.item()], [float(x[0, 0]), 0], atol=1e-6)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="looks at programs compiled for CPU")
@pytest.mark.parametrize("pixels", [1152, 20_000])
def test_sums_are_products_on_cpu_that_no_loop_swallows(pixels):
    x = normal(pixels, 32)
    text = jax.jit(lambda x: channel_sums(jnp.sin(x) * jnp.cos(x))).lower(x).compile().as_text()
    entry = text[text.index("ENTRY") :]
    assert " dot(" in entry or "ynn" in entry


def test_exports_for_any_batch_size_and_platform():
    (batch,) = export.symbolic_shape("batch")
    run = jax.jit(jax.grad(lambda x: jnp.sin(batch_norm(x, jnp.ones(3), jnp.zeros(3))[0]).sum()))
    exported = export.export(run, platforms=["cpu", "cuda", "tpu"])(jax.ShapeDtypeStruct((batch, 4, 3), jnp.float32))
    x = normal(5, 4, 3)
    np.testing.assert_allclose(exported.call(x), run(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.ones((4, 3), int), np.ones(3), np.ones(3)), TypeError, "x has dtype int"),
        ((np.ones((4, 3)), np.ones(4), np.ones(3)), ValueError, r"scale has shape \(4,\).*\(3,\)"),
        ((np.ones((4, 3)), np.ones(3), np.ones((1, 3))), ValueError, "bias has shape"),
    ],
)
def test_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        batch_norm(*arguments)


def test_half_of_the_statistics_is_refused():
    with pytest.raises(ValueError, match="both mean and var"):
        batch_norm(np.ones((4, 3)), np.ones(3), np.ones(3), mean=np.ones(3))


# Mean, standard deviation, and how exact y of unit scale is: a float32 of the mean's size is known to its own rounding.
LARGE_MEANS = [(1000, 1, 5e-4), (-1000, 1, 5e-4), (100, 0.1, 5e-4), (1e4, 1, 5e-3), (1e5, 100, 5e-4), (0, 1e-2, 1e-5)]


def shifted(mean, std, dtype=np.float32):
    noise = np.random.default_rng(0).normal(size=(32, 9, 9, 3))
    noise[0, 0, 0] = -mean / std  # a pixel of 0, as at a padded border
    return (mean + std * noise).astype(dtype)


def in_float64(x, scale, bias, epsilon=1e-5):
    """y, mean, variance, and the gradient of sum(sin(y)) with respect to x, each by its formula."""
    rows = np.asarray(x, np.float64).reshape(-1, x.shape[-1])
    mean, var = rows.mean(0), rows.var(0)
    hat = (rows - mean) / np.sqrt(var + epsilon)
    y = hat * scale + bias
    g = np.cos(y) * scale
    gradient = (g - g.mean(0) - hat * (g * hat).mean(0)) / np.sqrt(var + epsilon)
    return y.reshape(x.shape), mean, var, gradient.reshape(x.shape)


@pytest.mark.parametrize(("mean", "std", "tolerance"), LARGE_MEANS)
def test_a_large_mean_hides_no_small_deviation(mean, std, tolerance):
    x, scale, bias = shifted(mean, std), np.array([1.0, 2.0, -0.5], np.float32), np.array([0.0, 1.0, -1.0], np.float32)
    y, mean_, var, gradient = in_float64(x, scale, bias)

    def loss(x):
        y, mean, var = batch_norm(x, scale, bias)
        return jnp.sin(y).sum(), (y, mean, var)

    found, (f_y, f_mean, f_var) = jax.jit(jax.grad(loss, has_aux=True))(x)
    np.testing.assert_allclose(f_mean, mean_, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(f_var, var, rtol=tolerance)
    np.testing.assert_allclose(f_y, y, atol=tolerance * np.abs(y).max(), rtol=0)
    np.testing.assert_allclose(found, gradient, atol=2 * tolerance * np.abs(gradient).max(), rtol=0)


def test_a_large_mean_in_bfloat16():
    x = jnp.asarray(shifted(100, 4), jnp.bfloat16)
    y, mean, var, _ = in_float64(np.asarray(x.astype(jnp.float32)), 1, 0)
    found, f_mean, f_var = jax.jit(batch_norm)(x, jnp.ones(3), jnp.zeros(3))
    np.testing.assert_allclose(f_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(f_var, var, rtol=1e-5)
    np.testing.assert_allclose(found.astype(jnp.float32), y, rtol=2**-8, atol=1e-4)


def test_equals_torch():
    torch = pytest.importorskip("torch")
    x, scale, bias, weights = shifted(1000, 1), normal(3), normal(3, seed=1), normal(32, 9, 9, 3, seed=2)
    theirs = [torch.tensor(np.asarray(a, np.float64), requires_grad=True) for a in (x, scale, bias)]
    y = torch.nn.functional.batch_norm(theirs[0].permute(0, 3, 1, 2), None, None, *theirs[1:], training=True)
    (y.permute(0, 2, 3, 1) * torch.tensor(weights.astype(np.float64))).sum().backward()
    found = jax.jit(jax.grad(lambda *a: (batch_norm(*a)[0] * weights).sum(), (0, 1, 2)))(x, scale, bias)
    for ours, other in zip(found, theirs, strict=True):
        expected = other.grad.numpy()
        np.testing.assert_allclose(ours, expected, atol=1e-3 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows_and_constant_channels_are_finite(rows):
    x = np.full((rows, 3), 1000.0, np.float32)
    y, pull = jax.vjp(lambda x: batch_norm(x, jnp.ones(3), jnp.ones(3))[0], x)
    np.testing.assert_array_equal(y, np.ones((rows, 3)))
    np.testing.assert_array_equal(pull(jnp.ones_like(y))[0], np.zeros((rows, 3)))
