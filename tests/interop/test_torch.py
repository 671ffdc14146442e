"""torch.nn.RNN, GRU and LSTM with several layers, both directions, with and without biases: the same function."""

from functools import partial

import jax
import numpy as np
import pytest

from seqvision.cells import unroll, unroll_bidirectional
from seqvision.interop import from_torch, to_torch
from tests.interop.cases import CELLS, FAST, D, H, P, cell_of, close, golden, maker, part, random_params, same

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")  # torch says that it takes a slower way
NAMES = ["lstm", "lstm-plain", "lstm-proj", "gru", "gru-plain", "elman-tanh", "elman-relu"]


def depth_and_ways(weights):
    return 1 + ("weight_ih_l1" in weights), (False, True) if "weight_ih_l0_reverse" in weights else (False,)


def our_layers(cell, weights, xs):
    """What torch computes, by our unroll: differentiable in torch's weights."""
    depth, ways = depth_and_ways(weights)
    for layer in range(depth):
        params = tuple(from_torch(cell, weights, layer=layer, reverse=way) for way in ways)
        if len(ways) == 2:
            _, xs = unroll_bidirectional(cell, cell, params, xs)
        else:
            _, xs = unroll(cell, params[0], xs)
    return xs


@partial(jax.jit, static_argnums=0, compiler_options=FAST)
def run(cell, weights, xs, d_ys):
    ys, pull = jax.vjp(lambda weights, xs: our_layers(cell, weights, xs), weights, xs)
    return ys, *pull(d_ys)


def agree(cell, arrays):
    weights = {name: jax.numpy.asarray(array) for name, array in part(arrays, "weight.").items()}
    ys, d_weights, d_xs = run(cell, weights, arrays["xs"], arrays["d_ys"])
    close(ys, arrays["ys"])
    close(d_xs, arrays["grad.xs"])
    close(d_weights, {name: arrays[f"grad.{name}"] for name in weights})


@pytest.mark.parametrize("name", NAMES)
def test_torchs_weights_give_torchs_outputs_and_gradients(name):
    agree(cell_of(name), golden("layers_torch.npz", name))


@pytest.mark.parametrize("name", NAMES)
def test_our_weights_give_our_outputs_and_gradients_in_torch(name):
    pytest.importorskip("torch", reason="torch is asked for its outputs")
    cell, weights = cell_of(name), {}
    depth, ways = depth_and_ways(part(golden("layers_torch.npz", name), "weight."))
    bias = not name.endswith("-plain")
    for layer in range(depth):
        for way in ways:
            params = random_params(cell, len(ways) * (P if "proj" in name else H) if layer else D, seed=2 * layer + way)
            if not bias:
                params = params._replace(**{b: 0 * getattr(params, b) for b in params._fields if b.startswith("b")})
            weights |= to_torch(cell, params, layer=layer, reverse=way, bias=bias)
    agree(cell, maker().torch_layer(name, weights))


@pytest.mark.parametrize("name", ["lstm", "lstm-proj", "gru", "elman-tanh"])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_there_and_back_changes_no_bit(name, kind):
    cell = CELLS[name]
    params = jax.tree.map(lambda a: jax.numpy.asarray(a, kind), random_params(cell))
    state_dict = to_torch(cell, params, prefix="model.")
    assert all(isinstance(array, np.ndarray) and array.dtype == kind for array in state_dict.values())
    same(from_torch(cell, state_dict, prefix="model."), params)
    same(to_torch(cell, dict(params._asdict()), prefix="model."), state_dict)


def test_double_precision_is_kept(x64):
    cell = CELLS["gru"]
    params = jax.tree.map(lambda a: jax.numpy.asarray(a, "float64"), random_params(cell))
    same(from_torch(cell, to_torch(cell, params)), params)


@pytest.mark.parametrize(("name", "kind"), [("lstm", "LSTMCell"), ("gru", "GRUCell"), ("elman-tanh", "RNNCell")])
def test_single_step_cells_with_their_gradients_and_tensors_as_they_are(name, kind):
    torch = pytest.importorskip("torch", reason="torch's cells are asked for a step")
    cell, layer = CELLS[name], getattr(torch.nn, kind)(D, H)
    x = torch.randn(2, D)
    params = from_torch(cell, dict(layer.named_parameters()), layer=None)
    expected = layer(x)
    _, y = cell.step(params, cell.initial_state(params, (2,)), x.numpy())
    close(y, (expected[0] if name == "lstm" else expected).detach().numpy())
    assert set(to_torch(cell, params, layer=None)) == set(layer.state_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("weight_hh_l0"), r"from_torch: no 'weight_hh_l0' among .*bias_hh_l0.*: pass layer.state_dict"),
        (lambda d: d.pop("bias_hh_l0"), r"no 'bias_hh_l0' among"),
        (lambda d: d.update(weight_ih_l0=np.ones((16, 3))), r"weight_ih_l0 must have the shape \(20, any\) for LSTM"),
        (lambda d: d.update(bias_ih_l0=np.ones((1, 20))), r"bias_ih_l0 must have the shape \(20\) .* got \(1, 20\)"),
    ],
)
def test_wrong_state_dicts_are_named(change, message):
    weights = to_torch(CELLS["lstm"], random_params(CELLS["lstm"]))
    change(weights)
    with pytest.raises(ValueError, match=message):
        from_torch(CELLS["lstm"], weights)


def test_projections_need_the_cell_that_has_them():
    weights = to_torch(CELLS["lstm-proj"], random_params(CELLS["lstm-proj"]))
    weights["weight_hh_l0"] = np.ones((4 * H, H), np.float32)
    with pytest.raises(ValueError, match=r"weight_hr_l0 is a projection: use LSTMVariant\(hidden, proj=P\)"):
        from_torch(CELLS["lstm"], weights)


def test_half_precision_tensors_that_numpy_does_not_know_are_named():
    torch = pytest.importorskip("torch", reason="a bfloat16 tensor is needed")
    weights = {name: torch.tensor(a) for name, a in to_torch(CELLS["lstm"], random_params(CELLS["lstm"])).items()}
    with pytest.raises(ValueError, match=r"NumPy cannot read weight_ih_l0 .*: pass it as a float32 array"):
        from_torch(CELLS["lstm"], weights | {"weight_ih_l0": weights["weight_ih_l0"].bfloat16()})
