"""Folders of models that are damaged, or that somebody else made: read, or refused by the name of the file."""

import json
import random
import re
import shutil
import tempfile
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import pytest

from seqvision.cells import GRU, available_methods
from seqvision.data import Scaler
from seqvision.models import MLP, Recurrent, RegressionHead
from seqvision.pipelines import ForecastConfig, predict_forecast, run_forecast
from seqvision.reporting import RunFolder
from seqvision.saving import load_model, save_model
from seqvision.storage import record_files
from tests.mutations import fuzz, mutated
from tests.pipelines.test_hostile_runs import scrambled

FREE = (".png", ".html")  # pictures and the report may be touched up


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of several layers with everything beside it, as `save_model` leaves it."""
    path = tmp_path_factory.mktemp("models") / "gru"
    model = Recurrent((GRU(2),), head=nn.Sequential((nn.Dense(2), nn.relu, RegressionHead(2))))
    x = np.ones((1, 4, 2), np.float32)
    variables = model.init(jax.random.key(0), x)
    scaler = Scaler("standard", (1.0, 2.0), (0.5, 3.0))
    data = {"calendar": {"kind": "business days"}, "notes": ["one"]}
    save_model(path, model, variables, example=x, scaler=scaler, columns=["a", "b"], targets=["b"], data=data)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of two models."""
    folder = tmp_path_factory.mktemp("runs")
    table = "day,x\n" + "".join(f"2020-{1 + n // 28:02d}-{1 + n % 28:02d},{100 + np.sin(n):.3f}\n" for n in range(70))
    (folder / "table.csv").write_text(table)
    config = {"csv": str(folder / "table.csv"), "models": ("linear", "mlp"), "length": 3, "hidden": 2, "epochs": 1}
    return run_forecast(ForecastConfig(**config, seeds=2, out=str(folder))).folder


def files_of(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix not in FREE and path.name != "STATUS"]


def flip(rng, files, read):
    """Flip a bit somewhere, the smallest file as likely as the largest, and read; the refusal must name the file."""
    path = rng.choice(files)
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    path.write_bytes(broken)
    try:
        with pytest.raises(ValueError, match=re.escape(str(path))):
            read()
    finally:
        path.write_bytes(whole)


def test_a_flipped_bit_in_a_model_is_refused_by_name_200_of_200(folder):
    rng, files = random.Random(0), files_of(folder)
    assert [path.name for path in files] == ["description.json", "manifest.json", "weights.safetensors"]
    for _ in range(200):
        flip(rng, files, lambda: load_model(folder))
    load_model(folder)


def test_a_flipped_bit_in_a_run_is_refused_by_name_200_of_200(run):
    rng, files = random.Random(1), files_of(run)
    assert len(files) > 10
    for number in range(200):
        ways = (lambda: RunFolder.open(run), lambda: load_model(run, "mlp"), lambda: predict_forecast(run))
        flip(rng, files, ways[number % 3])
    load_model(run, "mlp")


def test_missing_truncated_and_grown_files_are_refused_by_name(folder, run):
    for whole, read in ((folder, lambda: load_model(folder)), (run, lambda: load_model(run, "linear"))):
        for path in files_of(whole):
            content = path.read_bytes()
            for wrong in (b"", content[: len(content) // 2], content[:-1], content + b"\0"):
                path.write_bytes(wrong)
                with pytest.raises(ValueError, match=re.escape(str(path))):
                    read()
            path.unlink()
            with pytest.raises(ValueError, match=rf"{re.escape(str(path))} is missing|has no manifest\.json"):
                read()
            path.write_bytes(content)
        read()


def retold(folder, copy, change):
    """Copy a model and say something else of it, with a manifest that agrees."""
    shutil.copytree(folder, copy)
    told = json.loads((copy / "description.json").read_text())
    change(told)
    (copy / "description.json").write_text(json.dumps(told))
    record_files(copy)


def cell(told):
    return told["module"]["fields"]["cells"][0]["fields"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda told: told.update(schema=2),
            r"description\.json was written by a newer seqvision .*pip install",
        ),
        (lambda told: told.update(schema="1"), r"description\.json is damaged: its schema must be an int >= 1"),
        (lambda told: told.pop("schema"), r"description\.json is damaged: its schema must be"),
        (lambda told: told.pop("columns"), r"description\.json does not describe a model: it lacks 'columns'"),
        (lambda told: told.update(seeds=2), r"the weights do not fit .*seed_1/params/head/.* is missing"),
        (lambda told: told.update(seeds=10**9), "tells of 1000000000 seeds, but there are"),
        (lambda told: told.update(seeds=True), "seeds must be an int"),
        (lambda told: told["example"].update(shape=[1, 4, 10**12]), "is no shape and dtype of inputs"),
        (lambda told: told["example"].update(dtype="object"), "is no shape and dtype of inputs"),
        (lambda told: told["scaler"].update(scale=[0.0, 1.0]), "the scale of scaler must be above 0"),
        (lambda told: told["scaler"].update(shift=[10**400, 1.0]), r"description\.json does not describe a model"),
        (lambda told: told.update(targets=[2]), "are no columns of the scaler"),
        (lambda told: told.update(columns=["a"]), "there are 1 columns, but the scaler has 2"),
        (lambda told: told.update(classes=[]), "classes names none"),
        (lambda told: told["module"]["fields"].update(cells=[]), "the model described cannot read inputs"),
        (
            lambda told: told["module"]["fields"]["cells"][0]["fields"].update(hidden=3),
            r"cell/b is float32\(6,\), expected",
        ),
        (lambda told: told["module"]["fields"]["cells"][0]["fields"].update(hidden=10**12), "module has the number"),
        (
            lambda told: told.update(module={"class": "VGG", "fields": {"convolutions": [10**6]}}),
            "cannot read inputs|calls",
        ),
        (lambda told: told.update(module=3), "module is 3, no flax module"),
        (lambda told: told.update(module={"class": "GRU", "fields": {"hidden": 2}}), "no flax module"),
    ],
)
def test_descriptions_that_somebody_else_wrote_are_refused_by_name(folder, tmp_path, change, message):
    retold(folder, tmp_path / "copy", change)
    with pytest.raises(ValueError, match=message) as refused:
        load_model(tmp_path / "copy")
    assert "copy/description.json" in str(refused.value)


