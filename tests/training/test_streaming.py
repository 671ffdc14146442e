"""Training on a `Stream`: the steps of the compiled run, errors where they arise, threads that end."""

import threading

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision.cells import GRU, LSTM
from seqvision.data import Arrays, Stream, Windows
from seqvision.models import MLP, ClassificationHead, ConvNet, Recurrent, RegressionHead
from seqvision.training import EarlyStopping, fit, predict

OPTIMIZER = optax.adam(1e-2)
FIT = {"optimizer": OPTIMIZER, "progress": False, "compilation_cache": False, "key": jax.random.key(1)}


def images(n=22, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, 8, 8, 1), np.float32), rng.integers(0, classes, n)


def sequences(n=38, seed=0):
    windows = Windows(np.random.default_rng(seed).normal(size=(n + 6, 2)), 6)
    return tuple(map(np.asarray, windows.gather(jnp.arange(n))))


CASES = {
    "dense": (MLP((8,), dropout=0.2, head=ClassificationHead(3)), images(), "cross_entropy", {"accuracy"}),
    "convolution and batch norm": (
        ConvNet((4, 4), batch_norm=True, dropout=0.3, dense=(8,), head=ClassificationHead(3)),
        images(),
        "cross_entropy",
        {"accuracy"},
    ),
    "recurrent": (Recurrent((LSTM(3), GRU(2)), dropout=0.2, head=RegressionHead(1, 2)), sequences(), "mse", {"mae"}),
}


def assert_close(tree, other):
    """Leaf by leaf within 1e-6 of its size: what rounding alone leaves after an epoch."""
    leaves, others = (jax.tree.leaves(t) for t in (tree, other))
    for a, b in zip(map(np.asarray, leaves), map(np.asarray, others), strict=True):
        assert np.linalg.norm(a - b) <= 1e-6 * np.linalg.norm(a)


@pytest.mark.parametrize("shuffle", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES)
def test_a_stream_of_arrays_takes_the_steps_that_the_arrays_take(case, shuffle):
    model, (x, y), loss, metrics = CASES[case]
    args = {"loss": loss, "metrics": metrics, "epochs": 1, "batch_size": 8, "shuffle": shuffle, **FIT}
    device, stream = Arrays(x, y), Stream(x, y)
    run = fit(model, device, validation=device, **args)
    for data, validation in ((stream, stream), (stream, device), (device, stream)):
        other = fit(model, data, validation=validation, **args)
        assert_close(run.state.params, other.state.params)
        assert_close(run.state.batch_stats, other.state.batch_stats)
        assert run.history.keys() == other.history.keys()
        assert_close(run.history, other.history)
        assert {name: values.dtype for name, values in run.history.items()} == {
            name: values.dtype for name, values in other.history.items()
        }


