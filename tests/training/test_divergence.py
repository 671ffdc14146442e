"""A loss that becomes infinite or NaN: where a run stops, and which state and history it leaves."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.data import Arrays, Stream
from seqvision.training import (
    EarlyStopping,
    NonFiniteLossError,
    create_state,
    fit,
    make_eval_step,
    make_run,
    make_train_step,
)

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = X[:, :1] + 1
BATCHES = 3
SGD = optax.sgd(0.05)


class Trap(nn.Module):
    """A linear model that gives NaN for good from its n-th call on, in training, by a weight that counts."""

    calls: int
    value: float = np.nan

    @nn.compact
    def __call__(self, x, *, train=False):
        count = self.variable("batch_stats", "count", jnp.zeros, ())
        y = nn.Dense(1)(x)
        if train and not self.is_initializing():
            y = jnp.where(count.value >= self.calls, self.value, y)
            count.value += 1
        return y


def data_of(kind, x=X, y=Y):
    return Arrays(x, y) if kind == "device" else Stream(x, y)


def run(model, data, epochs, optimizer=SGD, **options):
    settings = {"loss": "mse", "batch_size": 8, "key": KEY, "progress": False, "compilation_cache": False, **options}
    return fit(model, data, optimizer=optimizer, epochs=epochs, **settings)


def stopped(*args, **options):
    with pytest.raises(NonFiniteLossError) as stop:
        run(*args, **options)
    return stop.value


@pytest.mark.parametrize(
    ("calls", "kind", "value"),
    [
        (0, "device", np.inf),
        (1, "stream", np.nan),
        (3, "stream", np.inf),
        (3, "device", np.nan),
        (122, "device", np.inf),
    ],
)
def test_the_batch_is_named_and_whole_epochs_are_kept(calls, kind, value):
    error = stopped(Trap(calls, value), data_of(kind), 60)  # on the device in chunks of three epochs
    epoch, batch = divmod(calls, BATCHES)
    assert (error.epoch, error.batch, error.step) == (epoch + 1, batch + 1, calls)
    assert f"at batch {batch + 1} of epoch {epoch + 1} (step {calls})" in str(error)
    assert error.fit.history["loss"].shape == (epoch,)
    # The last state whose loss was finite at the start of an epoch.
    good = max(0, epoch - (batch == 0)) * BATCHES
    assert int(error.fit.state.step) == good
    if good:
        free = run(Trap(10**6), data_of(kind), good // BATCHES)
        chex.assert_trees_all_close(error.fit.state.params, free.state.params, rtol=1e-5)
        np.testing.assert_allclose(error.fit.history["loss"][: good // BATCHES], free.history["loss"], rtol=1e-5)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(error.fit.state.params))


@pytest.mark.parametrize("kind", ["device", "stream"])
@pytest.mark.parametrize("batch_size", [8, 24])
def test_weights_that_one_huge_step_made_are_not_the_good_ones(kind, batch_size):
    error = stopped(nn.Dense(1), data_of(kind), 40, optimizer=optax.sgd(1e30), batch_size=batch_size)
    assert max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(error.fit.state.params)) < 10
    # One batch an epoch: the first epoch's loss is finite, the weights after it are the huge ones.
    assert len(error.fit.history["loss"]) == (batch_size == 24)


def test_a_run_goes_on_from_what_was_kept():
    error = stopped(nn.Dense(1), data_of("device"), 9, optimizer=optax.sgd(1e30))
    again = run(nn.Dense(1), data_of("device"), 3, state=error.fit.state.replace(tx=SGD, opt_state=SGD.init(None)))
    assert np.isfinite(again.history["loss"]).all()


@pytest.mark.parametrize("kinds", [("device", "device"), ("device", "stream"), ("stream", "device")])
def test_a_loss_of_validation_data_counts(kinds):
    other = X.copy()
    other[3, 1] = 1e30
    error = stopped(nn.Dense(1), data_of(kinds[0]), 4, validation=data_of(kinds[1], other))
    assert (error.epoch, error.batch, error.step) == (1, None, BATCHES)
    assert "the validation data after epoch 1" in str(error)
    assert len(error.fit.history["val_loss"]) == 0


@pytest.mark.parametrize("monitor", ["loss", "val_loss"])
def test_early_stopping_keeps_the_best_weights_that_were_proved(monitor):
    data = data_of("device")
    error = stopped(Trap(4 * BATCHES), data, 20, validation=data, stopping=EarlyStopping(monitor, patience=9))
    proved = 4 if monitor == "val_loss" else 3  # epochs after which the weights were seen to work
    free = run(Trap(10**6), data, proved)
    chex.assert_trees_all_close(error.fit.state.params, free.state.params, rtol=1e-5)
    assert len(error.fit.history["val_loss"]) == 4


def test_members_of_a_pure_run_stop_each_by_itself():
    data = Arrays(X, Y)
    pure = make_run(make_train_step("mse"), epochs=5, batch_size=8, evaluate=make_eval_step("mse"))
    states = jax.vmap(lambda key: create_state(nn.Dense(1), SGD, key, X[:1]))(jax.random.split(KEY, 2))
    states = states.replace(params=jax.tree.map(lambda a: a.at[1].multiply(1e25), states.params))
    done, history = jax.jit(jax.vmap(pure, in_axes=(0, None, None)))(states, data, data)
    assert np.isfinite(history["loss"][0]).all()
    assert np.isnan(history["loss"][1]).all()
    assert int(done.step[0]) == 5 * BATCHES
    assert int(done.step[1]) == 0
    alone = jax.jit(pure)(jax.tree.map(lambda a: a[0], states), data, data)[0]
    np.testing.assert_allclose(done.params["kernel"][0], alone.params["kernel"], rtol=1e-5)


def test_a_metric_may_be_what_it_likes_and_one_program_serves():
    traces = []

    def odd(outputs, targets):
        traces.append(None)
        return jnp.full(outputs.shape[0], jnp.inf)

    result = run(nn.Dense(1), data_of("device"), 40, metrics={"odd": odd, "odd_loss": odd})
    assert np.isinf(result.history["odd"]).all()
    assert result.history["odd_loss"].shape == (40,)
    seen = len(traces)
    run(nn.Dense(1), data_of("device"), 40, metrics={"odd": odd, "odd_loss": odd})
    assert len(traces) <= seen + 2  # the shapes are looked at again, nothing is compiled
