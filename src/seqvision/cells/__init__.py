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

from seqvision._exported import register_named_tuples

from .base import Cell, PyTree
from .conv_lstm import ConvLSTM, ConvLSTMParams
from .dropout import VariationalDropout, Zoneout
from .elman import Elman, ElmanParams, ElmanState
from .gru import GRU, GRUParams, GRUState
from .ind_rnn import IndRNN, IndRNNParams, IndRNNState
from .learned_start import LearnedStart, LearnedStartParams
from .lru import LRU, LRUParams, LRUState
from .lstm import LSTM, LSTMParams, LSTMState
from .lstm_variants import LSTMVariant, LSTMVariantParams
from .mgu import MGU, MGUParams, MGUState
from .min_gru_lstm import MinGRU, MinimalParams, MinimalState, MinLSTM
from .slstm import SLSTM, SLSTMState
from .unrolling.methods import Method, available_methods
from .unrolling.newton_unroll import NewtonResult, newton_unroll
from .unrolling.stacks import unroll_bidirectional, unroll_stack
from .unrolling.truncated import sequence_mask, unroll_truncated
from .unrolling.unroll import unroll

__all__ = [
    "GRU",
    "LRU",
    "LSTM",
    "MGU",
    "SLSTM",
    "Cell",
    "ConvLSTM",
    "ConvLSTMParams",
    "Elman",
    "ElmanParams",
    "ElmanState",
    "GRUParams",
    "GRUState",
    "IndRNN",
    "IndRNNParams",
    "IndRNNState",
    "LRUParams",
    "LRUState",
    "LSTMParams",
    "LSTMState",
    "LSTMVariant",
    "LSTMVariantParams",
    "LearnedStart",
    "LearnedStartParams",
    "MGUParams",
    "MGUState",
    "Method",
    "MinGRU",
    "MinLSTM",
    "MinimalParams",
    "MinimalState",
    "NewtonResult",
    "PyTree",
    "SLSTMState",
    "VariationalDropout",
    "Zoneout",
    "available_methods",
    "newton_unroll",
    "sequence_mask",
    "unroll",
    "unroll_bidirectional",
    "unroll_stack",
    "unroll_truncated",
]

register_named_tuples("cells", {name: globals()[name] for name in __all__})
