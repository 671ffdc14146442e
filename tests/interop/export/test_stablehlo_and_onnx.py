"""Exported models say what the model says, in processes that do not have the library."""

import json
import sys

import jax
import numpy as np
import pytest

from seqvision.cells import GRU, LRU
from seqvision.interop import export_onnx, export_stablehlo
from seqvision.models import Recurrent
from tests.interop.export.alone import run_alone
from tests.interop.export.networks import NETWORKS


def every(*quick):
    """All networks, of which some are tried in the quick tests."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in NETWORKS]


def made(name, rows=3):
    model, shape = NETWORKS[name]
    x = np.random.default_rng(0).normal(size=(rows, *shape)).astype(np.float32)
    variables = jax.jit(model.init)(jax.random.key(0), x)
    return model, shuffled(variables), x


def shuffled(variables):
    """Other numbers than a fresh network has, so that biases and running statistics count."""
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda a: np.asarray(a + 0.1 * rng.uniform(size=a.shape), a.dtype), variables)


@pytest.mark.parametrize("name", every("lstm", "convnet"))
def test_stablehlo_agrees_for_any_number_of_rows_on_every_platform(tmp_path, name):
    model, variables, x = made(name)
    done = export_stablehlo(tmp_path, model, variables, x)
    read = jax.export.deserialize(bytearray(done.file.read_bytes()))
    assert read.platforms == ("cpu", "cuda", "tpu")
    assert done.agreement.relative < 1e-5
    more = np.concatenate([x, 2 * x])
    np.testing.assert_allclose(
        read.call(more)[0], model.apply(variables, more), rtol=1e-5, atol=1e-5 * np.abs(done.agreement.largest + 1)
    )


@pytest.mark.parametrize("name", every("lstm", "convnet", "conv lstm"))
def test_onnx_agrees_for_any_number_of_rows(tmp_path, name):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("jax2onnx")
    model, variables, x = made(name)
    done = export_onnx(tmp_path, model, variables, x)
    assert done.agreement.relative < 1e-5
    session = onnxruntime.InferenceSession(done.file)
    more = np.concatenate([x, 2 * x])
    expected = np.asarray(model.apply(variables, more))
    (got,) = session.run(["y"], {"x": more})
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert session.get_inputs()[0].shape == ["batch", *x.shape[1:]]


def test_an_export_runs_without_the_library_and_says_what_it_takes(tmp_path):
    model, variables, x = made("lstm")
    done = export_stablehlo(tmp_path / "new" / "folder", model, variables, x, output="forecast", about={"unit": "°C"})
    assert max(run_alone(done.folder, "flax")) < 1e-5
    signature = json.loads((done.folder / "signature.json").read_text())
    assert signature["inputs"] == [{"name": "x", "shape": ["batch", 6, 2], "dtype": "float32"}]
    assert signature["outputs"] == [{"name": "forecast", "shape": ["batch", 2, 1], "dtype": "float32"}]
    assert signature["unit"] == "°C"
    assert done.snippet.rstrip() in done.text


def test_complex_numbers_have_no_onnx_form(tmp_path):
    pytest.importorskip("jax2onnx")
    model, x = Recurrent((LRU(2),)), np.ones((2, 3, 1), np.float32)
    with pytest.raises(ValueError, match=r"complex numbers, as LRU.*export_stablehlo"):
        export_onnx(tmp_path, model, model.init(jax.random.key(0), x), x)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    model, variables, x = made("mlp")
    with pytest.raises(ValueError, match="holds other files: name a new folder"):
        export_stablehlo(tmp_path, model, variables, x)


def test_what_differs_is_not_written(tmp_path):
    model, variables, x = made("mlp")
    with pytest.raises(ArithmeticError, match="more than 1e-05, so nothing was written"):
        export_stablehlo(tmp_path, model, variables, x, expected=model.apply(variables, x) * 1.001)
    assert not list(tmp_path.iterdir())


def test_a_model_that_must_know_the_number_of_rows_is_told_how(tmp_path):
    def halves(variables, x):
        return x[: x.shape[0] // 2].sum(axis=1) if x.shape[0] > 3 else x.sum(axis=1)

    x = np.ones((4, 3), np.float32)
    with pytest.raises(ValueError, match=r"must know how many rows there are.*such as batch=4"):
        export_stablehlo(tmp_path, halves, {}, x)
    done = export_stablehlo(tmp_path, halves, {}, x, batch=4)
    assert done.signature["inputs"][0]["shape"] == [4, 3]


def test_without_the_extra_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax2onnx", None)
    model, variables, x = made("mlp")
    with pytest.raises(ImportError, match=r"pip install 'seqvision\[onnx\]'"):
        export_onnx(tmp_path, model, variables, x)


@pytest.mark.parametrize("export", [export_stablehlo, export_onnx])
def test_kernels_of_one_platform_are_refused_by_name(tmp_path, export):
    pytest.importorskip("jax2onnx")
    model, x = Recurrent((GRU(16),), method="pallas"), np.ones((2, 3, 1), np.float32)
    variables = Recurrent((GRU(16),)).init(jax.random.key(0), x)
    with pytest.raises(ValueError, match=r'one kind of GPU \(pallas_call\): make it with method="auto"'):
        export(tmp_path, model, variables, x)
