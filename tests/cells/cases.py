"""What the tests of the cells share: the cells, their references, random weights, and how torch names its own."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from seqvision.cells import GRU, LSTM, Elman, ElmanParams, GRUParams, LSTMParams
from seqvision.testing import reference

D, H = 2, 4

# name -> (cell, the reference's forward pass, its backward pass by hand)
CELLS = {
    **{
        f"elman-{f}": (
            Elman(H, f),
            partial(reference.elman, activation=f),
            partial(reference.elman_gradients, activation=f),
        )
        for f in ("tanh", "relu", "sigmoid", "linear")
    },
    "gru": (GRU(H), reference.gru, None),
    "gru-reset-before": (GRU(H, reset_after=False), partial(reference.gru, reset_after=False), None),
    "lstm": (LSTM(H), reference.lstm, reference.lstm_gradients),
}


def methods(name):
    """The ways in which unroll can run a cell."""
    return ("scan", "fused", "auto")


def random_params(cell, rng, in_features=D, dtype=np.float64):
    """Weights with nothing special about them: no zero bias, no orthogonal block."""
    params = cell.init(jax.random.key(0), in_features)
    scale = 0.5 if isinstance(cell, Elman) else 1.0
    return jax.tree.map(lambda leaf: (scale * rng.normal(size=leaf.shape)).astype(dtype), params)


def random_state(cell, rng, batch, dtype=np.float64):
    state = cell.initial_state(cell.init(jax.random.key(0), D), batch)
    return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(dtype), state)


def same(got, expected, tolerance=2e-5):
    """Leaf by leaf the same types, and the same numbers relative to a leaf's largest."""
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert a.dtype == b.dtype
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def params_from_torch(kind, weights, suffix="l0"):
    """Our parameters from the weights of torch.nn.LSTM, GRU or RNN.

    torch keeps (gates H, D), the transpose of ours, LSTM gates i|f|g|o and GRU gates r|z|n as ours, and two biases that
    are added, but for the recurrent bias of the GRU's candidate, which the reset gate multiplies.
    """
    w_x, w_h = weights[f"weight_ih_{suffix}"].T, weights[f"weight_hh_{suffix}"].T
    b_x, b_h = weights[f"bias_ih_{suffix}"], weights[f"bias_hh_{suffix}"]
    if kind == "gru":
        n = 2 * w_h.shape[0]
        b = np.concatenate([b_x[:n] + b_h[:n], b_x[n:]])
        return GRUParams(*map(jnp.asarray, (w_x, w_h, b, b_h[n:])))
    params = LSTMParams if kind == "lstm" else ElmanParams
    return params(*map(jnp.asarray, (w_x, w_h, b_x + b_h)))