def test_a_way_to_run_that_this_device_has_not_is_replaced_and_said(folder, tmp_path, caplog):
    retold(folder, tmp_path / "copy", lambda told: told["module"]["fields"].update(method="cudnn"))
    if "cudnn" in available_methods():
        pytest.skip("there is an NVIDIA GPU")
    loaded = load_model(tmp_path / "copy")
    assert loaded.model.method == "auto"
    assert 'method="cudnn" is not for cpu: "auto" runs in its place' in caplog.text
    x = np.ones((3, 4, 2))
    np.testing.assert_array_equal(loaded.predict(x), load_model(folder).predict(x))


def test_files_that_no_manifest_lists_are_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").unlink()
    record_files(tmp_path / "copy", ["weights.safetensors"])
    with pytest.raises(ValueError, match=r"copy/description\.json is not in manifest\.json"):
        load_model(tmp_path / "copy")


def test_a_newer_manifest_says_so(folder, run, tmp_path):
    for whole in (folder, run):
        copy = shutil.copytree(whole, tmp_path / whole.name)
        (copy / "manifest.json").write_text('{"schema": 2, "entries": []}')
        with pytest.raises(ValueError, match=r"manifest\.json was written by a newer seqvision \(schema 2"):
            load_model(copy, None if whole is folder else "mlp")


def test_the_models_of_a_run_are_models(run, tmp_path, caplog):
    linear = load_model(run, "linear")
    assert linear.model == load_model(run / "models" / "linear").model
    assert isinstance(load_model(run, "mlp").model.model, MLP)
    assert (linear.name, linear.columns, len(linear.states)) == ("linear", ("x",), 2)
    assert linear.data["reading"]["date"] == "day"
    ahead = predict_forecast(run).table
    forecast = ahead.loc[ahead["model"] == "linear (mean of 2 seeds)", "forecast"].to_numpy()
    x = 100 + np.sin(np.arange(70.0)).round(3)
    np.testing.assert_allclose(linear.predict(x)[:, 0], forecast, rtol=1e-6)
    with pytest.raises(ValueError, match="has 2 models: say which, one of 'linear', 'mlp'"):
        load_model(run)
    with pytest.raises(ValueError, match="has no model 'mpl'; did you mean mlp"):
        load_model(run, "mpl")
    with pytest.raises(ValueError, match=r"name='mlp' is for the models of a run, but .* is one model"):
        load_model(run / "models" / "mlp", "mlp")
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "STATUS").write_text("stopped")
    load_model(copy, "mlp")
    assert "copy is no finished run, its STATUS says 'stopped'" in caplog.text


def hostile(folder, count):
    """Read so many models whose description or weights somebody changed who can write a manifest."""
    names = ("description.json", "description.json", "weights.safetensors")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}

    def make(rng):
        name = rng.choice(names)
        if name == "description.json" and rng.random() < 0.7:
            return name, json.dumps(scrambled(rng, json.loads(whole[name]))).encode()
        return name, mutated(rng, whole[name], list(whole.values()))

    def read(made):
        name, content = made
        (folder / name).write_bytes(content)
        try:
            record_files(folder, [name])
            load_model(folder)
        finally:
            for each, before in whole.items():
                (folder / each).write_bytes(before)

    return fuzz(make, read, count, named=lambda made: folder.name, kinds=(ValueError,))


def test_a_few_hostile_models(folder, tmp_path):
    counts = hostile(shutil.copytree(folder, tmp_path / "gru"), 150)
    assert counts["refused"] > 75


@pytest.mark.slow
def test_many_hostile_models(folder):
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk that is waited for takes ten times as long
    with tempfile.TemporaryDirectory(dir=memory) as here:
        hostile(shutil.copytree(folder, Path(here) / "gru"), 100_000)
