"""The experiments on what recurrent networks can learn, in a small setting; their claims at full size are slow."""

import importlib

import jax
import numpy as np
import pytest

from tests.test_experiments import file_or_skip, run


def test_long_distance_xor(capsys):
    small = {"lengths": (4,), "hidden": 3, "train": 64, "test": 50, "epochs": 2, "batch_size": 24, "seeds": 2}
    table = run("long_distance_xor", models=("LSTM", "LSTM, max"), signs=("first",), **small)["table"]
    assert [row["model"] for row in table] == ["LSTM", "LSTM, max"]
    for row in table:
        assert len(row["each"]) == 2
        assert 0.2 < row["accuracy"] < 1
        assert 0.3 < row["commonest_class"] < 0.7
    assert "commonest class" in capsys.readouterr().out


def test_the_xor_of_three_signs():
    experiment = importlib.import_module("experiments.long_distance_xor")
    for signs, part in (("first", slice(None, 3)), ("last", slice(-3, None))):
        data = experiment.draw(jax.random.key(0), 200, 5, signs)
        odd = np.sum(np.asarray(data.x)[:, part, 0] < 0, axis=1) % 2
        np.testing.assert_array_equal(data.y[:, 0], odd)


def test_row_mnist():
    file_or_skip("mnist", "train-images-idx3-ubyte.gz")
    result = run("row_mnist", limit=640, epochs=2, seeds=1)
    assert result["parameters"] == 81_674
    scores = result["scores"]["scores"]
    assert scores["commonest class"]["accuracy"] == pytest.approx(0.1135)
    assert scores["LSTM"]["accuracy"] > 0.2


def test_character_rnn(capsys):
    result = run("character_rnn", cell="GRU", hidden=8, sentences=60, epochs=20, batch_size=4, seeds=2)
    bits = result["bits"]
    assert bits["entropy of the grammar"] == pytest.approx(0.363, abs=0.001)  # 17 choices between two in 46.8 letters
    assert bits["entropy of the grammar"] < bits["GRU(8)"] < bits["table of single characters"]
    assert 2 < bits["table of pairs"] < 3 < 4 < bits["table of single characters"] < 4.2
    assert len(result["each"]) == len(result["right"]) == 2
    assert len(result["text"]) == 300
    assert "entropy of the grammar" in capsys.readouterr().out


def test_counting_and_timing(capsys):
    small = {"longest": 3, "furthest": 5, "count_epochs": 3, "trains": 24, "length": 40, "time_epochs": 1, "seeds": 2}
    result = run("counting_and_timing", models=("LSTM, peepholes",), batch_size=10, **small)
    assert list(result) == ["LSTM, peepholes", "baseline"]
    assert all(0 <= n <= 5 for n in result["LSTM, peepholes"]["counts"])
    assert all(0 <= share <= 1 for share in result["LSTM, peepholes"]["times"])
    assert "counts up to n" in capsys.readouterr().out


def test_the_tasks_of_counting_and_timing():
    experiment = importlib.import_module("experiments.counting_and_timing")
    strings = experiment.count_strings(3)
    assert strings.y.tolist() == [[-1, 1, -1, -1, -1, -1], [-1, -1, 0, 1, -1, -1], [-1, -1, -1, 0, 0, 1]]
    assert strings.x[1].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]]
    config = experiment.Config(trains=20, length=150, gaps=(10, 29))
    trains = experiment.spike_trains(config, jax.random.key(0))
    for x, y in zip(np.asarray(trains.x[..., 0]), np.asarray(trains.y), strict=True):
        at = np.flatnonzero(x)
        assert set(x) == {0, 1}
        np.testing.assert_allclose(10 + 19 * y[at[1:]], np.diff(at), rtol=1e-5)
        assert (np.delete(y, at[1:]) == -1).all()


def test_gradient_flow(tmp_path, capsys):
    small = {"length": 11, "depth": 5, "width": 8, "rates": (0.1,), "steps": 20, "batch_size": 4, "seeds": 2}
    figure = tmp_path / "flow.png"
    result = run("gradient_flow", cells=("Elman linear, weights x .9",), **small, out=str(figure))
    lags = result["by lag"]["Elman linear, weights x .9"]
    assert lags[0] > lags[1] > lags[2] > 0
    assert result["by layer"]["sigmoid"][0] < result["by layer"]["tanh"][0]
    assert 0 <= result["dead units by layer"]["ReLU, step size 0.1"][2] <= 1
    assert figure.stat().st_size > 10_000
    assert "dead units" in capsys.readouterr().out


@pytest.mark.slow
def test_max_pooling_solves_the_xor_of_the_first_signs_at_length_30():
    table = run("long_distance_xor", models=("LSTM, max",), signs=("first",), lengths=(30,), seeds=5)["table"]
    assert sum(accuracy >= 0.95 for accuracy in table[0]["each"]) >= 4


@pytest.mark.slow
def test_row_mnist_reaches_98_9_percent():
    file_or_skip("mnist", "train-images-idx3-ubyte.gz")
    assert run("row_mnist", seeds=1)["scores"]["scores"]["LSTM"]["accuracy"] >= 0.989
