"""A model is kept in a folder and comes back: the same module, the same bits, the same answers."""

import json
import subprocess
import sys
import time

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, GRUParams
from seqvision.data import Scaler, Series, Windows, fit_pixel_scaler, fit_scaler
from seqvision.models import MLP, ClassificationHead, ConvNet, Recurrent, RegressionHead, variable_shapes
from seqvision.saving import load_model, save_model
from seqvision.training import Fit, call_model, fit, predict
from tests.saving.cases import SMALL, example_of

RNG = np.random.default_rng(0)
WALK = 100 + np.cumsum(RNG.normal(size=(60, 2)), axis=0)


def random_variables(model, example):
    """Return variables of a model that no training would give: every leaf another."""
    shapes = jax.eval_shape(lambda x: call_model(model.init, jax.random.key(0), x, train=False), example)
    return jax.tree.map(lambda leaf: jnp.asarray(RNG.normal(size=leaf.shape), leaf.dtype), shapes)


@pytest.mark.parametrize(("model", "shape"), SMALL, ids=lambda case: type(case).__name__)
def test_every_model_comes_back_with_its_bits(tmp_path, model, shape):
    example = example_of(shape)
    variables = random_variables(model, example)
    save_model(tmp_path / "kept", model, [variables, variables], example=example)
    loaded = load_model(tmp_path / "kept")
    assert type(loaded.model) is type(model)
    assert len(loaded.variables) == 2
    for tree in loaded.variables:
        assert jax.tree.structure(tree) == jax.tree.structure(variables)
        for ours, theirs in zip(jax.tree.leaves(variables), jax.tree.leaves(tree), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
    assert {file.name for file in (tmp_path / "kept").iterdir()} == {
        "description.json",
        "weights.safetensors",
        "manifest.json",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory):
    """A forecaster of two columns to one, from two seeds, on disk."""
    scaler = fit_scaler(WALK[:40])
    data = Windows(scaler.transform(WALK[:40]), 5, 2, targets=(1,))
    model = Recurrent((GRU(2),), head=RegressionHead(2, 1))
    options = {"loss": "mse", "optimizer": "adam", "epochs": 1, "batch_size": 16, "progress": False}
    fits = [fit(model, data, key=key, **options) for key in (0, 1)]
    folder = tmp_path_factory.mktemp("models") / "gru"
    saved = save_model(
        folder, model, fits, scaler=scaler, columns=("open", "close"), targets=["close"], data={"n": [1]}
    )
    return folder, fits, scaler, saved


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A classifier of pictures with batch statistics, on disk."""
    x, y = RNG.random((20, 6, 6, 1)).astype(np.float32), RNG.integers(0, 3, 20)
    model = ConvNet(channels=(2,), stride=1, batch_norm=True, dense=(), head=ClassificationHead(3))
    done = fit(model, (x, y), loss="cross_entropy", optimizer="adam", epochs=1, batch_size=10, key=0, progress=False)
    folder = tmp_path_factory.mktemp("models") / "convnet"
    saved = save_model(folder, model, done, pixels=255, classes=["cat", "dog", "犬"])
    return folder, done, x, saved


def test_a_forecaster_takes_and_gives_original_units(forecaster):
    folder, fits, scaler, saved = forecaster
    loaded = load_model(folder)
    windows = np.stack([WALK[row : row + 5] for row in range(8)])
    scaled = scaler.transform(windows).astype(np.float32)
    by_hand = [scaler.shift[1] + scaler.scale[1] * predict(done.state, scaled).astype(np.float64) for done in fits]
    np.testing.assert_array_equal(loaded.predict_seeds(windows), np.stack(by_hand))
    np.testing.assert_array_equal(loaded.predict(windows), np.mean(by_hand, axis=0))
    np.testing.assert_array_equal(loaded.predict(windows), saved.predict(windows))
    assert loaded.predict(windows).shape == (8, 2, 1)
    assert (loaded.columns, loaded.targets, loaded.name, loaded.data) == (("open", "close"), (1,), "gru", {"n": [1]})
    assert loaded.versions["jax"] == jax.__version__
    assert repr(loaded) == "SavedModel('gru': Recurrent, 2 seeds, (B, 5, 2) -> forecasts of close)"
    # What is kept is what was trained, and scaled inputs go where they always went.
    np.testing.assert_array_equal(predict(loaded.states[0], scaled), predict(fits[0].state, scaled))


def test_the_last_rows_of_a_series_are_forecast_on(forecaster):
    loaded = load_model(forecaster[0])
    ahead = loaded.predict(WALK[-5:][None])[0]
    np.testing.assert_array_equal(loaded.predict(WALK), ahead)
    np.testing.assert_array_equal(loaded.predict(Series(WALK, ("open", "close"))), ahead)
    turned = Series(np.stack([np.arange(60.0), *WALK.T[::-1]], axis=1), ("row", "Close", "open"))
    np.testing.assert_array_equal(loaded.predict(turned), ahead)
    assert ahead.shape == (2, 1)
    for x, message in (
        (WALK[:3], "gru: x has 3 rows, but the model looks at 5"),
        (WALK[:, :1], r"gru: x must be \(B, 5, 2\) with the 2 columns \(open, close\) last, got"),
        (WALK[0, 0], "with the 2 columns"),
        (np.full((1, 5, 2), np.nan), "gru: x holds 10 values that are not finite"),
        (Series(WALK, ("open", "high")), "has no column 'close'"),
    ):
        with pytest.raises(ValueError, match=message):
            loaded.predict(x)
    with pytest.raises(TypeError, match=r"gru: x must hold raw inputs, got a Windows: .*training\.predict"):
        loaded.predict(Windows(WALK, 5))


def test_a_classifier_gives_probabilities_and_names(classifier):
    folder, done, x, _ = classifier
    loaded = load_model(folder)
    logits = predict(done.state, x).astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(loaded.predict(x), powers / powers.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(loaded.classify(x), np.array(["cat", "dog", "犬"])[logits.argmax(axis=1)])
    np.testing.assert_array_equal(loaded.predict(x[0]), loaded.predict(x[:1])[0])
    whole = (x * 255).astype(np.uint8)
    np.testing.assert_array_equal(loaded.predict(whole), loaded.predict(whole.astype(np.float32) / np.float32(255)))
    assert loaded.classify(x[0]) in ("cat", "dog", "犬")


def test_two_classes_may_be_one_logit(tmp_path):
    x = RNG.normal(size=(9, 3)).astype(np.float32)
    variables = {"params": {"kernel": np.ones((3, 1), np.float32), "bias": np.zeros(1, np.float32)}}
    saved = save_model(tmp_path / "m", nn.Dense(1), variables, example=x, classes=("no", "yes"))
    yes = 1 / (1 + np.exp(-x.astype(np.float64).sum(axis=1)))
    np.testing.assert_allclose(saved.predict(x), np.stack([1 - yes, yes], axis=1), rtol=1e-6)
    np.testing.assert_array_equal(saved.classify(x) == "yes", yes > 0.5)
    with pytest.raises(ValueError, match="classes names 3 classes, but the model gives outputs"):
        save_model(tmp_path / "n", nn.Dense(1), variables, example=x, classes=("no", "yes", "maybe"))


def test_pixels_are_scaled_as_in_training(tmp_path):
    x = RNG.integers(0, 255, (9, 4, 4, 2)).astype(np.uint8)
    scaler = fit_pixel_scaler(x)
    model = MLP((), head=ClassificationHead(2))
    variables = model.init(jax.random.key(0), jnp.zeros((1, 4, 4, 2)))
    saved = save_model(tmp_path / "m", model, variables, example=np.zeros((1, 4, 4, 2), np.float32), scaler=scaler)
    expected = model.apply(variables, scaler.transform(x.astype(np.float32)))
    np.testing.assert_allclose(load_model(tmp_path / "m").predict(x), expected, rtol=1e-5, atol=1e-6)
    assert saved.scaler == scaler
    plain = save_model(tmp_path / "n", model, variables, example=np.zeros((1, 4, 4, 2), np.float32))
    with pytest.raises(TypeError, match="data is uint8: scale images as the training images were"):
        plain.predict(x)


class Own(nn.Module):
    """A module of a user's own, with batch statistics."""

    features: int = 3

    @nn.compact
    def __call__(self, x, train=False):
        return nn.Dense(self.features)(nn.BatchNorm(use_running_average=not train)(x))


def test_of_a_users_own_module_the_weights_are_kept_and_the_module_is_asked_for(tmp_path, caplog):
    x = RNG.normal(size=(8, 2)).astype(np.float32)
    options = {"loss": "cross_entropy", "optimizer": "sgd", "epochs": 1, "batch_size": 4, "progress": False}
    done = fit(Own(), (x, np.arange(8) % 3), key=0, **options)
    folder = tmp_path / "own"
    save_model(folder, Own(), done)
    assert "own gets the weights alone, since Own is of the class Own" in caplog.text
    assert json.loads((folder / "description.json").read_text())["module"] is None
    with pytest.raises(ValueError, match=r"own has weights alone, since 'Own is of .*load_model\('.*own', model="):
        load_model(folder)
    np.testing.assert_array_equal(load_model(folder, model=Own()).predict(x), predict(done.state, x))
    for wrong, message in (
        (
            Own(4),
            r"do not fit the model Own: seed_0/params/Dense_0/bias is float32\(3,\), expected float32\(4,\)",
        ),
        (nn.Dense(3), r"Dense: seed_0/params/bias is missing; .*kernel is missing; .*mean is not a leaf of the model"),
        (nn.Conv(3, (3, 3, 3)), "the model given, Conv, cannot read inputs of"),
        (3, "module is 3, no flax module"),
    ):
        with pytest.raises(ValueError, match=message):
            load_model(folder, model=wrong)


class Nested(nn.Module):
    """Parameters in tuples, in NamedTuples and in none."""

    @nn.compact
    def __call__(self, x):
        cell = GRU(3, reset_after=False)
        params = self.param("cell", lambda key: cell.init(key, x.shape[-1]))
        pair = self.param("pair", lambda key: (jnp.ones((1, 3)), [jnp.zeros((1, 3)), None]))
        return cell.step(params, cell.initial_state(params, x.shape[:1]), x)[1] * pair[0] + pair[1][0]


def test_parameters_of_any_structure_come_back_in_it(tmp_path):
    x = RNG.normal(size=(4, 2)).astype(np.float32)
    variables = random_variables(Nested(), x)
    assert isinstance(variables["params"]["cell"], GRUParams)
    save_model(tmp_path / "m", Nested(), variables, example=x)
    loaded = load_model(tmp_path / "m", model=Nested())
    jax.tree.map(np.testing.assert_array_equal, loaded.variables[0], variables)
    assert isinstance(loaded.variables[0]["params"]["cell"], GRUParams)
    np.testing.assert_allclose(loaded.predict(x), Nested().apply(variables, x), rtol=1e-6)
    nothing = save_model(tmp_path / "n", nn.Sequential((nn.relu,)), {"params": {}}, example=x)
    np.testing.assert_array_equal(load_model(tmp_path / "n").predict(x), nothing.predict(x))


def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path):
    variables = {"params": {"kernel": np.ones((3, 1), np.float32), "bias": np.zeros(1, np.float32)}}
    x, scaler = np.ones((1, 3), np.float32), Scaler("standard", (0.0,) * 3, (1.0,) * 3)

    def save(trained=variables, **options):
        return save_model(tmp_path / "m", options.pop("model", nn.Dense(1)), trained, **({"example": x} | options))

    for error, message, options in (
        (ValueError, r"kernel is float32\(3, 1\), expected float32\(3, 2\)", {"model": nn.Dense(2)}),
        (ValueError, "example: variables alone do not say", {"example": None}),
        (ValueError, "example must be an input with its batch axis, got 3", {"example": 3}),
        (TypeError, "trained must be what fit returned, a state, or variables", {"trained": variables["params"]}),
        (ValueError, "trained is empty", {"trained": []}),
        (ValueError, r"trained has the collections \['cache'\]", {"trained": {**variables, "cache": {}}}),
        (ValueError, "targets: which of the columns 0, 1, 2 does the model forecast", {"scaler": scaler}),
        (ValueError, "has no column 'd'", {"scaler": scaler, "columns": "abc", "targets": ["d"]}),
        (ValueError, "columns has 2 names, but the scaler was fitted on 3", {"scaler": scaler, "columns": "ab"}),
        (ValueError, "targets names 2 columns, but the model gives outputs", {"scaler": scaler, "targets": [0, 1]}),
        (ValueError, "targets are columns of a scaler", {"targets": [0]}),
        (TypeError, "scaler must be what seqvision.data.fit_scaler", {"scaler": "standard"}),
        (ValueError, "pixels must be a number > 0, got 0", {"pixels": 0}),
        (TypeError, "has no place in JSON", {"data": {"f": print}}),
        (TypeError, "overwrite must be True or False", {"overwrite": "yes"}),
    ):
        with pytest.raises(error, match=message):
            save(**options)
    assert not list(tmp_path.iterdir())
    save()
    with pytest.raises(FileExistsError, match=r"m exists: choose another path, or overwrite=True"):
        save()
    save(overwrite=True)
    (tmp_path / "m" / "description.json").unlink()
    with pytest.raises(FileExistsError, match="exists and is no folder of a model"):
        save(overwrite=True)
    (tmp_path / "empty").mkdir()
    save_model(tmp_path / "empty", nn.Dense(1), variables, example=x)
    for wrong, hint in (
        ("none", ""),
        ("", "; models are in .*empty"),
        ("empty/description.json", "; give the folder, .*y"),
    ):
        with pytest.raises(FileNotFoundError, match=rf"is no folder of a model: it has no description\.json{hint}$"):
            load_model(tmp_path / wrong)


