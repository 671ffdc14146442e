"""Pure recurrent cells and the ways to run them over time.

A cell is a frozen dataclass (what shape the computation has); its parameters and states are NamedTuples of arrays.
Batch axes lead and are arbitrary: x is (..., D), a sequence (..., T, D).

>>> import jax, jax.numpy as jnp
>>> cell = LSTM(16)
>>> params = cell.init(jax.random.key(0), in_features=3)
>>> final, ys = unroll(cell, params, jnp.zeros((32, 10, 3)))
>>> ys.shape
(32, 10, 16)
"""

from .attention import Attention, Bahdanau, BahdanauParams, Luong, LuongParams, attend
from .base import Cell
from .elman import Elman, ElmanParams, ElmanState
from .gru import GRU, GRUParams, GRUState
from .layers import unroll_bidirectional, unroll_stack
from .lstm import LSTM, LSTMParams, LSTMState
from .streams import sequence_mask, unroll_truncated
from .unroll import unroll

__all__ = [
    "GRU",
    "LSTM",
    "Attention",
    "Bahdanau",
    "BahdanauParams",
    "Cell",
    "Elman",
    "ElmanParams",
    "ElmanState",
    "GRUParams",
    "GRUState",
    "LSTMParams",
    "LSTMState",
    "Luong",
    "LuongParams",
    "attend",
    "sequence_mask",
    "unroll",
    "unroll_bidirectional",
    "unroll_stack",
    "unroll_truncated",
]
