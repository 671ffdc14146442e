"""The recipe of the speed records beside the settings that its source trains with.

Jordan 2024 (https://arxiv.org/abs/2404.00498), the listing: torch.optim.SGD with Nesterov's momentum on the sum of the
losses of a batch, in two groups, and a step size that is a triangle.
"""

import importlib
from dataclasses import fields

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from recipes import speed_record
from recipes.speed_record import SHIFTS, RecordRecipe, train_record

from seqvision.data import Arrays, Batch
from seqvision.models import WhitenedConvNet, whitening_kernel
from seqvision.training import Fit

LR, MOMENTUM, WEIGHT_DECAY, BIAS_SCALER = 11.5, 0.85, 0.0153, 64.0
START, END, PEAK = 0.2, 0.07, 0.23
UPDATES = 100


def published_moves(w, mean_gradients, batch_size, bias=False):
    """What the listing adds to a weight in each update."""
    scale = 1024 * (1 + 1 / (1 - MOMENTUM))  # "kilostep_scale"
    lr = LR / scale * (BIAS_SCALER if bias else 1)
    decay = WEIGHT_DECAY * batch_size / scale / lr
    shares = np.interp(np.arange(UPDATES), [0, PEAK * UPDATES, UPDATES], [START, 1, END])
    moves, buffer = [], 0.0
    for share, mean_gradient in zip(shares, mean_gradients, strict=True):
        gradient = batch_size * mean_gradient + decay * w
        buffer = MOMENTUM * buffer + gradient
        moves.append(-share * lr * (gradient + MOMENTUM * buffer))
        w += moves[-1]
    return moves


@pytest.mark.parametrize("batch_size", [1024, 512])
@pytest.mark.parametrize("start", [1.0, 200.0], ids=["gradients", "decay"])
def test_every_update_is_that_of_the_listing(batch_size, start):
    gradients = np.random.default_rng(0).uniform(0.5, 1.5, UPDATES) / start
    rule = RecordRecipe(epochs=10, batch_size=batch_size).optimizer(10 * batch_size)
    leaf = jnp.array([start])
    params = {"conv1_1": {"kernel": leaf}, "norm1_1": {"bias": leaf, "scale": leaf}, "whiten": {"kernel": leaf}}

    def step(carry, gradient):
        params, state = carry
        gradients = jax.tree.map(lambda p: jnp.full_like(p, gradient), params)
        updates, state = rule.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), updates

    run = jax.jit(lambda params, gradients: jax.lax.scan(step, (params, rule.init(params)), gradients)[1])
    moves = run(params, jnp.asarray(gradients))
    for layer, name in (("conv1_1", "kernel"), ("norm1_1", "bias")):
        expected = np.array(published_moves(start, gradients, batch_size, bias=name == "bias"))
        # A decay of .002 in place of .0153 / 7.67.
        np.testing.assert_allclose(moves[layer][name][:, 0], expected, rtol=5e-3, atol=2e-3 * np.abs(expected).max())
    assert not moves["norm1_1"]["scale"].any()
    assert not moves["whiten"]["kernel"].any()


def test_training_has_the_published_loss_shifts_and_whitening(monkeypatch):
    seen = []

    def record(model, data, **settings):
        seen.append((data, settings))
        return Fit(settings["state"], {"loss": np.zeros(1)}, {"compile": 0.0, "run": 0.0})

    monkeypatch.setattr(speed_record, "fit", record)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5100, 8, 8, 1)).astype(np.float32)
    x[5000:] *= 100  # the listing whitens by the first 5000 images
    recipe = RecordRecipe(epochs=2)
    rule = recipe.optimizer(5100)
    train_record(WhitenedConvNet((1, 1)), Arrays(x, np.zeros(5100, int)), recipe, rule, jax.random.key(0))
    (first, settings), (second, _) = seen
    kernel = settings["state"].params["whiten"]["kernel"]
    np.testing.assert_allclose(kernel, whitening_kernel(x[:5000], 2, 5e-4), rtol=1e-5)
    assert (settings["batch_size"], settings["augment"]) == (512, SHIFTS)
    # flip=True, by turns: half of the images first, the other half in the next epoch.
    turned = np.array([not np.array_equal(a, b) for a, b in zip(first.x, x, strict=True)])
    assert 0.45 < turned.mean() < 0.55
    np.testing.assert_array_equal(second.x[turned], x[turned])
    np.testing.assert_array_equal(second.x[~turned], x[~turned][:, :, ::-1])
    # label_smoothing=0.2, of ten classes.
    logits = jnp.arange(10.0)[None]
    logs = np.arange(10) - np.log(np.exp(np.arange(10)).sum())
    expected = -(0.8 * logs[3] + 0.02 * logs.sum())
    np.testing.assert_allclose(settings["loss"](logits, jnp.array([3])), [expected], rtol=1e-5)


def test_images_move_by_up_to_two_pixels_over_a_mirrored_edge():
    # translate=2: padded by two reflected pixels, then cropped anywhere.
    image = np.arange(64.0, dtype=np.float32).reshape(1, 8, 8, 1)
    padded = np.pad(image[0, :, :, 0], 2, mode="reflect")
    possible = [padded[i : i + 8, j : j + 8] for i in range(5) for j in range(5)]
    batch = Batch(jnp.asarray(np.repeat(image, 400, axis=0)), jnp.zeros(400))
    found = np.asarray(jax.jit(SHIFTS)(jax.random.key(0), batch).x)[..., 0]
    which = {next(k for k, crop in enumerate(possible) if np.array_equal(crop, one)) for one in found}
    assert which == set(range(25))


def test_the_experiment_trains_by_the_recipe():
    config = importlib.import_module("experiments.cifar_record").Config()
    recipe = RecordRecipe()
    for field in fields(recipe):
        if field.name != "compute_dtype":
            assert getattr(config, field.name) == getattr(recipe, field.name), field.name
    # Widths of 64, 256 and 256 channels.
    assert config.channels == WhitenedConvNet().channels == (64, 256, 256)
