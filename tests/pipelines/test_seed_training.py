"""Several seeds of a model, some of whose losses become infinite or NaN."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqvision import pipelines
from seqvision.cli import main
from seqvision.data import Arrays
from seqvision.pipelines import StoppedSeedsError, train_seeds
from seqvision.reporting import RunFolder
from seqvision.storage import flatten_leaves

X = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)


def huge_where_positive(key, shape, dtype=jnp.float32):
    """Initial weights with which some seeds overflow, those whose first draw is positive."""
    draw = jax.random.normal(key, shape, dtype)
    return jnp.where(draw.ravel()[0] > 0, 1e25, 0.1) * draw


def test_a_seed_that_overflows_is_named_and_the_others_are_trained():
    model = nn.Dense(1, kernel_init=huge_where_positive)
    data = Arrays(X, X[:, :1])
    settings = {"loss": "mse", "epochs": 3, "batch_size": 8, "compilation_cache": False}
    with pytest.raises(StoppedSeedsError, match=r"seed \d of 0..5 .*batch 1 of epoch 1") as stop:
        train_seeds(model, data, optimizer=optax.sgd(0.1), seeds=6, **settings)
    trained, stopped = stop.value.trained, set(stop.value.stopped)
    assert 0 < len(stopped) < 6
    assert trained.history["loss"].shape == (6, 3)
    assert {s for s in range(6) if np.isnan(trained.history["loss"][s]).any()} == stopped
    assert [int(state.step) for state in trained.states] == [0 if s in stopped else 6 for s in range(6)]


@pytest.mark.parametrize("words", ["train forecast --models mlp linear", "train classify --models mlp --limit 60"])
def test_the_command_line_stops_with_one_line_and_keeps_the_last_good_state(words, tmp_path, capsys):
    options = f"--epochs 5 --seeds 2 --optimizer sgd --learning-rate 1e30 --quiet --out {tmp_path}"
    assert main([*words.split(), *options.split()]) == 1
    out, told = capsys.readouterr()
    (line,) = told.strip().splitlines()
    assert ", seed 0 of 0..1 (so did seed 1): the loss is infinite or NaN at batch" in line
    assert not out
    (folder,) = tmp_path.iterdir()
    assert (folder / "STATUS").read_text().startswith("failed: ArithmeticError: ")
    parameters = flatten_leaves(RunFolder.open(folder).load_parameters())
    assert parameters
    assert all(np.abs(leaf).max() < 10 for leaf in parameters.values() if leaf.dtype.kind == "f")


def test_whoever_reads_the_run_again_is_told(tmp_path, caplog):
    words = f"train forecast --models linear --epochs 2 --seeds 1 --learning-rate 1e30 --quiet --out {tmp_path}"
    assert main(words.split()) == 1
    (folder,) = tmp_path.iterdir()
    pipelines.evaluate_run(folder)
    assert "last good parameters of a run that ended early: it failed: ArithmeticError: linear" in caplog.text
