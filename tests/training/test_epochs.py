"""Epochs with one copy of the step, whose last batch is filled up, against two copies; programs that data share."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.cells import LSTM
from seqvision.data import Arrays, Batch, WeightedBatch, Windows
from seqvision.models import MLP, ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import (
    EarlyStopping,
    NonFiniteLossError,
    WeightPenalty,
    create_state,
    fit,
    make_eval_step,
    make_run,
    make_train_step,
)
from seqvision.training.divergence import start_guard
from seqvision.training.epochs import make_epochs
from seqvision.training.losses import squared_error
from seqvision.training.orders import epoch_order
from seqvision.training.plans import roomy
from seqvision.training.step import forward

OPTIMIZER = optax.adam(1e-2)
FIT = {"optimizer": OPTIMIZER, "progress": False, "compilation_cache": False}
SERIES = np.random.default_rng(0).normal(size=(80, 2)).astype(np.float32)


def network(dropout=0.0):
    return Recurrent((LSTM(3),), dropout=dropout, head=RegressionHead(targets=2))


def pictures(n):
    rng = np.random.default_rng(1)
    return Arrays(rng.random((n, 6, 6, 1), np.float32), rng.integers(0, 3, n))


CASES = {
    "windows": (network(), Windows(SERIES[:35], 6), "mse", {"mae"}, {}),
    "dropout": (network(dropout=0.4), Windows(SERIES[:35], 6), "huber", None, {"penalty": WeightPenalty(l2=1e-2)}),
    "pictures": (ConvNet((4,), dense=(), head=ClassificationHead(3)), pictures(29), "cross_entropy", {"accuracy"}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_batch_that_is_filled_up_is_the_smaller_batch(case):
    model, data, loss, metrics, options = CASES[case]
    step, evaluate = make_train_step(loss, metrics, **options), make_eval_step(loss, metrics)
    state = create_state(model, OPTIMIZER, jax.random.key(2), data.gather(jnp.arange(1)).x)
    filled = jax.jit(make_epochs(step, 3, 8, evaluate=evaluate, fill=True, fill_validation=True))
    last, _, guard, history = filled(state, None, start_guard(state), data, data)
    expected, means = jax.jit(make_run(step, epochs=3, batch_size=8, evaluate=evaluate))(state, data, data)
    assert int(guard.epochs) == 3
    close(last.params, expected.params)
    close(history, means)
    for epoch in range(3):  # and one by one
        order, losses = epoch_order(state.key, state.step, len(data), 8), []
        for rows in np.split(np.asarray(order), range(8, len(data), 8)):
            state, measured = step(state, data.gather(rows))
            losses.append(float(measured["loss"]) * len(rows))
        np.testing.assert_allclose(history["loss"][epoch], sum(losses) / len(data), rtol=1e-4)
    close(last.params, state.params)


def close(one, other):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-6), one, other)


@pytest.mark.parametrize("case", CASES)
def test_fit_equals_the_run_of_two_copies(case):
    model, data, loss, metrics, options = CASES[case]
    done = fit(
        model, data, loss=loss, metrics=metrics, epochs=3, batch_size=8, key=2, validation=data, **options, **FIT
    )
    state = create_state(model, OPTIMIZER, jax.random.key(2), data.gather(jnp.arange(1)).x)
    step, evaluate = make_train_step(loss, metrics, **options), make_eval_step(loss, metrics)
    expected, means = jax.jit(make_run(step, epochs=3, batch_size=8, evaluate=evaluate))(state, data, data)
    close(done.state.params, expected.params)
    close(done.history, means)


def copies(jaxpr):
    """Count the places in which a step with its gradient is called, loops counting once."""
    here = 0
    for eqn in jaxpr.eqns:
        if eqn.params.get("name") == "take":
            here += 1
            continue
        for part in jax.tree.leaves(list(eqn.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            inner = getattr(part, "jaxpr", part)
            here += copies(inner) if hasattr(inner, "eqns") else 0
    return here


@pytest.mark.parametrize(("fill", "rows", "expected"), [(True, 35, 1), (False, 35, 2), (False, 38, 1)])
def test_there_is_one_copy_of_the_step_where_batches_are_filled_up(fill, rows, expected):
    data = Windows(SERIES[:rows], 6)  # 29 windows, or 32
    state = create_state(network(), OPTIMIZER, jax.random.key(0), data.gather(jnp.arange(1)).x)
    several = make_epochs(make_train_step("mse"), 2, 8, fill=fill)
    assert copies(jax.make_jaxpr(several)(state, None, start_guard(state), data, None).jaxpr) == expected


class Compiled:
    """Counts the programs that are traced to be compiled, and compiled, inside."""

    def __enter__(self):
        self.programs = 0
        jax.monitoring.register_event_duration_secs_listener(self._count)
        return self

    def _count(self, event, _, **__):
        self.programs += event == "/jax/core/compile/backend_compile_duration"

    def __exit__(self, *_):
        jax.monitoring.unregister_event_duration_listener(self._count)


@pytest.mark.parametrize("stopping", [None, EarlyStopping(patience=2)])
def test_data_of_other_sizes_share_one_program_and_train_as_by_themselves(stopping):
    model, args = network(), {"loss": "mse", "epochs": 2, "batch_size": 8, "stopping": stopping, **FIT}
    fit(model, Windows(SERIES[:60], 6), validation=Windows(SERIES[:30], 6), key=0, **args)
    for rows in (40, 51, 80):
        data, validation = Windows(SERIES[:rows], 6), Windows(SERIES[rows - 20 :], 6)
        with Compiled() as compiled:
            done = fit(network(), data, validation=validation, key=rows, **args)
        assert compiled.programs == 0, "origins, folds and seeds compile nothing"
        assert int(done.state.step) == 2 * -(-len(data) // 8)
    state = create_state(model, OPTIMIZER, jax.random.key(rows), data.gather(jnp.arange(1)).x)
    step, evaluate = make_train_step("mse"), make_eval_step("mse")
    run = make_run(step, epochs=2, batch_size=8, evaluate=evaluate, stopping=stopping)
    expected, history = jax.jit(run)(state, data, validation)
    close(done.state.params, expected.params)
    close(done.history, history)


def test_room_is_made_for_small_data_alone():
    data, examples = roomy(Windows(SERIES, 6))
    assert len(data) == 1024
    assert int(examples) == 74
    np.testing.assert_array_equal(data.series[:80], SERIES)
    large = Arrays(np.zeros((2000, 1000), np.float32), np.zeros(2000))
    assert roomy(large) == (large, None)

    class Theirs(Arrays):
        """What a user's own data set does with rows behind its own is not known."""

    theirs = Theirs(SERIES, SERIES)
    assert roomy(theirs) == (theirs, None)


