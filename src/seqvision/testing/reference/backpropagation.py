"""Backpropagation through time by hand, float64: what automatic differentiation of an unrolled cell must give."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .recurrent import ACTIVATIONS, sigmoid

# f'(a) written with h = f(a).
_SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": lambda h: 1.0 - h**2,
    "relu": lambda h: (h > 0.0).astype(np.float64),
    "sigmoid": lambda h: h * (1.0 - h),
    "linear": np.ones_like,
}


class Gradients(NamedTuple):
    """Gradients of one number with respect to everything that a recurrent layer is given."""

    params: Any  # of the type of the parameters given, float64
    xs: np.ndarray  # (..., T, D)
    state: tuple[np.ndarray, ...]  # of the initial state, each (..., H)


def elman_gradients(
    params, xs, d_ys, d_final=None, *, state=None, mask=None, reset=None, reverse=False, activation="tanh"
):
    """Backpropagate through an Elman network.

    With a_t = x_t W_x + h_{t-1} W_h + b and h_t = f(a_t), and delta_t the gradient with respect to a_t:

      delta_t = (dE/dy_t + delta_{t+1} W_h^T) f'(a_t),   dW_x = sum_t x_t^T delta_t,   dW_h = sum_t h_{t-1}^T delta_t.

    Args:
      params, xs, state, mask, reset, reverse, activation: as ``elman``.
      d_ys: (..., T, H), the gradient with respect to the outputs.
      d_final: (d_h,), the gradient with respect to the final state; zeros by default.
    Returns:
      Gradients of the parameters (summed over the batch), of ``xs`` and of the initial state.

    Werbos, "Backpropagation through time: what it does and how to do it" (1990).

    >>> from types import SimpleNamespace
    >>> ones = SimpleNamespace(w_x=np.ones((1, 1)), w_h=np.ones((1, 1)), b=np.zeros(1))
    >>> xs, d_ys = np.array([[2.0], [4.0], [6.0]]), np.array([[0.0], [0.0], [4.0]])
    >>> elman_gradients(ones, xs, d_ys, activation="relu").params.w_h
    array([[32.]])
    """
    w_x, w_h, b = (np.asarray(leaf, np.float64) for leaf in (params.w_x, params.w_h, params.b))
    problem = _Problem.of(xs, d_ys, mask, reset, reverse, w_h.shape[0])
    h = problem.leaf(state, 0)
    saved = []
    for t in problem.times:
        keep, before = problem.mask[:, t, None], np.where(problem.reset[:, t, None], 0.0, h)
        after = ACTIVATIONS[activation](problem.xs[:, t] @ w_x + before @ w_h + b)
        saved.append((before, after))
        h = np.where(keep, after, before)

    dw_x, dw_h, db, dxs = np.zeros_like(w_x), np.zeros_like(w_h), np.zeros_like(b), np.zeros_like(problem.xs)
    dh = problem.leaf(d_final, 0)
    for t, (before, after) in zip(reversed(problem.times), reversed(saved), strict=True):
        keep, fresh = problem.mask[:, t, None], problem.reset[:, t, None]
        delta = np.where(keep, (problem.d_ys[:, t] + dh) * _SLOPES[activation](after), 0.0)
        dw_x += problem.xs[:, t].T @ delta
        dw_h += before.T @ delta
        db += delta.sum(axis=0)
        dxs[:, t] = delta @ w_x.T
        dh = np.where(fresh, 0.0, np.where(keep, delta @ w_h.T, dh))  # a held state passes its gradient on
    return Gradients(type(params)(w_x=dw_x, w_h=dw_h, b=db), problem.shaped(dxs), (problem.shaped(dh),))


def lstm_gradients(params, xs, d_ys, d_final=None, *, state=None, mask=None, reset=None, reverse=False):
    """Backpropagate through a long short-term memory.

    With c' = f c + i g and h' = o tanh(c'), given dh and dc from the step after:

      dc' = dc + dh o (1 - tanh(c')^2);  do = dh tanh(c'),  di = dc' g,  dg = dc' i,  df = dc' c;  dc = dc' f,

    each gate times its slope, side by side in delta: dW_x = sum_t x_t^T delta_t, dW_h = sum_t h_{t-1}^T delta_t.

    Args:
      params, xs, state, mask, reset, reverse: as ``lstm``.
      d_ys: (..., T, H), the gradient with respect to the outputs.
      d_final: (d_h, d_c), the gradient with respect to the final state; zeros by default.
    Returns:
      Gradients of the parameters (summed over the batch), of ``xs`` and of the initial state.

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 4)), w_h=np.zeros((1, 4)), b=np.zeros(4))
    >>> lstm_gradients(zero, np.ones((1, 1)), np.ones((1, 1))).params.w_x  # only g moves h: o i (1 - g^2) = 1/4
    array([[0.  , 0.  , 0.25, 0.  ]])
    """
    w_x, w_h, b = (np.asarray(leaf, np.float64) for leaf in (params.w_x, params.w_h, params.b))
    problem = _Problem.of(xs, d_ys, mask, reset, reverse, w_h.shape[0])
    h, c = problem.leaf(state, 0), problem.leaf(state, 1)
    saved = []
    for t in problem.times:
        keep, fresh = problem.mask[:, t, None], problem.reset[:, t, None]
        h, c = np.where(fresh, 0.0, h), np.where(fresh, 0.0, c)
        i, f, g, o = np.split(problem.xs[:, t] @ w_x + h @ w_h + b, 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        new_c = f * c + i * g
        saved.append((h, c, i, f, g, o, np.tanh(new_c)))
        h, c = np.where(keep, o * np.tanh(new_c), h), np.where(keep, new_c, c)

    dw_x, dw_h, db, dxs = np.zeros_like(w_x), np.zeros_like(w_h), np.zeros_like(b), np.zeros_like(problem.xs)
    dh, dc = problem.leaf(d_final, 0), problem.leaf(d_final, 1)
    for t, (h, c, i, f, g, o, squashed) in zip(reversed(problem.times), reversed(saved), strict=True):
        keep, fresh = problem.mask[:, t, None], problem.reset[:, t, None]
        d_new_h = problem.d_ys[:, t] + dh
        d_new_c = dc + d_new_h * o * (1.0 - squashed**2)
        di, df, dg, do = d_new_c * g, d_new_c * c, d_new_c * i, d_new_h * squashed
        slopes = [di * i * (1.0 - i), df * f * (1.0 - f), dg * (1.0 - g**2), do * o * (1.0 - o)]
        delta = np.where(keep, np.concatenate(slopes, axis=-1), 0.0)
        dw_x += problem.xs[:, t].T @ delta
        dw_h += h.T @ delta
        db += delta.sum(axis=0)
        dxs[:, t] = delta @ w_x.T
        dh = np.where(fresh, 0.0, np.where(keep, delta @ w_h.T, dh))
        dc = np.where(fresh, 0.0, np.where(keep, d_new_c * f, dc))
    d_state = (problem.shaped(dh), problem.shaped(dc))
    return Gradients(type(params)(w_x=dw_x, w_h=dw_h, b=db), problem.shaped(dxs), d_state)


class _Problem(NamedTuple):
    """The inputs with one batch axis N, padding zeroed, and the order in which time is walked."""

    xs: np.ndarray  # (N, T, D)
    d_ys: np.ndarray  # (N, T, H)
    mask: np.ndarray  # (N, T)
    reset: np.ndarray  # (N, T)
    times: list[int]
    batch: tuple[int, ...]
    hidden: int

    @classmethod
    def of(cls, xs, d_ys, mask, reset, reverse, hidden):
        xs, d_ys = np.asarray(xs, np.float64), np.asarray(d_ys, np.float64)
        *batch, length, features = xs.shape
        count = int(np.prod(batch))
        mask = np.broadcast_to(True if mask is None else mask, (*batch, length)).reshape(count, length)
        reset = np.broadcast_to(False if reset is None else reset, (*batch, length)).reshape(count, length)
        xs = np.where(mask[..., None], xs.reshape(count, length, features), 0.0)
        times = list(range(length))[:: -1 if reverse else 1]
        return cls(xs, d_ys.reshape(count, length, hidden), mask, reset, times, tuple(batch), hidden)

    def leaf(self, state, index):
        """One array of a state as (N, H), zeros where the state is None."""
        shape = (self.xs.shape[0], self.hidden)
        return np.zeros(shape) if state is None else np.asarray(state[index], np.float64).reshape(shape)

    def shaped(self, array):
        return array.reshape(*self.batch, *array.shape[1:])
