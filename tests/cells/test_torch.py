"""The cells against torch.nn.LSTM, GRU and RNN, with torch's weights copied: outputs, states, gradients.

golden/make.py wrote what torch gives; where torch is installed, it is asked anew.
"""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM, Elman, unroll, unroll_bidirectional
from tests.cells.cases import params_from_torch

GOLDEN = Path(__file__).with_name("golden")
H = 4
CELLS = {"lstm": LSTM(H), "gru": GRU(H), "elman-tanh": Elman(H, "tanh"), "elman-relu": Elman(H, "relu")}


@pytest.fixture(scope="module", params=["golden", "live"])
def torch_gives(request):
    if request.param == "golden":
        with np.load(GOLDEN / "recurrent_torch.npz", allow_pickle=False) as arrays:
            return dict(arrays)
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("make_golden", GOLDEN / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    return make.make()


def case(torch_gives, name):
    return {key.split("/")[1]: array for key, array in torch_gives.items() if key.split("/")[0] == name}


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def leaves(arrays, prefix, cell):
    state = type(cell.initial_state(cell.init(jax.random.key(0), 1)))
    return state(*(arrays[f"{prefix}{n}"] for n in range(len(state._fields))))


@pytest.mark.parametrize("kind", CELLS)
def test_one_layer(kind, torch_gives):
    cell, arrays = CELLS[kind], case(torch_gives, kind)
    params = params_from_torch(kind, arrays)
    gradients = {name.removeprefix("grad."): array for name, array in arrays.items() if name.startswith("grad.")}
    # torch's two biases are added, so that each has the gradient of our one.
    expected_params = params_from_torch(kind, gradients)._replace(b=gradients["bias_ih_l0"])
    for method in ("scan", "fused"):
        (final, ys), pull = jax.vjp(
            lambda params, xs, state, method=method: unroll(cell, params, xs, state=state, method=method),
            params,
            arrays["xs"],
            leaves(arrays, "state", cell),
        )
        d_params, d_xs, d_state = pull((leaves(arrays, "d_final", cell), arrays["d_ys"]))
        close(ys, arrays["ys"])
        close(d_xs, arrays["grad.xs"])
        for got, expected in zip(final, leaves(arrays, "final", cell), strict=True):
            close(got, expected)
        for got, expected in zip(d_state, leaves(arrays, "grad.state", cell), strict=True):
            close(got, expected)
        for name in params._fields:
            close(getattr(d_params, name), getattr(expected_params, name))


@pytest.mark.parametrize("kind", ["lstm", "gru", "elman-tanh"])
def test_two_layers_both_ways_over_sequences_of_different_lengths(kind, torch_gives):
    cell, arrays = CELLS[kind], case(torch_gives, f"{kind}-stack")
    xs = arrays["xs"]
    mask = np.arange(xs.shape[1]) < arrays["lengths"][:, None]
    finals = []
    for layer in range(2):
        params = tuple(params_from_torch(kind, arrays, f"l{layer}{way}") for way in ("", "_reverse"))
        both, xs = unroll_bidirectional(cell, cell, params, xs, mask=mask)
        finals.extend(both)
    close(xs, arrays["ys"])
    for n in range(len(finals[0])):
        close(np.stack([final[n] for final in finals]), arrays[f"final{n}"])


def test_the_golden_file_stays_small():
    assert (GOLDEN / "recurrent_torch.npz").stat().st_size < 50_000