def test_weights_go_to_the_default_device_and_wide_ones_need_wide_numbers(classifier, tmp_path):
    last = jax.devices()[-1]
    with jax.default_device(last):
        loaded = load_model(classifier[0])
        assert {leaf.device for leaf in jax.tree.leaves(loaded.variables)} == {last}
    x = np.ones((1, 3))
    with jax.enable_x64(True):
        variables = nn.Dense(1, param_dtype=jnp.float64).init(jax.random.key(0), x)
        save_model(tmp_path / "wide", nn.Dense(1, param_dtype=jnp.float64), variables, example=x)
        assert load_model(tmp_path / "wide").predict(x).dtype == np.float64
    with pytest.raises(ValueError, match=r"seed_0/params/bias is float64, which jax has after jax\.config\.update"):
        load_model(tmp_path / "wide")


def test_targets_in_units_of_their_own_stay_so(tmp_path):
    variables = {"params": {"kernel": np.ones((3, 1), np.float32), "bias": np.zeros(1, np.float32)}}
    scaler = Scaler("standard", (1.0,) * 3, (2.0,) * 3)
    x = np.full((2, 3), 5.0)
    alone = save_model(tmp_path / "a", nn.Dense(1), variables, example=x, scaler=scaler, targets=())
    np.testing.assert_array_equal(alone.predict(x), [[6.0], [6.0]])
    back = save_model(tmp_path / "b", nn.Dense(1), variables, example=x, scaler=scaler, targets=[2])
    np.testing.assert_array_equal(back.predict(x), [[13.0], [13.0]])


