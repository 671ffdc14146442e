"""The relatives of the LSTM and the GRU as their papers write them: one Python loop over time, float64.

All take ``params`` with the fields of the cell's parameters, xs (..., T, D), and the options of ``reference.lstm``:
``state`` (a tuple of arrays, the first state where None), ``mask`` (state held, output 0), ``reset`` (to the first
state) and ``reverse``. All return (state, ys).
"""

from typing import Any

import numpy as np

from .convolution import conv
from .loop import fields, float64, unroll
from .recurrent import ACTIVATIONS, sigmoid


def lstm_variant(
    params,
    xs,
    *,
    peephole=False,
    coupled=False,
    input_gate=True,
    forget_gate=True,
    output_gate=True,
    layer_norm=False,
    cell_clip=None,
    **run,
):
    """Run an LSTM with options: see ``cells.LSTMVariant``; projection and multiplication follow from the parameters.

    Args:
      params: w_x (D, K H), w_h (P, K H), b (K H,), K gates, those of i|f|g|o that exist; w_c (G, H), scale_x (K H,),
        scale_h (K H,), scale_c (H,), b_c (H,), w_p (H, P), w_mx (D, P), w_mh (P, P) or None.
      xs: (..., T, D).
      peephole: w_c c is added to i and f (c before the step) and o (after it).
      coupled: i = 1 - f.
      input_gate: False for i = 1.
      forget_gate: False for f = 1.
      output_gate: False for o = 1.
      layer_norm: norms of x W_x, h W_h and c'.
      cell_clip: bound of |c'|, or None.
      **run: state (h, c), mask, reset, reverse.
    Returns:
      ((h, c), ys): h (..., P), c (..., H), ys (..., T, P).

    >>> from types import SimpleNamespace
    >>> others = dict.fromkeys(("w_c", "w_p", "w_mx", "w_mh"))
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 3)), w_h=np.zeros((1, 3)), b=np.zeros(3), **others)
    >>> (h, c), ys = lstm_variant(zero, np.zeros((2, 1)), coupled=True, state=(np.zeros(1), np.array([4.0])))
    >>> c  # halved by f = 1/2 at each step
    array([1.])
    """
    missing = {"i": coupled or not input_gate, "f": not forget_gate, "g": False, "o": not output_gate}
    names = [gate for gate in "ifgo" if not missing[gate]]
    p: dict[str, Any] = {k: None if v is None else float64(v) for k, v in fields(params).items()}
    sizes = np.shape(params.w_h)[0], np.size(params.b) // len(names)
    watching = [gate for gate in names if gate != "g"]

    def step(state, x):
        h, c = state
        seen = h if p["w_mx"] is None else (x @ p["w_mx"]) * (h @ p["w_mh"])
        from_x, from_h = x @ p["w_x"], seen @ p["w_h"]
        if layer_norm:
            from_x, from_h = p["scale_x"] * standardize(from_x), p["scale_h"] * standardize(from_h)
        a = dict(zip(names, np.split(from_x + from_h + p["b"], len(names), axis=-1), strict=True))

        def gate(name, c):
            if name not in a:
                return 1.0
            return sigmoid(a[name] + (p["w_c"][watching.index(name)] * c if peephole else 0.0))

        f = gate("f", c)
        i = 1.0 - f if coupled else gate("i", c)
        c = f * c + i * np.tanh(a["g"])
        if cell_clip is not None:
            c = np.minimum(np.maximum(c, -cell_clip), cell_clip)
        h = gate("o", c) * np.tanh(p["scale_c"] * standardize(c) + p["b_c"] if layer_norm else c)
        h = h if p["w_p"] is None else h @ p["w_p"]
        return (h, c), h

    return unroll(step, [(size,) for size in sizes], xs, **run)


def standardize(a, epsilon=1e-5):
    """Return (a - mean) / sqrt(variance + epsilon) along the last axis.

    Args:
      a: (..., K).
      epsilon: added to the variance.
    Returns:
      float64 array of the same shape.

    >>> standardize([1.0, 3.0], epsilon=0.0)
    array([-1.,  1.])
    """
    a = np.asarray(a, np.float64)
    return (a - a.mean(axis=-1, keepdims=True)) / np.sqrt(a.var(axis=-1, keepdims=True) + epsilon)


