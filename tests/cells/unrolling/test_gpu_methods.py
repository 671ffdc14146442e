"""The methods for GPUs, as far as any machine can try them: interpreted, lowered, and with a stand-in for cuDNN."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.cells import GRU, LSTM, Elman, LearnedStart, unroll
from tests.cells.cases import random_params, random_state

# From jax 0.12 on Pallas's Triton backend is deprecated; its successor cannot take blocks as small as these.
pytestmark = pytest.mark.filterwarnings("ignore:The Pallas Triton backend is deprecated:DeprecationWarning")

CELLS = [Elman(16), Elman(16, "relu"), GRU(16), LSTM(16)]


def problem(cell, batch, T, dtype=np.float32):
    rng = np.random.default_rng(T)
    xs, weights = rng.normal(size=(*batch, T, 3)).astype(dtype), rng.normal(size=(*batch, T, 16)).astype(dtype)
    mask, reset = rng.random((*batch, T)) < 0.7, rng.random((*batch, T)) < 0.3
    return random_params(cell, rng, 3, dtype), xs, random_state(cell, rng, batch, dtype), mask, reset, weights


def gradients(cell, method):
    def loss(params, xs, state, mask, reset, weights):
        final, ys = unroll(cell, params, xs, state=state, mask=mask, reset=reset, method=method)
        return jnp.sum(ys * weights) + sum(jnp.sum(jnp.cos(leaf)) for leaf in final), ys

    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))


def same(got, expected, tolerance):
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("cell", [*CELLS, LearnedStart(LSTM(16))], ids=str)
def test_the_interpreted_kernels_equal_the_scan(cell):
    with jax.enable_x64(True):
        arguments = problem(cell, (2, 9), 5, np.float64)  # 18 sequences: two programs, the second one padded
        same(gradients(cell, "pallas")(*arguments), gradients(cell, "scan")(*arguments), 1e-11)


def test_the_kernels_take_no_batch_axis_no_mask_and_no_step():
    params, xs, state, *_ = problem(LSTM(16), (), 4)
    for xs_ in (xs, xs[:0]):
        got, expected = (unroll(LSTM(16), params, xs_, state=state, method=m) for m in ("pallas", "scan"))
        same(got, expected, 1e-5)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_both_kernels_lower_for_cuda(cell):
    traced = gradients(cell, "pallas").trace(*problem(cell, (32,), 5))
    try:
        lowered = traced.lower(lowering_platforms=("cuda",))
    except RuntimeError as error:
        if "No supported GPU devices found" not in str(error):
            raise
        pytest.skip("this jax lowers a Pallas kernel only where it knows the GPU")
    assert lowered.as_text().count("triton") >= 2


def test_weights_too_large_for_the_chip(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    cell = LSTM(256)
    params = cell.init(jax.random.key(0), 3)
    with pytest.raises(
        ValueError, match=r'keeps w_h on the chip, at most 131072 bytes, got 1048576: use method="fused"'
    ):
        jax.eval_shape(lambda: unroll(cell, params, jnp.ones((2, 4, 3)), method="pallas"))


def test_cudnn_away_from_a_gpu():
    if jax.default_backend() == "gpu":
        pytest.skip("this machine has a GPU")
    cell = LSTM(4)
    with pytest.raises(ValueError, match=r'method="cudnn" needs an NVIDIA GPU, got .*use method="fused"'):
        unroll(cell, cell.init(jax.random.key(0), 3), jnp.ones((2, 5, 3)), method="cudnn")


def test_cudnn_equals_the_scan_where_there_is_a_gpu():
    if jax.default_backend() != "gpu":
        pytest.skip("needs an NVIDIA GPU")
    params, xs, state, _, _, weights = problem(LSTM(16), (3, 2), 5)
    arguments = params, xs, state, None, None, weights
    same(gradients(LSTM(16), "cudnn")(*arguments), gradients(LSTM(16), "scan")(*arguments), 1e-4)


def test_cudnn_is_called_with_its_own_layout(monkeypatch):
    """jax's plain reference of the cuDNN call, which takes the same packed weights, in its place."""
    rnn = importlib.import_module("jax.experimental.rnn")
    called = []

    def stand_in(x, h, c, weights, lengths, in_features, hidden, layers, dropout, bidirectional, precision):
        called.append(precision)
        unpacked = rnn.unpack_lstm_weights(weights, in_features, hidden, layers, bidirectional)
        return rnn.lstm_ref(x, h, c, *unpacked, lengths, in_features, hidden, layers, dropout, bidirectional)

    monkeypatch.setattr(rnn, "lstm", stand_in)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    params, xs, state, mask, reset, weights = problem(LSTM(16), (3, 2), 5)
    arguments = params, xs, state, None, None, weights
    same(gradients(LSTM(16), "cudnn")(*arguments), gradients(LSTM(16), "scan")(*arguments), 1e-5)
    assert called
    for flags in ({"mask": mask}, {"reset": reset}):
        with pytest.raises(ValueError, match=r'method="cudnn" knows neither mask nor reset'):
            unroll(LSTM(16), params, xs, method="cudnn", **flags)
