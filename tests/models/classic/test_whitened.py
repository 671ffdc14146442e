"""The network of the CIFAR-10 speed records: its whitening filters, its start from the identity, what trains."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.conv import conv
from seqvision.models import WhitenedConvNet, whitening_kernel
from seqvision.models.classic.whitened import start_from_identity


def correlated_images(n=200, side=8):
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(n, side + 1, side + 1, 3))
    mixed = (smooth[:, 1:, 1:] + smooth[:, :-1, 1:] + smooth[:, 1:, :-1]) @ rng.normal(size=(3, 3))
    return mixed.astype(np.float32)


def test_whitened_answers_are_uncorrelated_and_of_variance_one():
    images = correlated_images()
    answers = np.asarray(conv(images, whitening_kernel(images, epsilon=0.0), padding="valid"), np.float64)
    half = answers[..., :12].reshape(-1, 12)
    np.testing.assert_allclose(half.T @ half / len(half), np.eye(12), atol=2e-4)
    np.testing.assert_allclose(answers[..., 12:], -answers[..., :12], atol=1e-5)


def test_the_strongest_pattern_comes_first_and_faint_ones_are_held_back():
    images = correlated_images() * np.float32(1e-3)
    kernel = whitening_kernel(images, epsilon=1.0).reshape(12, 24)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1.0, atol=1e-3)  # the eigenvalues are far below epsilon
    answers = np.asarray(conv(images, kernel.reshape(2, 2, 3, 24), padding="valid"))
    variances = np.square(answers[..., :12]).mean(axis=(0, 1, 2))
    assert (np.diff(variances) <= 1e-12).all()


@pytest.mark.parametrize("shape", [(8, 8, 3), (0, 8, 8, 3), (4, 1, 8, 3)])
def test_whitening_needs_a_batch_of_images(shape):
    with pytest.raises(ValueError, match="whitening_kernel: images must be"):
        whitening_kernel(np.zeros(shape, np.float32))


@pytest.mark.parametrize(("c_in", "c_out"), [(3, 8), (4, 4), (6, 2)])
def test_a_kernel_that_starts_from_the_identity_passes_its_input_on(c_in, c_out):
    kernel = start_from_identity(jax.random.key(0), (3, 3, c_in, c_out))
    x = jax.random.normal(jax.random.key(1), (2, 5, 5, c_in))
    same = min(c_in, c_out)
    np.testing.assert_allclose(conv(x, kernel)[..., :same], x[..., :same], rtol=1e-6)
    rest = kernel[..., same:]
    assert rest.size == 0 or 0 < jnp.abs(rest).max() <= 1 / np.sqrt(9 * c_in)


def test_forward_and_backward():
    model = WhitenedConvNet((4, 8, 8), num_classes=5)
    x = jax.random.normal(jax.random.key(0), (6, 32, 32, 3))
    variables = model.init(jax.random.key(1), x)
    y = jnp.arange(6) % 5

    def loss(params):
        logits, updated = model.apply({**variables, "params": params}, x, train=True, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), (logits, updated)

    (_, (logits, updated)), gradient = jax.value_and_grad(loss, has_aux=True)(variables["params"])
    assert logits.shape == (6, 5)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert float(jnp.abs(gradient["head"]["kernel"]).max()) > 0
    assert float(jnp.abs(updated["batch_stats"]["norm3_2"]["mean"]).max()) > 0
