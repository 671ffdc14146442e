"""Losses and metrics of token sequences whose ends are padding: logits (B, T, V), labels (B, T), token 0 left out."""

import jax.numpy as jnp
import optax
from jax import Array

PAD = 0


def sequence_cross_entropy(logits: Array, labels: Array) -> Array:
    """Cross entropy averaged over the steps that are not padding (label 0); NaN for a label outside 0..V-1.

    Every sequence weighs the same, long or short; one without any step counts 0. What the logits hold at padding, NaN
    included, changes neither value nor gradient.

    >>> sequence_cross_entropy(jnp.zeros((2, 3, 4)), jnp.array([[1, 2, 0], [3, 0, 0]])).tolist()
    [1.38..., 1.38...]
    """
    _check("sequence_cross_entropy", logits, labels)
    inside = (labels >= 0) & (labels < logits.shape[-1])
    counted = labels != PAD
    logits = jnp.where(counted[..., None], logits, 0)
    loss = optax.losses.softmax_cross_entropy_with_integer_labels(logits, jnp.where(inside, labels, 0))
    return _mean(jnp.where(inside, loss, jnp.nan), counted)


def token_accuracy(logits: Array, labels: Array) -> Array:
    """Share of steps with the right arg max, padding (label 0) left out; 0 where there is nothing else.

    >>> token_accuracy(jnp.eye(4)[None, :3], jnp.array([[1, 1, 2]])).tolist()
    [0.66...]
    """
    _check("token_accuracy", logits, labels)
    return _mean((jnp.argmax(logits, axis=-1) == labels).astype(jnp.float32), labels != PAD)


def exact_match(logits: Array, labels: Array) -> Array:
    """1 for a sequence that is right at every step but padding (label 0), else 0.

    >>> exact_match(jnp.eye(4)[None, 1:], jnp.array([[1, 2, 0]])).tolist()
    [1.0]
    """
    _check("exact_match", logits, labels)
    right = (jnp.argmax(logits, axis=-1) == labels) | (labels == PAD)
    return right.reshape(right.shape[0], -1).all(axis=1).astype(jnp.float32)


def _check(name: str, logits: Array, labels: Array) -> None:
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise TypeError(f"{name} takes integer labels, got {labels.dtype}: give token numbers, 0 for padding")
    if logits.ndim < 3 or labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"{name} takes logits (B, ..., T, V) and labels (B, ..., T), got {logits.shape} and {labels.shape}"
        )


def _mean(values: Array, counted: Array) -> Array:
    total = jnp.where(counted, values, 0).reshape(values.shape[0], -1).sum(axis=1)
    return total / jnp.maximum(counted.reshape(values.shape[0], -1).sum(axis=1), 1)
