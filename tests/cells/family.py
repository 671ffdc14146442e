"""What the tests of the cell family share: the cells, their references, and random weights for them."""

from functools import partial

import jax
import numpy as np

from seqvision.cells import LRU, MGU, SLSTM, ConvLSTM, IndRNN, LSTMVariant, MinGRU, MinLSTM
from seqvision.testing import reference

D, H = 2, 4

OPTIONS = {
    "plain": {},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True},
    "no-input-gate": {"input_gate": False},
    "no-forget-gate": {"forget_gate": False},
    "no-output-gate": {"output_gate": False},
    "layer-norm": {"layer_norm": True},
    "proj": {"proj": 3},
    "clip": {"cell_clip": 0.4},
    "multiplicative": {"multiplicative": True},
    "all": {
        "peephole": True,
        "coupled": True,
        "output_gate": False,
        "layer_norm": True,
        "proj": 2,
        "cell_clip": 0.9,
        "multiplicative": True,
    },
    "three-peepholes": {"peephole": True, "layer_norm": True, "proj": 4, "cell_clip": 0.9},
}


def _variant(options):
    seen = {key: value for key, value in options.items() if key not in ("proj", "multiplicative")}  # the rest is params
    return LSTMVariant(H, **options), partial(reference.lstm_variant, **seen)


# name -> (cell, the reference's forward pass)
FAMILY = {
    **{f"lstm-{name}": _variant(options) for name, options in OPTIONS.items()},
    "mgu": (MGU(H), reference.mgu),
    "min-gru": (MinGRU(H), reference.min_gru),
    "min-lstm": (MinLSTM(H), reference.min_lstm),
    "lru": (LRU(H, features=3), reference.lru),
    **{
        f"ind-rnn-{f}": (IndRNN(H, f), partial(reference.ind_rnn, activation=f))
        for f in ("tanh", "relu", "sigmoid", "linear")
    },
    **{f"slstm-{f}": (SLSTM(H, forget=f), partial(reference.slstm, forget=f)) for f in ("sigmoid", "exp")},
    "conv-lstm-1d": (ConvLSTM(2, kernel_size=(3,), size=(5,)), reference.conv_lstm),
    "conv-lstm-2d": (ConvLSTM(2, kernel_size=(3, 2), size=(3, 4)), reference.conv_lstm),
    "conv-lstm-3d": (ConvLSTM(2, kernel_size=(1, 2, 3), size=(2, 2, 3)), reference.conv_lstm),
}


def event(cell):
    """The shape of one input event."""
    return (*getattr(cell, "size", ()), D)


def random_params(cell, rng, dtype=np.float64):
    """Weights with nothing special about them: no zero bias, no orthogonal block."""
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), D))
    scale = 0.3 if isinstance(cell, ConvLSTM) else 0.7
    return jax.tree.map(lambda leaf: (scale * rng.normal(size=leaf.shape)).astype(dtype), params)


def random_state(cell, rng, batch, dtype=np.float64):
    """A state that is not the initial one, real or complex as the cell's."""

    def draw(leaf):
        values = rng.normal(size=leaf.shape)
        if np.issubdtype(leaf.dtype, np.complexfloating):
            return (values + 1j * rng.normal(size=leaf.shape)).astype(np.result_type(dtype, np.complex64))
        return values.astype(dtype)

    state = jax.tree.map(draw, jax.eval_shape(lambda: cell.initial_state(cell.init(jax.random.key(0), D), batch)))
    if isinstance(cell, SLSTM):
        state = state._replace(n=(1 + np.abs(state.n)).astype(dtype))
    return state


def to_reference(cell, state):
    """The state as the references have it: sLSTM's without the stabiliser."""
    if not isinstance(cell, SLSTM):
        return tuple(state)
    h, c, n, m = map(np.asarray, state)
    return h, c * np.exp(m), n * np.exp(m)