def test_another_process_gives_the_same_bits(forecaster, classifier, tmp_path):
    program = (
        "import sys, numpy as np; from seqvision.saving import load_model\n"
        "for folder, x in zip(sys.argv[1::2], sys.argv[2::2]):\n"
        "    np.save(x + '.out.npy', load_model(folder).predict(np.load(x)))"
    )
    inputs = {forecaster[0]: np.stack([WALK[row : row + 5] for row in range(9)]), classifier[0]: classifier[2]}
    arguments = []
    for folder, x in inputs.items():
        np.save(tmp_path / f"{folder.name}.npy", x)
        arguments += [str(folder), str(tmp_path / f"{folder.name}.npy")]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    for (_, _, _, saved), (folder, x) in zip((forecaster, classifier), inputs.items(), strict=True):
        theirs = np.load(tmp_path / f"{folder.name}.npy.out.npy")
        ours = saved.predict(x)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_fit_is_told_from_a_list_of_fits(tmp_path):
    x = np.ones((4, 3), np.float32)
    done = fit(nn.Dense(1), (x, x[:, :1]), loss="mse", optimizer="sgd", epochs=1, batch_size=4, key=0, progress=False)
    assert isinstance(done, Fit)
    for trained, seeds in ((done, 1), (done.state, 1), ((done, done), 2), ([done.state] * 3, 3)):
        assert len(save_model(tmp_path / "m", nn.Dense(1), trained, overwrite=True).states) == seeds
    assert variable_shapes(nn.Dense(1), x)["params"].keys() == load_model(tmp_path / "m").states[0].params.keys()


