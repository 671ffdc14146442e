"""What the references of the cell family share: one Python loop over time, with masks, resets and reversal."""

import numpy as np


def unroll(step, shapes, xs, *, event_axes=1, dtype=np.float64, state=None, mask=None, reset=None, reverse=False):
    """Run step(state, x) -> (state, y) over xs (..., T, *event); ``shapes`` are those of the state, first zero."""
    xs = np.asarray(xs, np.float64)
    axis = xs.ndim - event_axes - 1  # time
    batch, length = xs.shape[:axis], xs.shape[axis]
    start = tuple(np.zeros((*batch, *shape), dtype) for shape in shapes)
    state = start if state is None else tuple(np.asarray(leaf, dtype) for leaf in state)
    mask = np.ones((*batch, length), bool) if mask is None else np.asarray(mask)
    reset = np.zeros((*batch, length), bool) if reset is None else np.asarray(reset)
    outputs: list[np.ndarray] = [np.zeros(0)] * length
    for t in reversed(range(length)) if reverse else range(length):
        x, valid = np.take(xs, t, axis=axis), mask[..., t]
        state = tuple(_where(reset[..., t], a, b) for a, b in zip(start, state, strict=True))
        new, y = step(state, _where(valid, x, np.zeros_like(x)))
        outputs[t] = _where(valid, y, np.zeros_like(y))
        state = tuple(_where(valid, a, b) for a, b in zip(new, state, strict=True))
    return state, np.stack(outputs, axis=axis)


def fields(params):
    """Return the fields of a NamedTuple or namespace as a dict."""
    return params._asdict() if hasattr(params, "_asdict") else vars(params)


def float64(array):
    """Return an array in double precision."""
    return np.asarray(array, np.float64)


def _where(condition, a, b):
    return np.where(condition.reshape(condition.shape + (1,) * (a.ndim - condition.ndim)), a, b)
