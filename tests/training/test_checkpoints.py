"""Stop and go on: what comes of a training does not depend on how often it was stopped, to the bit."""

import functools
import signal
import threading

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.data import Arrays, Augment, Shift, Stream
from seqvision.storage import CheckpointFolder
from seqvision.training import (
    Checkpoints,
    EarlyStopping,
    NonFiniteLossError,
    StoppedFitError,
    average_weights,
    create_state,
    fit,
    make_run,
    make_train_step,
    restore_state,
    warm_up,
)
from seqvision.training.resumption.described import described
from seqvision.training.resumption.saver import Saver

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 4, 4, 1)).astype(np.float32)
Y = X.mean(axis=(1, 2))
FEW = RNG.normal(size=(6, 4, 4, 1)).astype(np.float32)


class Net(nn.Module):
    """A bit of everything that draws or remembers."""

    rate: float = 0.3
    width: int = 3

    @nn.compact
    def __call__(self, x, train=False):
        x = nn.Dense(self.width)(x.reshape(len(x), -1))
        x = nn.BatchNorm(use_running_average=not train)(x)
        return nn.Dense(1)(nn.Dropout(self.rate, deterministic=not train)(x))


class Small(nn.Module):
    """Draws in training alone."""

    @nn.compact
    def __call__(self, x, train=False):
        return nn.Dense(1)(nn.Dropout(0.3, deterministic=not train)(x.reshape(len(x), -1)))


SETTINGS = {
    "loss": "mse",
    "optimizer": average_weights(optax.adam(warm_up(4, optax.cosine_decay_schedule(0.05, 40))), 0.9),
    "batch_size": 4,
    "key": 3,
    "validation": (FEW, FEW.mean(axis=(1, 2))),
    "augment": Augment((Shift(0.3),)),
    "stopping": EarlyStopping(patience=30),
    "compilation_cache": False,
}


def bits(done):
    """State and history as bytes."""
    leaves = jax.tree.leaves((done.state.replace(key=jax.random.key_data(done.state.key)), done.history))
    return [(np.asarray(leaf).dtype, np.asarray(leaf).tobytes()) for leaf in leaves]


@pytest.fixture
def interrupt(monkeypatch):
    """Let Ctrl-C be pressed when the clock is looked at for the nth time: after so many chunks, or batches."""

    def after(times, number=signal.SIGINT):
        looks = 0

        def look(self):
            nonlocal looks
            looks += 1
            if looks == times:
                signal.raise_signal(number)
            return False

        monkeypatch.setattr(Saver, "time_is_up", look)

    return after


