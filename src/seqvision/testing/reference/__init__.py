"""Slow and obvious twins of everything fast: NumPy, float64, one loop for every sum that a textbook writes.

Compare your own cell, layer or loss with these: they share no code with the library and need no JAX.
"""

from .attention import bahdanau, luong
from .backpropagation import Gradients, elman_gradients, lstm_gradients
from .convolution import conv, conv_gradients, conv_transpose
from .family import conv_lstm, ind_rnn, lstm_variant, mgu, slstm, standardize
from .linear import lru, min_gru, min_lstm
from .losses import binary_cross_entropy, categorical_cross_entropy, cross_entropy, huber, log_softmax, mae, mse
from .networks import SmallestCNNPass, TwoLayer, TwoLayerPass, smallest_cnn, two_layer
from .pooling import adaptive_pool, avg_pool, max_pool, sum_pool
from .recurrent import elman, gru, lstm, sigmoid

__all__ = [
    "Gradients",
    "SmallestCNNPass",
    "TwoLayer",
    "TwoLayerPass",
    "adaptive_pool",
    "avg_pool",
    "bahdanau",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "conv",
    "conv_gradients",
    "conv_lstm",
    "conv_transpose",
    "cross_entropy",
    "elman",
    "elman_gradients",
    "gru",
    "huber",
    "ind_rnn",
    "log_softmax",
    "lru",
    "lstm",
    "lstm_gradients",
    "lstm_variant",
    "luong",
    "mae",
    "max_pool",
    "mgu",
    "min_gru",
    "min_lstm",
    "mse",
    "sigmoid",
    "slstm",
    "smallest_cnn",
    "standardize",
    "sum_pool",
    "two_layer",
]
