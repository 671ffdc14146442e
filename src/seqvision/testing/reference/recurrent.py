"""Recurrent layers as the textbook writes them: one Python loop over time, float64.

All share the conventions of ``seqvision.cells.unroll``: ``xs`` is (..., T, D); where ``mask`` is False the state is
held and the output is 0; where ``reset`` is True the state before that step is zero; ``reverse`` flips time before and
after.
"""

from collections.abc import Callable

import numpy as np

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0.0),
    "sigmoid": lambda a: sigmoid(a),
    "linear": lambda a: a,
}

State = tuple[np.ndarray, ...]


def sigmoid(a):
    """Return the logistic function 1 / (1 + exp(-a)), written so that no exponential overflows.

    Args:
      a: array of any shape.
    Returns:
      float64 array of the same shape.

    >>> sigmoid([0.0, 1000.0])
    array([0.5, 1. ])
    """
    a = np.asarray(a, np.float64)
    small = np.exp(-np.abs(a))
    return np.where(a >= 0.0, 1.0, small) / (1.0 + small)


def elman(params, xs, *, state=None, mask=None, reset=None, reverse=False, activation="tanh"):
    """Run an Elman network over a sequence: h_t = f(x_t W_x + h_{t-1} W_h + b).

    Args:
      params: anything with w_x (D, H), w_h (H, H), b (H,).
      xs: (..., T, D).
      state: (h,) with h (..., H); zeros by default.
      mask: bool (..., T), False on padding.
      reset: bool (..., T), True where a new sequence begins.
      reverse: run from the last step to the first.
      activation: "tanh", "relu", "sigmoid" or "linear".
    Returns:
      ((h,), ys): the final state and the outputs (..., T, H).

    Elman, "Finding structure in time" (1990).

    >>> from types import SimpleNamespace
    >>> ones = SimpleNamespace(w_x=np.ones((1, 1)), w_h=np.ones((1, 1)), b=np.zeros(1))
    >>> elman(ones, np.array([[2.0], [4.0], [6.0]]), activation="relu")[1].ravel()
    array([ 2.,  6., 12.])
    """
    w_x, w_h, b = _float64(params.w_x, params.w_h, params.b)
    f = ACTIVATIONS[activation]

    def step(state, x):
        (h,) = state
        return (f(x @ w_x + h @ w_h + b),)

    return _loop(step, 1, w_h.shape[0], xs, state, mask, reset, reverse)


def gru(params, xs, *, state=None, mask=None, reset=None, reverse=False, reset_after=True):
    """Run a gated recurrent unit over a sequence; z keeps the old state.

    r = sigmoid(x W_r + h U_r + b_r) and z likewise; then h' = (1 - z) n + z h with the candidate

      reset_after=True   n = tanh(x W_n + b_n + r (h U_n + b'_n))    as cuDNN, torch and Keras
      reset_after=False  n = tanh(x W_n + b_n + (r h) U_n)           Cho et al., 2014, arXiv:1406.1078

    Args:
      params: anything with w_x (D, 3H), w_h (H, 3H), b (3H,) in the order r|z|n, and b_n (H,), the recurrent bias b'_n.
      xs: (..., T, D).
      state: (h,) with h (..., H); zeros by default.
      mask: bool (..., T), False on padding.
      reset: bool (..., T), True where a new sequence begins.
      reverse: run from the last step to the first.
      reset_after: which candidate; b_n is used with True only.
    Returns:
      ((h,), ys): the final state and the outputs (..., T, H).

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 3)), w_h=np.zeros((1, 3)), b=np.zeros(3), b_n=np.zeros(1))
    >>> gru(zero, np.zeros((2, 1)), state=(np.array([4.0]),))[1].ravel()  # r = z = 1/2, n = 0
    array([2., 1.])
    """
    w_x, w_h, b = _float64(params.w_x, params.w_h, params.b)
    hidden = w_h.shape[0]
    w_xr, w_xz, w_xn = np.split(w_x, 3, axis=1)
    w_hr, w_hz, w_hn = np.split(w_h, 3, axis=1)
    b_r, b_z, b_xn = np.split(b, 3)
    b_hn = np.asarray(params.b_n, np.float64) if reset_after else None

    def step(state, x):
        (h,) = state
        r = sigmoid(x @ w_xr + h @ w_hr + b_r)
        z = sigmoid(x @ w_xz + h @ w_hz + b_z)
        n = np.tanh(x @ w_xn + b_xn + (r * (h @ w_hn + b_hn) if reset_after else (r * h) @ w_hn))
        return ((1.0 - z) * n + z * h,)

    return _loop(step, 1, hidden, xs, state, mask, reset, reverse)


def lstm(params, xs, *, state=None, mask=None, reset=None, reverse=False):
    """Run a long short-term memory over a sequence: c' = f c + i g, h' = o tanh(c').

    Args:
      params: anything with w_x (D, 4H), w_h (H, 4H), b (4H,) in the order i|f|g|o: sigmoid gates but for g, tanh.
      xs: (..., T, D).
      state: (h, c), each (..., H); zeros by default.
      mask: bool (..., T), False on padding.
      reset: bool (..., T), True where a new sequence begins.
      reverse: run from the last step to the first.
    Returns:
      ((h, c), ys): the final state and the outputs (..., T, H).

    Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins (2000).

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 4)), w_h=np.zeros((1, 4)), b=np.zeros(4))
    >>> (h, c), ys = lstm(zero, np.zeros((2, 1)), state=(np.zeros(1), np.array([4.0])))
    >>> c  # halved by f = 1/2 at each step
    array([1.])
    """
    w_x, w_h, b = _float64(params.w_x, params.w_h, params.b)

    def step(state, x):
        h, c = state
        i, f, g, o = np.split(x @ w_x + h @ w_h + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    return _loop(step, 2, w_h.shape[0], xs, state, mask, reset, reverse)


def _loop(step, leaves: int, hidden: int, xs, state, mask, reset, reverse) -> tuple[State, np.ndarray]:
    xs = np.asarray(xs, np.float64)
    *batch, length, _ = xs.shape
    mask = np.ones((*batch, length), bool) if mask is None else np.broadcast_to(mask, (*batch, length))
    reset = np.zeros((*batch, length), bool) if reset is None else np.broadcast_to(reset, (*batch, length))
    if state is None:
        state = (np.zeros((*batch, hidden)),) * leaves
    state = tuple(np.asarray(leaf, np.float64) for leaf in state)
    ys = np.zeros((*batch, length, hidden))
    for t in reversed(range(length)) if reverse else range(length):
        keep, fresh = mask[..., t, None], reset[..., t, None]
        state = tuple(np.where(fresh, 0.0, leaf) for leaf in state)
        new = step(state, np.where(keep, xs[..., t, :], 0.0))
        ys[..., t, :] = np.where(keep, new[0], 0.0)
        state = tuple(np.where(keep, after, before) for after, before in zip(new, state, strict=True))
    return state, ys


def _float64(*arrays) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(array, np.float64) for array in arrays)
