"""The train step, the run and the shell around them."""

import sys
from pathlib import Path

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export

from seqvision import training
from seqvision._compilation import Program
from seqvision.cells import GRU, LSTM, Elman
from seqvision.data import Arrays, Batch, Stream, Windows
from seqvision.models import MLP, Anchored, ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import EarlyStopping, create_state, fit, make_eval_step, make_run, make_train_step, predict

OPTIMIZER = optax.adam(1e-2)
FIT = {"optimizer": OPTIMIZER, "progress": False, "compilation_cache": False}


def images(n=22, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return Arrays(rng.random((n, 8, 8, 1), np.float32), rng.integers(0, classes, n))


def windows(n=40, columns=1, length=6, seed=0):
    return Windows(np.random.default_rng(seed).normal(size=(n, columns)), length)


class Theirs(nn.Module):
    """A module of a user's own: no ``train`` argument, a list among its fields."""

    sizes: list

    @nn.compact
    def __call__(self, x):
        x = x.reshape(x.shape[0], -1)
        for size in self.sizes:
            x = nn.tanh(nn.Dense(size)(x))
        return nn.Dense(1)(x)[:, None, :]


SMALL_NET = ConvNet((4, 4), batch_norm=True, dropout=0.3, dense=(8,), head=ClassificationHead(3))
CASES = {
    "windows": (Recurrent((LSTM(3), GRU(2)), dropout=0.2), windows(), "mse", {"mae"}),
    "images": (SMALL_NET, images(), "cross_entropy", {"accuracy"}),
    "pooled images": (
        ConvNet((4,), stride=1, padding="same", pool=(2, 2), dense=(), head=ClassificationHead(3)),
        images(),
        "cross_entropy",
        None,
    ),
    "theirs": (Theirs([4]), windows(), "huber", None),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_program_gives_the_same_bits_and_a_plain_tuple(case):
    model, data, loss, metrics = CASES[case]
    args = {"loss": loss, "metrics": metrics, "epochs": 3, "batch_size": 8, "key": jax.random.key(1), **FIT}
    state, history, seconds = fit(model, data, validation=data, **args)
    again = fit(model, data, validation=data, **args)
    chex.assert_trees_all_equal(state.params, again.state.params)
    chex.assert_trees_all_equal(state.batch_stats, again.state.batch_stats)
    chex.assert_trees_all_equal(history, again.history)
    assert sorted(history) == sorted(name + entry for name in ("", "val_") for entry in ("loss", *(metrics or ())))
    assert history["loss"].shape == (3,)
    assert set(seconds) == {"compile", "run"}
    assert seconds["compile"] > 0
    assert type(again)._fields == ("state", "history", "seconds")


class Frames:
    """A loss that notes which functions of the training room lead from `fit` to the step, each time it is traced."""

    def __init__(self):
        self.chains = set()

    def __call__(self, outputs, targets):
        frame, names = sys._getframe(), []
        while frame is not None:
            if Path(frame.f_code.co_filename).parent == Path(training.__file__).parent:
                names.append(frame.f_code.co_name)
            frame = frame.f_back
        names = names[::-1]
        if "step" in names:
            self.chains.add(tuple(names[names.index("fit") : names.index("step") + 1]))
        return jnp.square(outputs - targets).mean(axis=(1, 2))


def test_few_calls_lead_from_fit_to_the_step():
    loss, args = Frames(), {"epochs": 2, "batch_size": 8, "key": jax.random.key(0), **FIT}
    data = windows()
    stream = Stream(*data.gather(jnp.arange(len(data))))
    fit(MLP((4,)), data, loss=loss, **args)
    fit(MLP((4,)), data, loss=loss, stopping=EarlyStopping("loss"), micro_batch=3, **args)
    fit(MLP((4,)), stream, loss=loss, **args)
    fit(MLP((4,)), data, loss=loss, validation=stream, **args)
    assert ("fit", "prepare", "several", "epoch", "take", "step") in loss.chains
    assert len(loss.chains) == 3
    assert max(map(len, loss.chains)) - 1 <= 6, loss.chains


def test_a_step_equals_gradient_descent_written_out():
    x, y = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
    state = create_state(nn.Dense(3), optax.sgd(0.1), jax.random.key(0), x[:1])
    new, metrics = jax.jit(make_train_step("mse", {"mae"}))(state, Batch(x, y))
    w, b = (np.asarray(state.params[k], np.float64) for k in ("kernel", "bias"))
    error = x @ w + b - y
    np.testing.assert_allclose(metrics["loss"], (error**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(metrics["mae"], np.abs(error).mean(), rtol=1e-5)
    np.testing.assert_allclose(new.params["kernel"], w - 0.1 * x.T @ (2 * error / error.size), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(new.params["bias"], b - 0.1 * (2 * error / error.size).sum(0), rtol=1e-4, atol=1e-6)


def test_two_traces_and_one_compilation_for_a_run_with_a_smaller_last_batch():
    chex.clear_trace_counter()
    step = chex.assert_max_traces(make_train_step("mse"), n=2)
    data = windows()
    assert len(data) % 8
    state = create_state(MLP((4,)), OPTIMIZER, jax.random.key(0), data.gather(jnp.arange(1)).x)
    run = jax.jit(make_run(step, epochs=5, batch_size=8))
    for seed in range(3):
        run(state.replace(key=jax.random.key(seed)), data)
    assert run._cache_size() == 1


def test_every_example_once_an_epoch_in_a_new_order():
    data = Arrays(np.arange(10, dtype=np.float32)[:, None], np.zeros((10, 1), np.float32))
    seen = []

    def step(state, batch):
        jax.debug.callback(lambda x: seen.append(np.asarray(x)[:, 0]), batch.x, ordered=True)
        return state.replace(step=state.step + 1), {"loss": jnp.zeros(())}

    state = create_state(nn.Dense(1), OPTIMIZER, jax.random.key(0), jnp.ones((1, 1)))
    jax.block_until_ready(make_run(step, epochs=3, batch_size=4)(state, data))
    jax.effects_barrier()
    orders = np.concatenate(seen).reshape(3, 10)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    assert (np.sort(orders, axis=1) == np.arange(10)).all()
    assert len({tuple(order) for order in orders}) == 3
    seen.clear()
    jax.block_until_ready(make_run(step, epochs=1, batch_size=4, shuffle=False)(state, data))
    jax.effects_barrier()
    assert np.concatenate(seen).tolist() == list(range(10))


def test_two_runs_of_three_epochs_are_one_of_six():
    model, data = Recurrent((Elman(3),), dropout=0.5), windows()
    args = {"loss": "mse", "batch_size": 8, **FIT}
    whole = fit(model, data, epochs=6, key=jax.random.key(0), **args)
    half = fit(model, data, epochs=3, key=jax.random.key(0), **args)
    kept = jax.tree.map(np.asarray, half.state.params)
    rest = fit(model, data, epochs=3, key=jax.random.key(0), state=half.state, **args)
    chex.assert_trees_all_equal(whole.state.params, rest.state.params)
    chex.assert_trees_all_equal(whole.history["loss"], np.concatenate([half.history["loss"], rest.history["loss"]]))
    chex.assert_trees_all_equal(kept, jax.tree.map(np.asarray, half.state.params))  # not donated away


def test_a_run_vmaps_over_seeds():
    model, data = MLP((4,)), windows()
    x = data.gather(jnp.arange(1)).x
    keys = jax.random.split(jax.random.key(0), 3)
    states = jax.vmap(lambda key: create_state(model, OPTIMIZER, key, x))(keys)
    run = make_run(make_train_step("mse"), epochs=2, batch_size=8)
    many, history = jax.jit(jax.vmap(run, in_axes=(0, None)))(states, data)
    assert history["loss"].shape == (3, 2)
    one, _ = jax.jit(run)(create_state(model, OPTIMIZER, keys[1], x), data)
    chex.assert_trees_all_close(jax.tree.map(lambda p: p[1], many.params), one.params, rtol=1e-4, atol=1e-6)


def test_validation_and_metrics_are_means_over_examples():
    model, data, other = MLP((4,)), windows(), windows(31, seed=1)
    result = fit(
        model,
        data,
        loss="mse",
        metrics={"l1": "mae"},
        epochs=1,
        batch_size=8,
        key=jax.random.key(0),
        validation=other,
        **FIT,
    )
    outputs, targets = predict(result.state, other, batch_size=7), other.gather(jnp.arange(len(other))).y
    np.testing.assert_allclose(result.history["val_loss"], [np.mean((outputs - targets) ** 2)], rtol=1e-5)
    np.testing.assert_allclose(result.history["val_l1"], [np.mean(np.abs(outputs - targets))], rtol=1e-5)
    whole = make_eval_step("mse")(result.state, other.gather(jnp.arange(len(other))))
    np.testing.assert_allclose(whole["loss"], result.history["val_loss"][0], rtol=1e-5)


def test_dropout_differs_by_step_and_not_by_repetition():
    x = jnp.ones((4, 6, 1))
    model = MLP((64,), dropout=0.5)
    state = create_state(model, optax.sgd(0.0), jax.random.key(0), x)
    step = jax.jit(make_train_step("mse"))
    batch = Batch(x, jnp.zeros((4, 1, 1)))
    next_state, first = step(state, batch)
    assert step(state, batch)[1]["loss"] == first["loss"]
    assert step(next_state, batch)[1]["loss"] != first["loss"]


def test_batch_statistics_ignore_no_row_and_repeat_none():
    class Norm(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            return nn.BatchNorm(use_running_average=not train, momentum=0.0)(x)

    data = Arrays(np.arange(6, dtype=np.float32)[:, None], np.zeros((6, 1), np.float32))
    result = fit(Norm(), data, loss="mse", epochs=1, batch_size=4, key=jax.random.key(0), shuffle=False, **FIT)
    assert result.state.batch_stats["BatchNorm_0"]["mean"].tolist() == [4.5]  # of the last two rows, not of padding


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("case", ["windows", "images"])
def test_the_step_lowers_for_accelerators(case, platform):
    model, data, loss, metrics = CASES[case]
    batch = data.gather(jnp.arange(4))
    state = create_state(model, OPTIMIZER, jax.random.key(0), batch.x)
    lowered = export.export(jax.jit(make_train_step(loss, metrics)), platforms=[platform])(state, batch)
    assert lowered.platforms == (platform,)


def test_predict_keeps_the_order_of_rows():
    model, data = MLP((4,)), windows()
    x = data.gather(jnp.arange(len(data))).x
    state = create_state(model, OPTIMIZER, jax.random.key(0), x[:1])
    expected = model.apply({"params": state.params}, x)
    for size in (1, 7, len(data), 1000):
        np.testing.assert_allclose(predict(state, data, batch_size=size), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(predict(state, np.asarray(x), batch_size=7), expected, rtol=1e-5, atol=1e-6)


def test_equal_models_share_one_compilation(monkeypatch):
    def make():
        return Recurrent((LSTM(3),), head=RegressionHead(2))

    args = {"loss": "mse", "epochs": 1, "batch_size": 8, **FIT}
    data = Windows(np.arange(40.0), 6, 2)
    first = fit(make(), data, key=jax.random.key(0), **args)
    monkeypatch.setattr(Program, "_build", lambda *_: pytest.fail("compiled again"))
    again = fit(make(), data, key=jax.random.key(1), **args)
    assert again.seconds["compile"] < first.seconds["compile"]


BAD = {
    "batch_size 50 is larger than the 34 examples": {"batch_size": 50},
    "batch_size must be an int >= 1, got 0": {"batch_size": 0},
    "epochs must be an int >= 1, got 0": {"epochs": 0},
    "loss must be one of mse.*got 'l2'": {"loss": "l2"},
    "metrics.'f1'. must be one of": {"metrics": {"f1"}},
    "mse: outputs .2, 1, 3. and targets .2, 1, 1.": {"model": MLP((4,), head=RegressionHead(1, 3))},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_before_tracing(message):
    args = {
        "loss": "mse",
        "epochs": 1,
        "batch_size": 8,
        "key": jax.random.key(0),
        "model": MLP((4,)),
        **FIT,
        **BAD[message],
    }
    with pytest.raises(ValueError, match=message):
        fit(args.pop("model"), windows(), **args)


def test_labels_outside_the_classes_are_refused():
    data = Arrays(np.zeros((4, 3)), np.array([0, 1, 3, 2]))
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.2 for the 3 classes of the model, but row 2 has 3"):
        fit(nn.Dense(3), data, loss="cross_entropy", epochs=1, batch_size=2, key=jax.random.key(0), **FIT)
    good = Arrays(np.zeros((4, 3)), np.array([0, 1, 2, 2]))
    options = {"loss": "cross_entropy", "epochs": 1, "batch_size": 2, "key": jax.random.key(0), **FIT}
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.2 .* row 2 has 3"):
        fit(nn.Dense(3), good, validation=data, **options)


def test_a_model_with_other_state_is_refused():
    class Counts(nn.Module):
        @nn.compact
        def __call__(self, x):
            self.variable("counter", "n", lambda: jnp.zeros(()))
            return nn.Dense(1)(x)

    with pytest.raises(ValueError, match=r"Counts keeps the collections \['counter'\]"):
        create_state(Counts(), OPTIMIZER, jax.random.key(0), jnp.ones((1, 2)))


def test_anchored_starts_from_the_last_value():
    data = windows(columns=2)
    batch = data.gather(jnp.arange(3))
    model = Anchored(MLP((4,), head=RegressionHead(2, 1)), columns=(1,))
    state = create_state(model, OPTIMIZER, jax.random.key(0), batch.x)
    zeros = jax.tree.map(jnp.zeros_like, state.params)
    outputs = model.apply({"params": zeros}, batch.x)
    np.testing.assert_array_equal(outputs[:, :, 0], np.repeat(batch.x[:, -1:, 1], 2, axis=1))
