"""method="cudnn": the LSTM by NVIDIA's own kernels, where jax offers them."""

import jax
import jax.numpy as jnp
from jax import Array

from ...base import PyTree
from ...lstm import LSTM, LSTMParams, LSTMState
from ..problem import Problem


def is_supported(cell, problem: Problem) -> bool:
    """Whether method="cudnn" can run this cell."""
    return type(cell) is LSTM and cell.compute_dtype is None


def is_available() -> bool:
    """Whether the computation runs on a GPU."""
    return jax.default_backend() == "gpu"


def unroll_by_cudnn(cell, problem: Problem, remat: str = "none") -> tuple[PyTree, Array]:
    """Unroll in float32, without mask and reset."""
    from jax.experimental import rnn  # here, since it needs libraries of the GPU

    params, xs, state, *_ = problem
    T, *batch, D = xs.shape
    h, c = (leaf.reshape(1, -1, cell.hidden).astype(jnp.float32) for leaf in state)
    N = h.shape[1]
    if not T * N:
        return state, jnp.zeros((T, *batch, cell.hidden), xs.dtype)
    rows = jnp.swapaxes(xs.reshape(T, N, D), 0, 1).astype(jnp.float32)
    lengths = jnp.full((N,), T, jnp.int32)
    layers, dropout, bidirectional, precision = 1, 0.0, False, jax.lax.Precision.HIGHEST
    ys, h, c = rnn.lstm(
        rows, h, c, pack_weights(params), lengths, D, cell.hidden, layers, dropout, bidirectional, precision
    )
    ys = jnp.swapaxes(ys, 0, 1).reshape(T, *batch, cell.hidden)
    return LSTMState(*(leaf.reshape(*batch, cell.hidden) for leaf in (h, c))), ys


def pack_weights(params: LSTMParams) -> Array:
    """Return cuDNN's one vector of weights: W_x^T, W_h^T, the bias, and a second bias that stays zero."""
    parts = (params.w_x.T, params.w_h.T, params.b, jnp.zeros_like(params.b))
    return jnp.concatenate([part.reshape(-1) for part in parts]).astype(jnp.float32)