def test_two_fits_of_three_epochs_of_a_stream_are_one_of_six():
    model, (x, y), loss, _ = CASES["dense"]
    args = {"loss": loss, "batch_size": 8, **FIT}
    whole, half = (fit(model, Stream(x, y), epochs=epochs, **args) for epochs in (6, 3))
    rest = fit(model, Stream(x, y), epochs=3, state=half.state, **args)
    for a, b in zip(*(jax.tree.leaves(f.state.params) for f in (whole, rest)), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(whole.history["loss"][3:], rest.history["loss"])
    run = fit(model, Arrays(x, y), epochs=6, **args)
    np.testing.assert_allclose(run.history["loss"], whole.history["loss"], rtol=1e-4)
    assert len(set(whole.history["loss"].tolist())) == 6


def test_every_row_once_an_epoch_in_a_new_order_and_none_read_far_ahead():
    class Rows(list):
        def __getitem__(self, row):
            asked.append(row)
            return super().__getitem__(row)

    asked = []
    rows = Rows((np.float32([n]), np.float32([0])) for n in range(10))
    stream = Stream(rows)
    asked.clear()
    fit(nn.Dense(1), stream, loss="mse", epochs=3, batch_size=4, **FIT)
    orders = np.reshape(asked, (3, 10))
    assert (np.sort(orders, axis=1) == np.arange(10)).all()
    assert len({tuple(order) for order in orders}) == 3


def test_batches_of_a_function_train_in_their_order_and_weigh_by_their_rows():
    model, (x, y), loss, metrics = CASES["dense"]
    args = {"loss": loss, "metrics": metrics, "epochs": 2, "batch_size": 8, **FIT}

    def batches():
        for start in range(0, len(x), 8):
            yield x[start : start + 8], y[start : start + 8]

    ours = fit(model, Stream(batches), validation=Stream(batches), **args)
    expected = fit(model, Stream(x, y), validation=Stream(x, y), shuffle=False, **args)
    assert_close(expected.state.params, ours.state.params)
    assert_close(expected.history, ours.history)
    np.testing.assert_array_equal(predict(ours.state, Stream(batches), batch_size=8), predict(ours.state, x))
    with pytest.raises(ValueError, match="batch_size is 4, but the source's first batch has 8 rows: give 8"):
        fit(model, Stream(batches), **{**args, "batch_size": 4})
    other = fit(model, Stream(x, y), validation=Stream(batches), shuffle=False, **{**args, "batch_size": 4})
    assert np.isfinite(other.history["val_loss"]).all()


def test_predictions_of_a_stream_are_those_of_its_arrays():
    model, (x, y), loss, _ = CASES["convolution and batch norm"]
    state = fit(model, Arrays(x, y), loss=loss, epochs=1, batch_size=8, **FIT).state
    np.testing.assert_allclose(predict(state, Stream(x, y), batch_size=5), predict(state, x), rtol=1e-5, atol=1e-6)


def test_the_next_batch_is_read_while_a_step_runs():
    changed, begun, read = threading.Condition(), [], []

    class Rows:
        def __len__(self):
            return 8

        def __getitem__(self, row):
            if threading.current_thread() is not threading.main_thread():
                assert row < len(begun) + 5  # two wait, one is being put there, one is on its way, one runs
                with changed:
                    read.append(row)
                    changed.notify_all()
            return np.float32([row]), np.float32([0])

    def wait_for_the_next():
        begun.append(len(begun))
        with changed:
            assert changed.wait_for(lambda: len(read) >= min(len(begun) + 1, 8), timeout=60)

    def loss(outputs, targets):
        jax.debug.callback(wait_for_the_next)
        return jnp.square(outputs - targets)[:, 0]

    fit(nn.Dense(1), Stream(Rows()), loss=loss, epochs=1, batch_size=1, shuffle=False, **FIT)
    assert read == list(range(8))
    assert len(begun) == 8


class Failing:
    def __init__(self, error=None, value=0.0, label=0):
        self.error, self.value, self.label = error, value, label

    def __len__(self):
        return 9

    def __getitem__(self, row):
        if row == 7 and self.error is not None:
            raise self.error
        return np.float32([self.value if row == 7 else row]), self.label if row == 7 else 0


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        (Failing(OSError("gone")), RuntimeError, "row 7 of the source raised OSError: gone"),
        (Failing(value=np.nan), ValueError, "x is NaN at row 7"),
        (Failing(label=2), ValueError, r"labels must lie in 0\.\.1 for the 2 classes of the model, but row 7 has 2"),
    ],
)
@pytest.mark.parametrize("role", ["data", "validation"])
def test_an_error_of_the_source_is_raised_in_fit_with_its_row_and_the_thread_ends(source, error, says, role):
    before = threading.active_count()
    good = Arrays(np.zeros((8, 1)), np.zeros(8, int))
    data, validation = (Stream(source), None) if role == "data" else (good, Stream(source))
    with pytest.raises(error, match=says):
        fit(nn.Dense(2), data, validation=validation, loss="cross_entropy", epochs=2, batch_size=4, **FIT)
    assert not [t for t in threading.enumerate() if t.name == "seqvision reads ahead"]
    assert threading.active_count() <= before + 2  # those that compile stay


def test_early_stopping_watches_a_streamed_validation():
    x = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
    train, other = (x[:16], x[:16, :1]), (x[16:], -x[16:, :1])
    args = {"loss": "mse", "epochs": 9, "batch_size": 8, **FIT, "optimizer": optax.sgd(1e-2)}
    stopping = EarlyStopping(patience=2)
    run = fit(nn.Dense(1), Arrays(*train), validation=Arrays(*other), stopping=stopping, **args)
    ours = fit(nn.Dense(1), Arrays(*train), validation=Stream(*other), stopping=stopping, **args)
    assert len(run.history["loss"]) == len(ours.history["loss"]) < 9
    np.testing.assert_allclose(run.history["val_loss"], ours.history["val_loss"], rtol=1e-5)
    np.testing.assert_allclose(run.state.params["kernel"], ours.state.params["kernel"], rtol=1e-5)


def test_a_batch_larger_than_the_stream_is_refused():
    with pytest.raises(ValueError, match="batch_size 50 is larger than the 22 examples"):
        fit(nn.Dense(3), Stream(*images()), loss="cross_entropy", epochs=1, batch_size=50, **FIT)