SAVING = """
import sys, numpy as np, flax.linen as nn
from seqvision.saving import save_model
x = np.ones((1, 300), np.float32)
for number in range(10**9):
    leaf = np.full((300, 300), number, np.float32)
    save_model(sys.argv[1], nn.Dense(300, use_bias=False), {"params": {"kernel": leaf}}, example=x, overwrite=True)
    print(number, flush=True)
"""


def killed_while_saving(path, seconds):
    """Kill a process that saves again and again; return how often it said that it had."""
    with subprocess.Popen([sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        said = process.stdout.read().split("\n")[:-1]
    return int(said[-1]) if said else 0


def check_killed(path, rng):
    last = killed_while_saving(path, rng.uniform(0, 0.3))
    (kernel,) = jax.tree.leaves(load_model(path).variables)
    assert last <= kernel[0, 0] <= last + 1
    assert (kernel == kernel[0, 0]).all()


def test_a_model_that_another_was_about_to_replace_is_there_still(tmp_path):
    path, old = tmp_path / "m", tmp_path / "m.old.partial"
    variables = {"params": {"kernel": np.ones((3, 3), np.float32)}}
    options = {"example": np.ones((1, 3))}
    save_model(path, nn.Dense(3, use_bias=False), variables, **options)
    path.replace(old)  # as it is where a process was killed between the two renames
    before = load_model(path).states[0].params["kernel"]
    save_model(path, nn.Dense(3, use_bias=False), {"params": {"kernel": before + 1}}, **options)
    np.testing.assert_array_equal(load_model(path).states[0].params["kernel"], before + 1)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_killed_while_saving_50_of_50(tmp_path):
    rng = np.random.default_rng(1)
    for number in range(50):
        check_killed(tmp_path / f"m{number % 5}", rng)
