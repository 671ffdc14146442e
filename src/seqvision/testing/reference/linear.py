"""Cells that are linear in their state, as their papers write them: one Python loop over time, float64.

The conventions are those of ``reference.lstm_variant``.
"""

import numpy as np

from .loop import fields, float64, unroll
from .recurrent import sigmoid


def min_gru(params, xs, **run):
    """Run a minGRU: z = sigmoid(x W_z + b_z), n = x W_n + b_n, h' = (1 - z) h + z n.

    Args:
      params: w_x (D, 2H), b (2H,) in the order z|n.
      xs: (..., T, D).
      **run: state (h,), mask, reset, reverse.
    Returns:
      ((h,), ys): the final state and the outputs (..., T, H).

    Feng et al. (2024), arXiv:2410.01201.

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 2)), b=np.zeros(2))
    >>> min_gru(zero, np.zeros((2, 1)), state=(np.array([4.0]),))[1].ravel()  # z = 1/2, n = 0
    array([2., 1.])
    """
    w_x, b = float64(params.w_x), float64(params.b)

    def step(state, x):
        z, n = np.split(x @ w_x + b, 2, axis=-1)
        h = (1.0 - sigmoid(z)) * state[0] + sigmoid(z) * n
        return (h,), h

    return unroll(step, [(b.size // 2,)], xs, **run)


def min_lstm(params, xs, **run):
    """Run a minLSTM: f, i = sigmoid, n linear in x; h' = f/(f + i) h + i/(f + i) n.

    Args:
      params: w_x (D, 3H), b (3H,) in the order f|i|n.
      xs: (..., T, D).
      **run: state (h,), mask, reset, reverse.
    Returns:
      ((h,), ys): the final state and the outputs (..., T, H).

    Feng et al. (2024), arXiv:2410.01201.

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 3)), b=np.zeros(3))
    >>> min_lstm(zero, np.zeros((2, 1)), state=(np.array([4.0]),))[1].ravel()  # f = i, n = 0
    array([2., 1.])
    """
    w_x, b = float64(params.w_x), float64(params.b)

    def step(state, x):
        f, i, n = np.split(x @ w_x + b, 3, axis=-1)
        f, i = sigmoid(f), sigmoid(i)
        h = f / (f + i) * state[0] + i / (f + i) * n
        return (h,), h

    return unroll(step, [(b.size // 3,)], xs, **run)


def lru(params, xs, **run):
    """Run a linear recurrent unit: h' = lambda h + gamma (x B), y = Re(h' C) + x D.

    Args:
      params: nu_log, theta_log, gamma_log (H,); b_re, b_im (D, H); c_re, c_im (H, P); d (D, P).
      xs: (..., T, D).
      **run: state (h,) complex, mask, reset, reverse.
    Returns:
      ((h,), ys): the final state (..., H), complex, and the outputs (..., T, P), real.

    Orvieto et al. (2023), arXiv:2303.06349.

    >>> from types import SimpleNamespace
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> ring = {"nu_log": np.log(np.log([2.0])), "theta_log": np.array([-np.inf]), "gamma_log": np.zeros(1)}  # 1/2
    >>> half = SimpleNamespace(**ring, b_re=one, b_im=zero, c_re=one, c_im=zero, d=zero)
    >>> lru(half, np.array([[1.0], [0.0], [0.0]]))[1].ravel()
    array([1.  , 0.5 , 0.25])
    """
    p = {name: float64(leaf) for name, leaf in fields(params).items()}
    modulus, phase = np.exp(-np.exp(p["nu_log"])), np.exp(p["theta_log"])
    eigenvalues = modulus * (np.cos(phase) + 1j * np.sin(phase))
    B, C = p["b_re"] + 1j * p["b_im"], p["c_re"] + 1j * p["c_im"]

    def step(state, x):
        h = eigenvalues * state[0] + np.exp(p["gamma_log"]) * (x @ B)
        return (h,), (h @ C).real + x @ p["d"]

    return unroll(step, [eigenvalues.shape], xs, dtype=np.complex128, **run)
