"""The training of the speed records: what stays fixed, who is mirrored when, and the views of an image."""

import doctest
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from recipes import speed_record
from recipes.speed_record import VIEWS, RecordRecipe, mirror, train_record

from seqvision.data import Arrays
from seqvision.models import WhitenedConvNet, whitening_kernel


def test_what_is_fixed_stays_and_both_mirror_images_are_shown(caplog):
    rng = np.random.default_rng(0)
    data = Arrays(rng.normal(size=(64, 32, 32, 3)).astype(np.float32), np.arange(64, dtype=np.int32) % 10)
    recipe = RecordRecipe(epochs=2, batch_size=32)
    model = WhitenedConvNet((4, 4, 4))
    with caplog.at_level("INFO", "seqvision"):
        done = train_record(model, data, recipe, recipe.optimizer(len(data)), jax.random.key(0))
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["  epoch 1", "  epoch 2"]
    state, losses = done.state, done.history["loss"]
    assert done.seconds["run"] > 0 < done.seconds["compile"]
    np.testing.assert_array_equal(state.params["whiten"]["kernel"], whitening_kernel(data.x))
    assert (state.params["norm1_1"]["scale"] == 1).all()
    moved = [state.params[layer][name] for layer, name in (("norm1_1", "bias"), ("whiten", "bias"))]
    assert all(jnp.abs(bias).max() > 0 for bias in moved)
    assert losses.shape == (2,)
    which = rng.random(64) < 0.5
    once, again = mirror(data, which), mirror(data, ~which)
    np.testing.assert_array_equal(once.x + again.x, data.x + data.x[:, :, ::-1])


def test_six_views_of_an_image():
    image = jnp.arange(16.0).reshape(1, 4, 4, 1)
    seen = [np.asarray(view(image))[0, :, :, 0] for view in VIEWS]
    plain = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(seen[0], plain)
    np.testing.assert_array_equal(seen[1], plain[:, ::-1])
    np.testing.assert_array_equal(seen[2][1:, 1:], plain[:-1, :-1])  # down and right
    np.testing.assert_array_equal(seen[4][:-1, :-1], plain[1:, 1:])  # up and left
    assert len({view.tobytes() for view in seen}) == 6


def test_what_its_docstrings_show():
    shown = doctest.testmod(speed_record, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert shown.attempted > 1
    assert shown.failed == 0


def test_its_experiment_runs_from_any_folder(tmp_path):
    file = Path(__file__).parents[2] / "experiments" / "cifar_record.py"
    done = subprocess.run([sys.executable, file, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--weight-decay" in done.stdout
