"""What is exported of a run says, without the library, what `predict` says."""

import json

import numpy as np
import pytest

from seqvision import cli
from seqvision.interop import export_run
from seqvision.pipelines import (
    ClassifyConfig,
    ForecastConfig,
    predict_forecast,
    run_classify,
    run_forecast,
)
from tests.interop.export.alone import run_alone

pytestmark = pytest.mark.filterwarnings("ignore:the test rows")


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "prices.csv"
    steps = np.random.default_rng(0).normal(size=(90, 2)).cumsum(axis=0) + np.array([[5000, 20]])
    path.write_text("\n".join(["price,volume", *(f"{a:.3f},{b:.3f}" for a, b in steps)]))
    return path


@pytest.fixture(scope="module")
def series_run(csv, tmp_path_factory):
    config = ForecastConfig(
        csv=str(csv), target="price", columns=("volume",), models=("lstm", "mlp"), hidden=3, length=5, horizon=2,
        epochs=1, seeds=2, unit="€", out=str(tmp_path_factory.mktemp("runs")),
    )  # fmt: skip
    return run_forecast(config, progress=False).folder


@pytest.fixture(scope="module")
def image_run(tmp_path_factory):
    config = ClassifyConfig(
        models=("convnet",), hidden=3, epochs=1, seeds=2, limit=60, out=str(tmp_path_factory.mktemp("r"))
    )
    return run_classify(config, progress=False).folder


def test_a_forecaster_maps_rows_of_the_file_to_what_predict_says(series_run, csv):
    done = export_run(series_run, "stablehlo", model="lstm")
    assert done.folder == series_run / "exports" / "lstm-stablehlo"
    assert max(run_alone(done.folder, "flax")) < 1e-5 * 5000
    signature = json.loads((done.folder / "signature.json").read_text())
    (window,), (forecast,) = signature["inputs"], signature["outputs"]
    assert (window["name"], window["shape"], window["columns"]) == ("window", ["batch", 5, 2], ["price", "volume"])
    assert (forecast["name"], forecast["shape"], forecast["unit"]) == ("forecast", ["batch", 2], "€")
    assert signature["model"] == "lstm (mean of 2 seeds)"
    assert "lstm (mean of 2 seeds), all steps" in signature["verdict"]
    kept = np.load(done.folder / "example.npz")
    values = np.loadtxt(csv, delimiter=",", skiprows=1)
    np.testing.assert_allclose(kept["window"][0][-1], values[values.shape[0] - 18 - 1], rtol=1e-6)
    import jax.export

    read = jax.export.deserialize(bytearray(done.file.read_bytes()))
    table = predict_forecast(series_run).table
    said = table["forecast"][table["model"] == "lstm (mean of 2 seeds)"]
    np.testing.assert_allclose(read.call(values[None, -5:].astype(np.float32))[0][0], said, rtol=1e-6)


def test_the_command_exports_onnx(series_run, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("jax2onnx")
    out = tmp_path / "to be served"
    assert cli.main(["export", str(series_run), "--to", "onnx", "--model", "mlp", "--output", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "output forecast (batch, 2) float32: the next 2 rows of price" in printed
    assert "on 19 rows by onnxruntime" in printed
    assert f"python '{out / 'use.py'}'" in printed
    assert max(run_alone(out, "jax", "flax", "onnx", "jax2onnx")) < 1e-5 * 5000


@pytest.mark.slow
@pytest.mark.parametrize("to", ["stablehlo", "onnx"])
def test_pictures_get_probabilities(image_run, to):
    pytest.importorskip("jax2onnx")
    done = export_run(image_run, to)
    assert done.signature["classes"] == [str(digit) for digit in range(10)]
    kept = np.load(done.folder / "example.npz")
    np.testing.assert_allclose(kept["probabilities"].sum(axis=1), 1, rtol=1e-6)
    assert max(run_alone(done.folder, "flax")) < 1e-5
    assert export_run(image_run, to).agreement.relative < 1e-5  # once more, over the same folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "stablehlo", "model": "lstn"}, r"model='lstn' is not in .* did you mean lstm"),
        ({"to": "onyx"}, r"to='onyx'|to must be one of"),
        ({"to": "onnx", "layout": "torch"}, r"layout='torch' is for to=\"safetensors\""),
        ({"to": "onnx", "folder": "x"}, "is a run on a series: it has no folder of images"),
        ({"to": "onnx", "model": "mlp", "csv": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_what_cannot_be_is_refused(series_run, options, message):
    options = {"model": "mlp", **options} if "onyx" in options["to"] else options
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        export_run(series_run, **options)


def test_weights_of_a_run_are_read_without_the_library(series_run, capsys):
    done = export_run(series_run, "safetensors", model="lstm")
    assert done.signature["tensors"]["seed_1.params.model.layer_0.cell.w_x"] == [[2, 12], "float32"]
    run_alone(done.folder, "jax", "flax", numbers=False)
    chosen = export_run(series_run, "safetensors")
    assert chosen.signature["notes"][0].startswith(f"{chosen.folder.name.split('-')[0]} has the least error")