def test_a_training_that_is_stopped_twice_is_one_that_was_not(tmp_path, interrupt, caplog):
    train = functools.partial(fit, Net(), (X, Y), epochs=12, **SETTINGS)
    whole = train()
    assert bits(train(checkpoints=Checkpoints(tmp_path / "unbroken", every=5))) == bits(whole)
    here = Checkpoints(tmp_path / "here", keep=2, best="val_loss")
    for times, epochs, number in ((2, 3, signal.SIGINT), (4, 8, signal.SIGTERM)):
        interrupt(times, number)
        with pytest.raises(StoppedFitError, match=f"after {epochs} of 12 epochs; they are in .*here") as stop:
            train(checkpoints=here)
        assert stop.value.code == 128 + number
        for name, values in stop.value.fit.history.items():
            np.testing.assert_array_equal(values, whole.history[name][:epochs])
    assert bits(train(checkpoints=here)) == bits(whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = train(checkpoints=here)
    assert "12 of 12 epochs were done before, nothing is trained" in caplog.text
    assert bits(again) == bits(whole)
    assert again.seconds["run"] > 0
    folder = CheckpointFolder(here.folder)
    values = {n: folder.about(n)["history"]["val_loss"][1][-1] for n in folder.numbers()}
    assert folder.numbers()[-2:] == [2, 3]
    state = restore_state(here.folder, create_state(Net(), SETTINGS["optimizer"], 0, X[:1]))
    assert int(state.step) == int(whole.state.step) == 72
    best = restore_state(here.folder, state, "best")
    assert int(best.step) == 6 * len(folder.about(min(values, key=values.get))["history"]["loss"][1])


@pytest.mark.parametrize("kind", ["rows", "batches", "in order"])
def test_the_middle_of_an_epoch_of_a_stream(kind, tmp_path, interrupt):
    def source():
        yield from ((X[i : i + 4], Y[i : i + 4]) for i in range(0, 22, 4))

    data = Stream(source) if kind == "batches" else Stream(X, Y)
    settings = SETTINGS | {"validation": Stream(FEW, FEW.mean(axis=(1, 2))), "shuffle": kind == "rows"}
    train = functools.partial(fit, Net(), data, epochs=3, **settings)
    whole = train()
    here = Checkpoints(tmp_path / "here")
    # An epoch has 6 batches, and 2 of validation.
    for times, place in ((3, "0 of 3 epochs and 4 batches"), (3, "0 of 3 epochs and 6 batches"), (2, "1 of 3 epochs")):
        interrupt(times)
        with pytest.raises(StoppedFitError, match=f"after {place}; they"):
            train(checkpoints=here)
    assert bits(train(checkpoints=here)) == bits(whole)


def test_minutes_pass_within_the_epoch_of_a_stream(tmp_path, monkeypatch):
    monkeypatch.setattr(Saver, "time_is_up", lambda self: True)
    train = functools.partial(fit, Small(), Stream(X, Y), epochs=1, **SETTINGS | {"validation": None, "stopping": None})
    done = train(checkpoints=Checkpoints(tmp_path, minutes=1, keep=9))
    places = [CheckpointFolder(tmp_path).about(n)["middle"] for n in range(1, 8)]
    assert [place and place["batches"] for place in places] == [1, 2, 3, 4, 5, 6, None]
    CheckpointFolder(tmp_path).remove([5, 6, 7])
    assert bits(train(checkpoints=Checkpoints(tmp_path))) == bits(done)


def test_seeds_in_one_program(tmp_path):
    data = Arrays(X, Y)
    run = jax.jit(jax.vmap(make_run(make_train_step("mse"), epochs=2, batch_size=4), in_axes=(0, None)))
    optimizer = optax.adam(0.01)
    states = jax.vmap(lambda key: create_state(Small(), optimizer, key, X[:1]))(jax.random.split(jax.random.key(0), 3))
    half, first = run(states, data)
    CheckpointFolder(tmp_path).save({"states": half, "history": first})
    whole, second = run(half, data)
    kept = CheckpointFolder(tmp_path).load(1, {"states": states, "history": jax.tree.map(jnp.zeros_like, first)})
    again, _ = run(kept["states"], data)
    for one, other in zip(
        *map(jax.tree.leaves, ((whole.params, whole.opt_state), (again.params, again.opt_state))), strict=True
    ):
        assert one.tobytes() == other.tobytes()
    assert kept["history"]["loss"].tobytes() == first["loss"].tobytes()
    assert second["loss"].shape == (3, 2)


def test_another_training_is_refused_by_name(tmp_path):
    plain = {"loss": "mse", "batch_size": 4, "key": 0, "optimizer": optax.sgd(0.1), "compilation_cache": False}
    data, here = (X, Y), Checkpoints(tmp_path / "here", every=1)
    fit(Net(), data, epochs=2, checkpoints=here, **plain)
    for name, model, given, change in (
        ("model", Net(0.5), data, {}),
        ("optimizer", Net(), data, {"optimizer": optax.sgd(0.2)}),
        ("batch_size", Net(), data, {"batch_size": 8}),
        ("key", Net(), data, {"key": 1}),
        ("data", Net(), (X[:-1], Y[:-1]), {}),
        ("data", Net(), (X, Y + 1), {}),
        ("validation", Net(), data, {"validation": data}),
        ("loss", Net(), data, {"loss": "mae"}),
        ("metrics", Net(), data, {"metrics": {"mae"}}),
        ("shuffle", Net(), data, {"shuffle": False}),
        ("augment", Net(), data, {"augment": Augment((Shift(0.3),))}),
        ("stopping", Net(), data, {"stopping": EarlyStopping("loss")}),
        ("state", Net(), data, {"state": create_state(Net(), plain["optimizer"], 0, X[:1])}),
    ):
        with pytest.raises(ValueError, match=rf"here are of another training: (.*; )?{name} was .* and is .*folder"):
            fit(model, given, epochs=2, checkpoints=here, **plain | change)
    with pytest.raises(ValueError, match=r"epochs is 1, but .*here holds 2 already: give 2 or more"):
        fit(Net(), data, epochs=1, checkpoints=here, **plain)
    accepting = Checkpoints(here.folder, accept_changes=True)
    with pytest.raises(ValueError, match=r"'mean'. is float32.3,., expected float32.4,."):
        fit(Net(width=4), data, epochs=2, checkpoints=accepting, **plain)
    smaller = plain | {"optimizer": optax.sgd(0.01)}
    accepted = fit(Net(), data, epochs=4, checkpoints=accepting, **smaller)
    assert len(accepted.history["loss"]) == 4


def test_more_epochs_go_on_from_the_end(tmp_path):
    train = functools.partial(fit, Small(), (X, Y), **SETTINGS)
    train(epochs=3, checkpoints=Checkpoints(tmp_path, every=1))
    assert bits(train(epochs=5, checkpoints=Checkpoints(tmp_path, every=1))) == bits(train(epochs=5))
    stopping = EarlyStopping("loss", patience=1, min_delta=10.0)
    early = functools.partial(fit, Small(), (X, Y), **SETTINGS | {"stopping": stopping})
    here = Checkpoints(tmp_path / "early")
    assert len(early(epochs=5, checkpoints=here).history["loss"]) == 2
    assert bits(early(epochs=9, checkpoints=here)) == bits(early(epochs=9))


def test_a_loss_that_is_not_finite_is_told_as_if_nothing_had_been_stopped(tmp_path, interrupt):
    y = np.where(np.arange(22) == 20, 1e18, 0.0)[:, None].astype(np.float32)
    settings = SETTINGS | {"optimizer": optax.sgd(1e-9), "stopping": None, "augment": None, "shuffle": False}
    settings["optimizer"] = optax.sgd(lambda count: jnp.where(count > 20, 1e30, 0.0))
    train = functools.partial(fit, Small(), (X, y), epochs=8, **settings)
    with pytest.raises(NonFiniteLossError) as whole:
        train()
    interrupt(1)
    with pytest.raises(StoppedFitError):
        train(checkpoints=Checkpoints(tmp_path))
    with pytest.raises(NonFiniteLossError) as later:
        train(checkpoints=Checkpoints(tmp_path))
    assert str(later.value) == str(whole.value)
    assert bits(later.value.fit) == bits(whole.value.fit)
    assert later.value.step > 20


def test_without_checkpoints_ctrl_c_keeps_what_was_trained():
    class Pressing:
        def __init__(self):
            self.reads = 0

        def __len__(self):
            return 22

        def __getitem__(self, row):
            self.reads += 1
            if self.reads == 60:
                signal.raise_signal(signal.SIGINT)
            return X[row], Y[row]

    settings = SETTINGS | {"validation": None, "stopping": None}
    with pytest.raises(KeyboardInterrupt, match=r"stopped by Ctrl-C after . of 9 epochs.* are the \.fit of") as stop:
        fit(Small(), Stream(Pressing()), epochs=9, **settings)
    done = stop.value.fit
    assert int(done.state.step) >= 6 * len(done.history["loss"]) > 0
    assert np.isfinite(done.state.params["Dense_0"]["kernel"]).all()


def test_signals_are_left_alone_outside_the_main_thread(tmp_path):
    done = []
    settings = SETTINGS | {"validation": None, "stopping": None}
    train = functools.partial(fit, Small(), (X, Y), epochs=1, checkpoints=Checkpoints(tmp_path), **settings)
    thread = threading.Thread(target=lambda: done.append(train()))
    thread.start()
    thread.join()
    assert bits(train()) == bits(done[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be an int >= 1, got 0"),
        ({"minutes": 0}, "minutes must be a number > 0, got 0"),
        ({"keep": 0}, "keep must be an int >= 1, got 0"),
        ({"folder": ""}, "folder must be a path, got ''"),
        ({"best": "val_loss"}, "best must be one of loss, got 'val_loss': give validation data"),
    ],
)
def test_wrong_arguments_are_named(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        fit(nn.Dense(1), (X[:, 0, :, 0], Y), loss="mse", optimizer="sgd", epochs=1, batch_size=4, key=0,
            checkpoints=Checkpoints(**{"folder": tmp_path / "here"} | options))  # fmt: skip
    with pytest.raises(TypeError, match=r"checkpoints must be Checkpoints, such as Checkpoints\(.here., every=5\)"):
        fit(nn.Dense(1), (X[:, 0, :, 0], Y), loss="mse", optimizer="sgd", epochs=1, batch_size=4, key=0,
            checkpoints="here")  # fmt: skip


def test_words_tell_apart_what_trains_differently():
    def scaled(by):
        return lambda x: by * x

    same = [(optax.adam(0.1), optax.adam(0.1)), (scaled(2), scaled(2)), (Net(), Net()), ({1, 2}, {2, 1}), (1, 1.0)]
    other = [
        (optax.adam(0.1), optax.adam(0.2)),
        (optax.adam(optax.cosine_decay_schedule(0.1, 10)), optax.adam(optax.cosine_decay_schedule(0.1, 20))),
        (scaled(2), scaled(3)),
        (lambda x: x + 1, lambda x: x + 2),
        (Net(), Net(0.4)),
        (nn.Sequential([nn.relu]), nn.Sequential([nn.tanh])),
        (functools.partial(scaled, 1), functools.partial(scaled, 2)),
        (np.zeros(3), np.ones(3)),
        (None, 0),
    ]
    assert all(described(one) == described(two) for one, two in same)
    assert all(described(one) != described(two) for one, two in other)
    assert " at 0x" not in described((*same, *other, signal))
