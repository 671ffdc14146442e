"""Attention as the papers write it: one query and one source step at a time, float64."""

import numpy as np


def bahdanau(params, queries, memory, mask=None):
    """Read a memory by additive scores, v . tanh(q W_q + m W_k + b).

    Args:
      params: anything with w_q (Q, A), w_k (M, A), b (A,), v (A,).
      queries: (..., T, Q).
      memory: (..., S, M).
      mask: bool (..., S), the valid source steps; all by default.
    Returns:
      (contexts, weights): (..., T, M) and (..., T, S).

    Bahdanau, Cho and Bengio (2015).

    >>> from types import SimpleNamespace
    >>> zero = SimpleNamespace(w_q=np.zeros((1, 2)), w_k=np.zeros((1, 2)), b=np.zeros(2), v=np.zeros(2))
    >>> bahdanau(zero, [[1.0]], [[2.0], [4.0]])[0]
    array([[3.]])
    """
    w_q, w_k, b, v = (np.asarray(leaf, np.float64) for leaf in (params.w_q, params.w_k, params.b, params.v))
    return _attend(lambda q, m: v @ np.tanh(q @ w_q + m @ w_k + b), queries, memory, mask)


def luong(params, queries, memory, mask=None, score="general"):
    """Read a memory by one of Luong's scores: q . m, q W m, or v . tanh([q; m] W).

    Args:
      params: anything with w, (Q, M) for "general" and (Q + M, A) for "concat", and v (A,) for "concat".
      queries: (..., T, Q).
      memory: (..., S, M).
      mask: bool (..., S), the valid source steps; all by default.
      score: "dot", "general" or "concat".
    Returns:
      (contexts, weights): (..., T, M) and (..., T, S).

    Luong, Pham and Manning (2015), eq. 8.

    >>> luong(None, [[0.0]], [[2.0], [4.0], [9.0]], mask=[True, True, False], score="dot")[0]
    array([[3.]])
    """
    functions = {
        "dot": lambda q, m: q @ m,
        "general": lambda q, m: q @ np.asarray(params.w, np.float64) @ m,
        "concat": lambda q, m: (
            np.asarray(params.v, np.float64) @ np.tanh(np.concatenate([q, m]) @ np.asarray(params.w, np.float64))
        ),
    }
    return _attend(functions[score], queries, memory, mask)


def _attend(score, queries, memory, mask):
    queries, memory = np.asarray(queries, np.float64), np.asarray(memory, np.float64)
    *batch, steps, _ = queries.shape
    source, features = memory.shape[-2:]
    mask = np.ones((*batch, source), bool) if mask is None else np.asarray(mask)
    contexts, weights = np.zeros((*batch, steps, features)), np.zeros((*batch, steps, source))
    for row in np.ndindex(*batch, steps):
        valid = [s for s in range(source) if mask[(*row[:-1], s)]]
        scores = np.array([score(queries[row], memory[(*row[:-1], s)]) for s in valid])
        shares = np.exp(scores - scores.max(initial=-np.inf))
        for s, share in zip(valid, shares, strict=True):
            weights[(*row, s)] = share / shares.sum()
            contexts[row] += weights[(*row, s)] * memory[(*row[:-1], s)]
    return contexts, weights
