"""Running statistics of batch norm after whole compiled runs, beside a float64 loop over the batches."""

import jax
import numpy as np
import optax
import pytest

from seqvision.data import Arrays, Stream, load_digits
from seqvision.models import BatchNorm, ConvBlock, ConvNet, ResNet
from seqvision.training import fit, forward

MOMENTUM, EPSILON = 0.8, 1e-3


class Net(ConvBlock):
    """A block whose outputs are averaged, so that a loss takes them."""

    def __call__(self, x, *, train=False):
        return super().__call__(x, train=train).mean(axis=(1, 2))


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, size=shape).astype(np.float32)


def train(model, x, batch_size, optimizer, kind=Arrays, epochs=2):
    data = kind(x, np.zeros((len(x), model.features), np.float32))
    settings = {"epochs": epochs, "batch_size": batch_size, "key": jax.random.key(0)}
    return fit(model, data, loss="mse", optimizer=optimizer, shuffle=False, compilation_cache=False, **settings)


def walk(z, batch_size, epochs):
    """What mean and variance should be after seeing pre-activations z (N, H, W, C) in float64."""
    mean, var, count = 0, 0, 0
    for _ in range(epochs):
        for start in range(0, len(z), batch_size):
            batch = z[start : start + batch_size].reshape(-1, z.shape[-1])
            kept = min(MOMENTUM, count / (count + 10))
            mean, var, count = (
                kept * mean + (1 - kept) * batch.mean(0),
                kept * var + (1 - kept) * batch.var(0),
                count + 1,
            )
    return mean, var


@pytest.mark.parametrize("batch_size", [5, 4], ids=["equal batches", "a smaller last batch"])
@pytest.mark.parametrize("kind", [Arrays, Stream])
def test_running_statistics_are_those_of_every_batch_in_turn(kind, batch_size):
    x = draw(10, 4, 3, 2)
    model = Net(3, (1, 1), batch_norm=True, momentum=MOMENTUM, epsilon=EPSILON)
    state = train(model, x, batch_size, optax.sgd(0.0), kind).state
    kernel = np.asarray(state.params["kernel"], np.float64)[0, 0]
    z = x.astype(np.float64) @ kernel
    mean, var = walk(z, batch_size, epochs=2)
    stats = state.batch_stats["norm"]
    np.testing.assert_allclose(stats["mean"], mean, rtol=1e-5)
    np.testing.assert_allclose(stats["var"], var, rtol=1e-5)
    outputs = np.maximum((z - mean) / np.sqrt(var + EPSILON), 0).mean((1, 2))
    np.testing.assert_allclose(forward(state, x), outputs, rtol=1e-4, atol=1e-5)


def test_accumulated_gradients_leave_one_update_of_the_statistics_for_each_small_batch():
    x = draw(8, 4, 3, 2)
    model = Net(3, (1, 1), batch_norm=True, momentum=MOMENTUM)
    state = train(model, x, 2, optax.MultiSteps(optax.sgd(0.0), 2)).state
    mean, var = walk(x.astype(np.float64) @ np.asarray(state.params["kernel"], np.float64)[0, 0], 2, epochs=2)
    np.testing.assert_allclose(state.batch_stats["norm"]["mean"], mean, rtol=1e-5)
    np.testing.assert_allclose(state.batch_stats["norm"]["var"], var, rtol=1e-5)


def test_statistics_are_taken_before_the_step_that_a_batch_causes():
    x = draw(10, 4, 3, 2)
    model = Net(3, (1, 1), batch_norm=True, momentum=MOMENTUM)
    # One epoch of one batch: the statistics are those of the weights before the step.
    moved, still = (train(model, x, 10, optax.sgd(rate), epochs=1).state for rate in (0.5, 0.0))
    assert not np.allclose(moved.params["kernel"], still.params["kernel"])
    np.testing.assert_array_equal(moved.batch_stats["norm"]["mean"], still.batch_stats["norm"]["mean"])


@pytest.mark.slow
def test_a_residual_network_learns_the_same_from_a_stream_but_for_rounding():
    x, y = draw(7, 8, 8, 1), np.arange(7) % 3
    model, sgd = ResNet((1,), (4,), stem="small", num_classes=3), optax.sgd(0.1, momentum=0.9)
    states = [
        fit(
            model,
            data,
            loss="cross_entropy",
            optimizer=sgd,
            epochs=1,
            batch_size=3,
            key=jax.random.key(0),
            compilation_cache=False,
        ).state
        for data in (Arrays(x, y), Stream(x, y))
    ]
    for a, b in zip(*(jax.tree.leaves((s.params, s.batch_stats)) for s in states), strict=True):
        assert np.linalg.norm(a - b) <= 1e-6 * np.linalg.norm(a)


def test_statistics_are_right_after_one_batch_and_settle_to_the_momentum():
    x = draw(64, 5)
    norm = BatchNorm(False, momentum=0.8)
    variables = norm.init(jax.random.key(0), x)
    _, after = norm.apply(variables, x, mutable=["batch_stats"])
    np.testing.assert_allclose(after["batch_stats"]["mean"], x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(after["batch_stats"]["var"], x.var(0), rtol=1e-5)
    old = {"mean": np.ones(5, np.float32), "var": np.ones(5, np.float32)}
    for stats in (old, old | {"count": np.float32(40)}):  # as flax has them, and as they are after many batches
        _, after = norm.apply(variables | {"batch_stats": stats}, x, mutable=["batch_stats"])
        np.testing.assert_allclose(after["batch_stats"]["mean"], 0.8 + 0.2 * x.mean(0), rtol=1e-5)
        assert set(after["batch_stats"]) == set(stats)


def test_a_momentum_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match=r"BatchNorm: momentum must be .*, got 1\.5"):
        ConvBlock(2, batch_norm=True, momentum=1.5).init(jax.random.key(0), np.ones((1, 4, 4, 1), np.float32))


def test_half_a_hundred_steps_serve_at_inference_as_in_training():
    digits = load_digits()
    rows = np.random.default_rng(0).permutation(len(digits))
    few, others = (Arrays(np.asarray(digits.x)[part], np.asarray(digits.y)[part]) for part in (rows[:160], rows[160:]))
    model = ConvNet((16,), stride=1, pool=(2, 2), batch_norm=True, dropout=0.0, dense=())
    settings = {"loss": "cross_entropy", "metrics": {"accuracy"}, "validation": others, "compilation_cache": False}
    history = fit(
        model, few, optimizer=optax.adam(1e-2), epochs=10, batch_size=32, key=jax.random.key(0), **settings
    ).history
    assert history["accuracy"][-1] > 0.95
    assert history["val_accuracy"][-1] > history["accuracy"][-1] - 0.12
    assert history["val_accuracy"][4] > history["accuracy"][4] - 0.2
