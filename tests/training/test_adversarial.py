"""The alternating steps of a generator and a discriminator, by hand and in whole runs."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.data import Arrays, Batch
from seqvision.models import DCGANDiscriminator, DCGANGenerator, digit_gan
from seqvision.training import make_run
from seqvision.training.adversarial import (
    AdversarialState,
    create_adversarial_state,
    generate_samples,
    make_adversarial_step,
)

FAST = {"xla_backend_optimization_level": 0}  # compiles in half the time


class Linear(nn.Module):
    """Logits (B,) that are linear in x and its square."""

    squares: bool = False

    @nn.compact
    def __call__(self, x):
        x = jnp.concatenate([x, jnp.square(x)], axis=-1) if self.squares else x
        return nn.Dense(1, use_bias=self.squares)(x)[:, 0]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
def test_one_step_by_hand(smoothing):
    rate, latent = 0.5, 2
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    models = nn.Dense(3, use_bias=False), Linear()
    state = create_adversarial_state(*models, optax.sgd(rate), jax.random.key(0), x, latent=latent)
    after, metrics = make_adversarial_step(latent, smoothing=smoothing)(state, Batch(x, None))
    noise_key = jax.random.fold_in(jax.random.fold_in(state.key, 0), 0xA0)
    z = np.asarray(jax.random.normal(noise_key, (4, latent)), np.float64)
    g = np.asarray(state.generator.params["kernel"], np.float64)
    d = np.asarray(state.discriminator.params["Dense_0"]["kernel"], np.float64)
    real, fake = x @ d, z @ g @ d
    target = 1 - smoothing
    loss = -np.mean(target * np.log(sigmoid(real)) + (1 - target) * np.log(sigmoid(-real)))
    np.testing.assert_allclose(metrics["discriminator_loss"], loss - np.mean(np.log(sigmoid(-fake))), rtol=1e-5)
    np.testing.assert_allclose(metrics["real_right"], np.mean(real > 0))
    np.testing.assert_allclose(metrics["made_right"], np.mean(fake <= 0))
    d_new = d - rate * (x.T @ (sigmoid(real) - target) + (z @ g).T @ sigmoid(fake)) / 4
    np.testing.assert_allclose(after.discriminator.params["Dense_0"]["kernel"], d_new, rtol=1e-5)
    fake = z @ g @ d_new  # the generator is judged by the new discriminator
    np.testing.assert_allclose(metrics["generator_loss"], -np.mean(np.log(sigmoid(fake))), rtol=1e-5)
    g_new = g - rate * z.T @ ((sigmoid(fake) - 1) @ d_new.T) / 4
    np.testing.assert_allclose(after.generator.params["kernel"], g_new, rtol=1e-5)


def test_a_line_learns_where_numbers_lie():
    x = np.random.default_rng(0).normal(3.0, 0.5, size=(1000, 1)).astype(np.float32)
    state = create_adversarial_state(
        nn.Dense(1), Linear(squares=True), optax.adam(0.02, b1=0.5), jax.random.key(0), x[:1], latent=1
    )
    run = make_run(make_adversarial_step(1), epochs=100, batch_size=100)
    state, history = jax.jit(run)(state, Arrays(x))
    made = np.asarray(generate_samples(state, jax.random.normal(jax.random.key(1), (1000, 1))))
    assert abs(made.mean() - 3) < 0.3  # how far apart they lie, a line and a parabola do not agree on
    assert history["generator_loss"].shape == (100,)


def test_a_run_is_its_steps_and_carries_batch_statistics():
    x = np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype(np.float32)
    models = DCGANGenerator((4,), start=2, outputs=1), DCGANDiscriminator((4, 6))
    start = create_adversarial_state(*models, optax.sgd(1e-2), jax.random.key(0), x[:1], latent=3)
    step = make_adversarial_step(3)
    run = make_run(step, epochs=1, batch_size=3, shuffle=False)
    whole, _ = jax.jit(run, compiler_options=FAST)(start, Arrays(x))
    state, jitted = start, jax.jit(step, compiler_options=FAST)
    for rows in (x[:3], x[3:]):
        state, _ = jitted(state, Batch(jnp.asarray(rows), None))
    assert isinstance(whole, AdversarialState)
    assert int(whole.step) == 2
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(state), strict=True):
        a, b = (jax.random.key_data(k) if jnp.issubdtype(k.dtype, jax.dtypes.prng_key) else k for k in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    for before, after in zip(start, whole, strict=True):
        moved = jax.tree.map(lambda a, b: bool(np.any(a != b)), before.batch_stats, after.batch_stats)
        assert jax.tree.leaves(moved)
        assert all(jax.tree.leaves(moved))


def test_sizes_of_the_small_pair():
    generator, discriminator = digit_gan((8, 4), outputs=3)
    images, _ = jax.eval_shape(generator.init_with_output, jax.random.key(0), jnp.ones((2, 5)))
    assert images.shape == (2, 28, 28, 3)
    logits, _ = jax.eval_shape(discriminator.init_with_output, jax.random.key(0), images)
    assert logits.shape == (2,)
    with pytest.raises(ValueError, match=r"noise must be \(B, Z\), got \(2, 1, 1, 5\)"):
        generator.init(jax.random.key(0), jnp.ones((2, 1, 1, 5)))


@pytest.mark.parametrize(("latent", "smoothing"), [(0, 0.0), (4, 1.0)])
def test_bad_settings_are_refused(latent, smoothing):
    with pytest.raises(ValueError, match=r"(latent|smoothing) must be"):
        make_adversarial_step(latent, smoothing=smoothing)