def test_a_loss_that_mixes_the_examples_of_a_batch_sees_no_rows_that_fill_up():
    def mixing(outputs, targets):
        errors = squared_error(outputs, targets)
        return errors / (1 + errors.max())

    data = Windows(SERIES[:35], 6)
    done = fit(network(), data, loss=mixing, epochs=2, batch_size=8, key=2, **FIT)
    state = create_state(network(), OPTIMIZER, jax.random.key(2), data.gather(jnp.arange(1)).x)
    expected, _ = jax.jit(make_run(make_train_step(mixing), epochs=2, batch_size=8))(state, data)
    close(done.state.params, expected.params)


@pytest.mark.parametrize("row", [3, 28])
def test_the_batch_of_a_loss_that_is_not_finite_is_named(row):
    x, y = np.ones((29, 3), np.float32), np.zeros((29, 1), np.float32)
    x[row] = 1e30
    with pytest.raises(NonFiniteLossError) as told:
        fit(nn.Dense(1), (x, y), loss="mse", epochs=2, batch_size=8, key=0, shuffle=False, **FIT)
    assert (told.value.epoch, told.value.batch) == (1, row // 8 + 1)


def test_weights_of_a_batch_are_those_of_loss_gradient_and_metrics():
    x = jax.random.normal(jax.random.key(0), (6, 3))
    batch = WeightedBatch(x, x[:, :1], jnp.array([1.0, 0.0, 2.0, 0.5, 0.0, 3.0]))
    state = create_state(MLP((4,), head=nn.Dense(1)), optax.sgd(0.1), jax.random.key(1), x)

    def loss(params):
        errors = jnp.square(forward(state.replace(params=params), x) - batch.y)[:, 0]
        return (batch.weights * errors).sum() / batch.weights.sum()

    for micro_batch in (None, 2, 4):
        new, metrics = make_train_step("mse", {"mae"}, micro_batch=micro_batch)(state, batch)
        close(new.params, jax.tree.map(lambda p, g: p - 0.1 * g, state.params, jax.grad(loss)(state.params)))
        np.testing.assert_allclose(metrics["loss"], loss(state.params), rtol=1e-6)
    close(make_eval_step("mse", {"mae"})(state, batch), metrics)


def test_what_has_no_weight_counts_nothing():
    x = jnp.ones((3, 2)).at[1].set(jnp.nan)
    state = create_state(nn.Dense(1), optax.sgd(0.1), jax.random.key(1), x)
    weights = jnp.array([1.0, 0.0, 1.0])
    evaluated = make_eval_step("mse")(state, WeightedBatch(x, jnp.zeros((3, 1)), weights))
    np.testing.assert_allclose(
        evaluated["loss"], make_eval_step("mse")(state, Batch(x[::2], jnp.zeros((2, 1))))["loss"], rtol=1e-6
    )
    assert float(make_eval_step("mse")(state, WeightedBatch(x, jnp.zeros((3, 1)), 0 * weights))["loss"]) == 0
