"""Early stopping: when it ends, which weights come back, and that both ways of execution agree."""

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
    average_weights,
    averaged,
    create_state,
    fit,
    make_eval_step,
    make_run,
    make_train_step,
)

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
TRAIN, OTHER = Arrays(X[:16], X[:16, :1]), Arrays(X[16:], -X[16:, :1])  # the better on one, the worse on the other
FIT = {"loss": "mse", "batch_size": 8, "key": KEY, "progress": False, "compilation_cache": False}
SLOW = optax.sgd(1e-2)


def stops(values, stopping):
    """Return (epochs run, best epoch) by going through the values one by one."""
    best, at, bad = np.inf, None, 0
    for epoch, value in enumerate(values):
        value = -value if stopping.highest else value
        if value < best - stopping.min_delta:
            best, at, bad = value, epoch, 0
        else:
            bad += 1
        if bad >= stopping.patience:
            return epoch + 1, at
    return len(values), at


@pytest.mark.parametrize("epochs", [12, 60])  # chunks of one epoch, and of three
@pytest.mark.parametrize("data", [TRAIN, Stream(TRAIN.x, TRAIN.y)], ids=["on the device", "streamed"])
def test_training_ends_when_patience_is_spent_and_the_best_weights_come_back(data, epochs):
    stopping = EarlyStopping(patience=4)
    # A step size that grows, up to a bound, makes the loss on the training rows fall, and rise again.
    rule = optax.sgd(optax.exponential_decay(1e-2, 1, 1.3, end_value=0.5))
    every = fit(nn.Dense(1), data, optimizer=rule, epochs=epochs, validation=data, **FIT)
    ran, best = stops(every.history["val_loss"], stopping)
    assert ran > 4
    stopped = fit(nn.Dense(1), data, optimizer=rule, epochs=epochs, validation=data, stopping=stopping, **FIT)
    assert stopped.history["loss"].shape == (ran,)
    chex.assert_trees_all_equal(stopped.history, {name: values[:ran] for name, values in every.history.items()})
    until_best = fit(nn.Dense(1), data, optimizer=rule, epochs=best + 1, validation=data, **FIT)
    chex.assert_trees_all_equal(stopped.state.params, until_best.state.params)


def test_a_pure_run_stops_for_each_member_by_itself():
    stopping = EarlyStopping(patience=2)
    run = make_run(make_train_step("mse"), epochs=9, batch_size=8, evaluate=make_eval_step("mse"), stopping=stopping)
    free = make_run(make_train_step("mse"), epochs=9, batch_size=8, evaluate=make_eval_step("mse"))
    # The first member's validation loss rises from the start, the second's falls to the end.
    states = jax.vmap(lambda key: create_state(nn.Dense(1), SLOW, key, X[:1]))(jax.random.split(KEY, 2))
    others = Arrays(np.stack([OTHER.x, TRAIN.x[:8]]), np.stack([OTHER.y, TRAIN.y[:8]]))
    done, history = jax.jit(jax.vmap(run, in_axes=(0, None, 0)))(states, TRAIN, others)
    final, whole = jax.jit(jax.vmap(free, in_axes=(0, None, 0)))(states, TRAIN, others)
    values = np.asarray(history["val_loss"])
    for member in range(2):
        ran, _ = stops(np.asarray(whole["val_loss"][member]), stopping)
        assert np.isfinite(values[member, :ran]).all()
        assert np.isnan(values[member, ran:]).all()
        np.testing.assert_allclose(values[member, :ran], whole["val_loss"][member, :ran], rtol=1e-5)
    assert np.isnan(values[0]).any()
    assert not np.isnan(values[1]).any()
    np.testing.assert_allclose(done.params["kernel"][1], final.params["kernel"][1], rtol=1e-5)


def test_more_can_be_better_and_small_steps_may_not_count():
    accurate = EarlyStopping("val_accuracy", patience=1, highest=True)
    data = Arrays(X[:16], (X[:16, 0] > 0).astype(np.int32))
    result = fit(
        nn.Dense(2),
        data,
        optimizer=SLOW,
        epochs=5,
        metrics={"accuracy"},
        validation=data,
        stopping=accurate,
        **{**FIT, "loss": "cross_entropy"},
    )
    ran, _ = stops(result.history["val_accuracy"], accurate)
    assert len(result.history["loss"]) == ran
    picky = EarlyStopping("loss", patience=2, min_delta=1e3)
    assert len(fit(nn.Dense(1), TRAIN, optimizer=SLOW, epochs=9, stopping=picky, **FIT).history["loss"]) == 3


def test_a_loss_that_is_never_a_number_stops_and_keeps_the_first_weights():
    def nothing(outputs, targets):
        return jnp.full(outputs.shape[0], jnp.nan) + 0 * outputs[:, 0]

    state = create_state(nn.Dense(1), SLOW, KEY, X[:1])
    args = {**FIT, "loss": nothing, "optimizer": SLOW, "epochs": 9, "state": state}
    with pytest.raises(NonFiniteLossError, match=r"batch 1 of epoch 1 \(step 0\)") as stop:
        fit(nn.Dense(1), TRAIN, stopping=EarlyStopping("loss", patience=3), **args)
    assert len(stop.value.fit.history["loss"]) == 0
    chex.assert_trees_all_equal(stop.value.fit.state.params, state.params)


def test_what_cannot_be_watched_is_refused():
    with pytest.raises(ValueError, match=r"one of loss, got 'val_loss': give validation data"):
        fit(nn.Dense(1), TRAIN, optimizer=SLOW, epochs=2, stopping=EarlyStopping(), **FIT)
    with pytest.raises(ValueError, match=r"one of loss, val_loss, got 'accuracy'"):
        fit(nn.Dense(1), TRAIN, optimizer=SLOW, epochs=2, validation=TRAIN, stopping=EarlyStopping("accuracy"), **FIT)
    with pytest.raises(ValueError, match="patience must be an int >= 1"):
        EarlyStopping(patience=0)
    with pytest.raises(ValueError, match="min_delta must be a number >= 0"):
        EarlyStopping(min_delta=-1)


def test_what_is_watched_and_comes_back_is_the_average_where_there_is_one():
    """The best epoch's average comes back: evaluated again it has the loss that the history says."""
    rule = average_weights(optax.sgd(optax.exponential_decay(1e-2, 1, 1.3, end_value=0.5)), 0.9)
    stopping = EarlyStopping(patience=4)
    done = fit(nn.Dense(1), TRAIN, optimizer=rule, epochs=60, validation=TRAIN, stopping=stopping, **FIT)
    best = np.nanargmin(done.history["val_loss"])
    assert best < len(done.history["val_loss"]) - 1
    outputs = nn.Dense(1).apply({"params": done.state.params}, TRAIN.x)
    np.testing.assert_allclose(np.mean((outputs - TRAIN.y) ** 2), done.history["val_loss"][best], rtol=1e-5)
    chex.assert_trees_all_equal(averaged(done.state).params, done.state.params)
    plain = fit(nn.Dense(1), TRAIN, optimizer=rule, epochs=best + 1, validation=TRAIN, **FIT)
    chex.assert_trees_all_close(averaged(plain.state).params, done.state.params, rtol=1e-5)
    assert not np.allclose(plain.state.params["kernel"], done.state.params["kernel"], rtol=1e-3)
