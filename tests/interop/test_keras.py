"""Keras's SimpleRNN, GRU in both forms and LSTM: the same function."""

import os
from functools import partial

import jax
import numpy as np
import pytest

from seqvision.cells import unroll, unroll_bidirectional
from seqvision.interop import from_keras, to_keras
from tests.interop.cases import CELLS, FAST, D, H, N, T, cell_of, close, golden, maker, part, random_params, same

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras's variables
NAMES = [name + end for name in ("lstm", "gru", "gru-reset-before") for end in ("", "-plain")]
NAMES += ["elman-tanh", "elman-relu"]


@pytest.fixture
def keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    module = pytest.importorskip("keras", reason="Keras is asked for its outputs")
    if module.backend.backend() != "jax":
        pytest.skip("Keras was imported with another backend than JAX")
    with jax.numpy_rank_promotion("allow"):  # Keras relies on it
        yield module


@partial(jax.jit, static_argnums=0, compiler_options=FAST)
def run(cell, weights, xs, d_ys):
    ys, pull = jax.vjp(lambda weights, xs: unroll(cell, from_keras(cell, weights), xs)[1], weights, xs)
    return ys, *pull(d_ys)


def agree(cell, arrays):
    weights = [jax.numpy.asarray(array) for array in part(arrays, "weight.").values()]
    ys, d_weights, d_xs = run(cell, weights, arrays["xs"], arrays["d_ys"])
    close(ys, arrays["ys"])
    close(d_xs, arrays["grad.xs"])
    close(d_weights, [arrays[f"grad.{k}"] for k in range(len(weights))])


@pytest.mark.parametrize("name", NAMES)
def test_keras_weights_give_keras_outputs_and_gradients(name):
    agree(cell_of(name), golden("layers_keras.npz", name))


@pytest.mark.parametrize("name", ["lstm", "gru", "gru-plain", "gru-reset-before", "elman-relu"])
def test_our_weights_give_our_outputs_and_gradients_in_keras(name, keras):
    cell, params = cell_of(name), random_params(cell_of(name))
    bias = not name.endswith("-plain")
    if not bias:
        params = params._replace(
            **{b: 0 * a for b, a in params._asdict().items() if b.startswith("b") and a is not None}
        )
    agree(cell, maker().keras_layer(name, to_keras(cell, params, bias=bias)))


def test_both_directions(keras):
    cell = CELLS["gru"]
    layer = keras.layers.Bidirectional(keras.layers.GRU(H, return_sequences=True))
    xs = np.random.default_rng(0).normal(size=(N, T, D)).astype(np.float32)
    layer.build(xs.shape)
    pair = tuple(random_params(cell, seed=seed) for seed in range(2))
    layer.set_weights([array for params in pair for array in to_keras(cell, params)])
    weights = layer.get_weights()
    back = tuple(from_keras(cell, half) for half in (weights[:3], weights[3:]))
    same(back, pair)
    close(unroll_bidirectional(cell, cell, back, xs)[1], np.asarray(layer(xs)))


@pytest.mark.parametrize("name", ["lstm", "gru", "gru-reset-before", "elman-tanh"])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_there_and_back_changes_no_bit(name, kind):
    cell = CELLS[name]
    params = jax.tree.map(lambda a: a.astype(kind), random_params(cell))
    weights = to_keras(cell, params)
    assert all(isinstance(array, np.ndarray) and array.dtype == kind for array in weights)
    same(from_keras(cell, weights), params)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("lstm", lambda w: w + w, r"from_keras: weights must be kernel, .* got 6 arrays: pass .*Bidirectional"),
        ("lstm", lambda w: [w[0], w[1].T], r"recurrent_kernel must have the shape \(5, 20\) for LSTM.*got \(20, 5\)"),
        ("gru", lambda w: [*w[:2], w[2][0]], r"bias must have the shape \(2, 15\) for GRU.* got \(15,\)"),
    ],
)
def test_wrong_weights_are_named(name, change, message):
    weights = to_keras(CELLS[name], random_params(CELLS[name]))
    with pytest.raises(ValueError, match=message):
        from_keras(CELLS[name], change(weights))
