"""What the tests of the exchange share: random weights, our layers by the names of the golden files, comparisons."""

import importlib.util
from pathlib import Path

import jax
import numpy as np

from seqvision.cells import GRU, LSTM, Elman, LSTMVariant

GOLDEN = Path(__file__).with_name("golden")
N, T, D, H, P = 2, 4, 3, 5, 2
FAST = {"xla_backend_optimization_level": 0}  # compiles in half the time
CELLS = {
    "lstm": LSTM(H),
    "lstm-proj": LSTMVariant(H, proj=P),
    "gru": GRU(H),
    "gru-reset-before": GRU(H, reset_after=False),
    "elman-tanh": Elman(H, "tanh"),
    "elman-relu": Elman(H, "relu"),
}


def cell_of(name):
    return CELLS[name.removesuffix("-plain")]


def golden(file, name):
    with np.load(GOLDEN / file, allow_pickle=False) as arrays:
        return {key.removeprefix(f"{name}/"): array for key, array in arrays.items() if key.split("/")[0] == name}


def maker():
    """The script that wrote the golden files, to ask the peers anew."""
    spec = importlib.util.spec_from_file_location("make_interop_golden", GOLDEN / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(arrays, prefix):
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}


def random_params(cell, in_features=D, seed=0):
    return random_like(cell.init(jax.random.key(0), in_features), seed)


def random_like(tree, seed=0):
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape, scale=0.5).astype(np.float32), tree)


def close(got, expected, tolerance=1e-5):
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def same(got, expected):
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
