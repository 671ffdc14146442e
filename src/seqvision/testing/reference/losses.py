"""Losses of each example, float64, as their definitions read."""

import numpy as np


def mse(outputs, targets):
    """Return the mean squared error of each example.

    Args:
      outputs, targets: (B, ...), of one shape.
    Returns:
      (B,): the mean over all other axes.

    >>> mse([[1.0, 2.0]], [[0.0, 0.0]])
    array([2.5])
    """
    return _per_example((_float64(outputs) - _float64(targets)) ** 2)


def mae(outputs, targets):
    """Return the mean absolute error of each example.

    Args:
      outputs, targets: (B, ...), of one shape.
    Returns:
      (B,): the mean over all other axes.

    >>> mae([[1.0, 2.0]], [[0.0, 0.0]])
    array([1.5])
    """
    return _per_example(np.abs(_float64(outputs) - _float64(targets)))


def huber(outputs, targets, delta=1.0):
    """Return the Huber loss of each example: e^2 / 2 up to ``delta``, then delta (|e| - delta / 2).

    Args:
      outputs, targets: (B, ...), of one shape.
      delta: where the parabola becomes a line.
    Returns:
      (B,): the mean over all other axes.

    >>> huber([[0.5], [3.0]], [[0.0], [0.0]])
    array([0.125, 2.5  ])
    """
    error = np.abs(_float64(outputs) - _float64(targets))
    return _per_example(np.where(error <= delta, 0.5 * error**2, delta * (error - 0.5 * delta)))


def binary_cross_entropy(logits, targets):
    """Return -t log p - (1 - t) log(1 - p) with p = sigmoid(logit), of each example.

    Args:
      logits, targets: (B, ...), of one shape; targets in [0, 1].
    Returns:
      (B,): the mean over all other axes.

    >>> binary_cross_entropy([0.0], [1.0])  # log 2
    array([0.69314718])
    """
    logits, targets = _float64(logits), _float64(targets)
    minus_log_p, minus_log_q = np.logaddexp(0.0, -logits), np.logaddexp(0.0, logits)
    return _per_example(targets * minus_log_p + (1.0 - targets) * minus_log_q)


def categorical_cross_entropy(logits, targets):
    """Return -sum_k t_k log p_k with p = softmax(logits), of each example.

    Args:
      logits, targets: (B, ..., K); targets are distributions over the K classes.
    Returns:
      (B,): the mean over the axes between, if there are any.

    >>> categorical_cross_entropy([[0.0, 0.0]], [[0.0, 1.0]])
    array([0.69314718])
    """
    return _per_example(-np.sum(_float64(targets) * log_softmax(logits), axis=-1))


def cross_entropy(logits, labels):
    """Return -log p_label with p = softmax(logits), of each example.

    Args:
      logits: (B, ..., K).
      labels: integers (B, ...) in [0, K).
    Returns:
      (B,): the mean over the axes between, if there are any.

    >>> cross_entropy([[0.0, 0.0]], [1])
    array([0.69314718])
    """
    return categorical_cross_entropy(logits, np.eye(np.shape(logits)[-1])[np.asarray(labels)])


def log_softmax(logits):
    """Return log(exp(logit) / sum exp(logits)) over the last axis.

    Args:
      logits: (..., K).
    Returns:
      (..., K).

    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    """
    logits = _float64(logits)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _per_example(values):
    return values.reshape(values.shape[0], -1).mean(axis=1)


def _float64(array):
    return np.asarray(array, np.float64)