def mgu(params, xs, **run):
    """Run a minimal gated unit: h' = (1 - f) h + f n.

    f = sigmoid(x W_f + h U_f + b_f) and n = tanh(x W_n + (f h) U_n + b_n).

    Args:
      params: w_x (D, 2H), w_h (H, 2H), b (2H,) in the order f|n.
      xs: (..., T, D).
      **run: state (h,), mask, reset, reverse.
    Returns:
      ((h,), ys): the final state and the outputs (..., T, H).

    Zhou et al. (2016), arXiv:1603.09420.

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 2)), w_h=np.zeros((1, 2)), b=np.zeros(2))
    >>> mgu(zero, np.zeros((2, 1)), state=(np.array([4.0]),))[1].ravel()  # f = 1/2, n = 0
    array([2., 1.])
    """
    w_xf, w_xn, w_hf, w_hn = (w for wide in (params.w_x, params.w_h) for w in np.split(float64(wide), 2, axis=-1))
    b_f, b_n = np.split(float64(params.b), 2)

    def step(state, x):
        (h,) = state
        f = sigmoid(x @ w_xf + h @ w_hf + b_f)
        n = np.tanh(x @ w_xn + (f * h) @ w_hn + b_n)
        h = (1.0 - f) * h + f * n
        return (h,), h

    return unroll(step, [b_f.shape], xs, **run)


def ind_rnn(params, xs, *, activation="relu", **run):
    """Run an independently recurrent network: h' = f(x W_x + u h + b).

    Args:
      params: w_x (D, H), u (H,), b (H,).
      xs: (..., T, D).
      activation: "tanh", "relu", "sigmoid" or "linear".
      **run: state (h,), mask, reset, reverse.
    Returns:
      ((h,), ys): the final state and the outputs (..., T, H).

    Li et al. (2018), arXiv:1803.04831.

    >>> from types import SimpleNamespace
    >>> ones = SimpleNamespace(w_x=np.ones((1, 1)), u=np.ones(1), b=np.zeros(1))
    >>> ind_rnn(ones, np.array([[2.0], [4.0], [6.0]]))[1].ravel()
    array([ 2.,  6., 12.])
    """
    w_x, u, b = map(float64, (params.w_x, params.u, params.b))

    def step(state, x):
        h = ACTIVATIONS[activation](x @ w_x + u * state[0] + b)
        return (h,), h

    return unroll(step, [u.shape], xs, **run)


def slstm(params, xs, *, forget="sigmoid", **run):
    """Run an sLSTM without a stabiliser: c' = f c + i g, n' = f n + i, h' = o c' / n', with i = exp(a_i).

    It overflows where the stabilised one does not: keep weights and inputs small.

    Args:
      params: w_x (D, 4H), w_h (H, 4H), b (4H,) in the order i|f|g|o.
      xs: (..., T, D).
      forget: "sigmoid" or "exp".
      **run: state (h, c, n), mask, reset, reverse.
    Returns:
      ((h, c, n), ys): the final state and the outputs (..., T, H).

    Beck et al. (2024), arXiv:2405.04517, equations 8 to 14.

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((1, 4)), w_h=np.zeros((1, 4)), b=np.zeros(4))
    >>> start = (np.zeros(1), np.array([4.0]), np.array([2.0]))
    >>> slstm(zero, np.zeros((2, 1)), state=start)[1].ravel()  # c halves, n = 2/2 + 1 stays, o = 1/2
    array([0.5 , 0.25])
    """
    w_x, w_h, b = map(float64, (params.w_x, params.w_h, params.b))

    def step(state, x):
        h, c, n = state
        i, f, g, o = np.split(x @ w_x + h @ w_h + b, 4, axis=-1)
        i, f = np.exp(i), np.exp(f) if forget == "exp" else sigmoid(f)
        c, n = f * c + i * np.tanh(g), f * n + i
        h = sigmoid(o) * c / n
        return (h, c, n), h

    return unroll(step, [(w_h.shape[0],)] * 3, xs, **run)


def conv_lstm(params, xs, **run):
    """Run a convolutional LSTM with "same" padding: the LSTM's equations, each product a convolution.

    Args:
      params: w_x (*window, D, 4H), w_h (*window, H, 4H), b (4H,) in the order i|f|g|o.
      xs: (..., T, *size, D).
      **run: state (h, c), mask, reset, reverse.
    Returns:
      ((h, c), ys): the final state and the outputs (..., T, *size, H).

    Shi et al. (2015), arXiv:1506.04214, without peepholes.

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_x=np.zeros((3, 1, 4)), w_h=np.zeros((3, 1, 4)), b=np.zeros(4))
    >>> (h, c), ys = conv_lstm(zero, np.zeros((2, 5, 1)), state=(np.zeros((5, 1)), np.full((5, 1), 4.0)))
    >>> c.ravel()  # halved by f = 1/2 at each step
    array([1., 1., 1., 1., 1.])
    """
    w_x, w_h, b = map(float64, (params.w_x, params.w_h, params.b))
    axes = w_x.ndim - 2
    shape = (*np.shape(xs)[-axes - 1 : -1], w_h.shape[-2])

    def step(state, x):
        h, c = state
        i, f, g, o = np.split(conv(x, w_x, b) + conv(h, w_h), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), h

    return unroll(step, [shape, shape], xs, event_axes=axes + 1, **run)
