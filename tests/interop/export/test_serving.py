"""The server of experiments/serving answers as the model does, and says what does not fit."""

import json
import runpy
import threading
import urllib.error
import urllib.request
from pathlib import Path

import jax
import numpy as np
import pytest

from seqvision.interop import export_onnx, export_safetensors, export_stablehlo
from seqvision.models import MLP, RegressionHead

SERVER = runpy.run_path(str(Path(__file__).parents[3] / "experiments" / "serving" / "server.py"))


@pytest.fixture(params=[export_stablehlo, export_onnx])
def served(request, tmp_path):
    if request.param is export_onnx:
        pytest.importorskip("jax2onnx")
        pytest.importorskip("onnxruntime")
    model, x = MLP((3,), head=RegressionHead(2)), np.ones((4, 5, 1), np.float32)
    variables = model.init(jax.random.key(0), x)
    request.param(tmp_path, model, variables, {"window": x}, output="forecast")
    with SERVER["make_server"](tmp_path, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", lambda x: model.apply(variables, x)
        server.shutdown()
        thread.join()


def ask(url, request):
    data = request if request is None or isinstance(request, bytes) else json.dumps(request).encode()
    try:
        with urllib.request.urlopen(url, data) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_server_answers_and_refuses(served):
    url, model = served
    assert ask(url, None)[1]["inputs"][0]["shape"] == ["batch", 5, 1]
    rows = np.random.default_rng(0).normal(size=(3, 5, 1)).astype(np.float32)
    code, said = ask(url, {"window": rows.tolist()})
    assert code == 200
    np.testing.assert_allclose(said["forecast"], model(rows), rtol=1e-5, atol=1e-6)
    for wrong, told in [
        ({"windows": []}, "no 'window': send window"),
        ([1], "no 'window'"),
        ({"window": rows[0].tolist()}, r"window must be ['batch', 5, 1], got [5, 1]"),
        ({"window": [[[float("nan")]] * 5]}, "finite numbers"),
        ({"window": "x"}, "could not convert"),
        (b"{", "Expecting"),
    ]:
        code, said = ask(url, wrong)
        assert code == 400
        assert told in said["error"]


def test_weights_alone_are_not_served(tmp_path):
    model = MLP((3,))
    export_safetensors(tmp_path, model, model.init(jax.random.key(0), np.ones((1, 2))))
    with pytest.raises(SystemExit, match="export with --to onnx"):
        SERVER["make_server"](tmp_path, port=0)
