"""Weights as a file: read by their paths, and loaded into layers of torch that compute the same."""

import json

import jax
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from seqvision.cells import GRU, LSTM, Elman, MinGRU
from seqvision.interop import export_safetensors
from seqvision.models import MLP, Anchored, ConvNet, LeNet5, Recurrent, RegressionHead
from tests.interop.export.alone import run_alone


def drawn(model, shape):
    """A model's variables, all of them random, and three rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *shape)).astype(np.float32)
    outlines = jax.eval_shape(model.init, jax.random.key(0), x)
    return jax.tree.map(lambda a: rng.uniform(0.1, 0.9, size=a.shape).astype(a.dtype), outlines), x


def layers_of(done):
    """Run the snippet here, and return the layers that it fills."""
    names = {"__file__": str(done.folder / "use.py")}
    exec(done.snippet, names)
    return names["layers"]


def test_weights_lie_under_their_paths_with_a_description(tmp_path):
    model = Recurrent((GRU(3),))
    variables, _ = drawn(model, (5, 2))
    done = export_safetensors(tmp_path, model, variables, about={"model": "gru"})
    read = load_file(done.file)
    np.testing.assert_array_equal(read["params.layer_0.cell.w_x"], variables["params"]["layer_0"]["cell"]["w_x"])
    assert len(read) == len(jax.tree.leaves(variables))
    described = json.loads(safe_open(done.file, "numpy").metadata()["description"])
    assert described["model"] == "gru"
    assert "GRU r|z|n" in described["how"]
    assert "params.layer_0.cell.b_n (3,) float32" in run_alone(tmp_path, "jax", "flax", numbers=False)


@pytest.mark.parametrize(
    ("cells", "kind", "both"),
    [((LSTM(4), LSTM(4)), "LSTM", True), ((GRU(3),), "GRU", False), ((Elman(3, "relu"),), "RNN", True)],
)
def test_a_recurrent_forecaster_is_the_same_in_torch(tmp_path, cells, kind, both):
    torch = pytest.importorskip("torch")
    model = Anchored(Recurrent(cells, bidirectional=both, head=RegressionHead(2)), (0,))
    variables, x = drawn(model, (5, 2))
    done = export_safetensors(tmp_path, model, variables, layout="torch")
    layers = layers_of(done)
    ys, final = layers["model.rnn"](torch.from_numpy(x))
    final = final[0] if kind == "LSTM" else final
    last = torch.cat([final[-2], final[-1]], dim=-1) if both else ys[:, -1]
    got = layers["model.head.dense"](last)[..., None] + torch.from_numpy(x[:, -1:, :1])
    np.testing.assert_allclose(got.detach().numpy(), model.apply(variables, x), rtol=1e-5, atol=1e-6)


def test_a_convolutional_network_is_the_same_in_torch(tmp_path):
    torch = pytest.importorskip("torch")
    model = ConvNet((3, 4), stride=1, padding="valid", kernel_size=(3, 3), batch_norm=True, dense=(5,))
    variables, x = drawn(model, (8, 8, 2))
    done = export_safetensors(tmp_path, model, variables, layout="torch")
    layers, y = layers_of(done), torch.from_numpy(np.moveaxis(x, -1, 1))
    for block in ("ConvBlock_0", "ConvBlock_1"):
        y = torch.relu(layers[f"{block}.norm"].eval()(layers[block](y)))
    y = torch.flatten(y.permute(0, 2, 3, 1), 1)
    got = layers["head.dense"](torch.relu(layers["Dense_0"](y))).detach().numpy()
    np.testing.assert_allclose(got, model.apply(variables, x), rtol=1e-5, atol=1e-5 * np.abs(got).max())


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (Recurrent((MinGRU(3),)), (5, 2), r"torch has no layer like MinGRU\(.*use layout=\"seqvision\""),
        (LeNet5(), (32, 32, 1), "torch has no layout for LeNet5"),
        (Recurrent((GRU(3, reset_after=False),)), (5, 2), "torch has no layer like GRU"),
    ],
)
def test_what_torch_has_no_layer_for_is_refused(tmp_path, model, shape, message):
    with pytest.raises((ValueError, TypeError), match=message):
        export_safetensors(tmp_path, model, drawn(model, shape)[0], layout="torch")
    assert not list(tmp_path.iterdir())


def test_layers_of_several_kinds_are_layers_of_their_own(tmp_path):
    model = Recurrent((LSTM(4), GRU(3)), head=MLP((2,)))
    variables, _ = drawn(model, (5, 2))
    done = export_safetensors(tmp_path, model, variables, layout="torch")
    assert '"rnn_0": torch.nn.LSTM(2, 4, batch_first=True)' in done.snippet
    assert '"rnn_1": torch.nn.GRU(4, 3, batch_first=True)' in done.snippet
