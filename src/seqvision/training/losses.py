"""Losses and metrics by name: each maps (outputs, targets) to one value an example, (B,)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import jax.numpy as jnp
import optax
from jax import Array

PerExample = Callable[[Array, Array], Array]  # (outputs, targets) -> (B,)

_PAD = 0  # the token of padding at the ends of sequences, left out of their losses and metrics


def squared_error(outputs: Array, targets: Array) -> Array:
    """Squared error ("mse"), averaged over all axes but the first.

    >>> squared_error(jnp.array([[1.0], [3.0]]), jnp.array([[0.0], [3.0]])).tolist()
    [1.0, 0.0]
    """
    _same_shape("mse", outputs, targets)
    return _mean(jnp.square(outputs - targets))


def absolute_error(outputs: Array, targets: Array) -> Array:
    """Absolute error ("mae"), averaged over all axes but the first.

    >>> absolute_error(jnp.array([[1.0], [3.0]]), jnp.array([[0.0], [5.0]])).tolist()
    [1.0, 2.0]
    """
    _same_shape("mae", outputs, targets)
    return _mean(jnp.abs(outputs - targets))


def huber(outputs: Array, targets: Array) -> Array:
    """Huber's loss with threshold 1: quadratic up to an error of 1, linear from there (Huber 1964).

    >>> huber(jnp.array([[0.5], [3.0]]), jnp.array([[0.0], [0.0]])).tolist()
    [0.125, 2.5]
    """
    _same_shape("huber", outputs, targets)
    return _mean(optax.losses.huber_loss(outputs, targets))


def binary_cross_entropy(logits: Array, targets: Array) -> Array:
    """Cross entropy of logits of any shape with targets of the same shape in [0, 1]; NaN for a target outside.

    >>> binary_cross_entropy(jnp.zeros((2, 1)), jnp.array([[0], [1]])).tolist()
    [0.693..., 0.693...]
    """
    _same_shape("binary_cross_entropy", logits, targets)
    targets = targets.astype(logits.dtype)
    loss = optax.losses.sigmoid_binary_cross_entropy(logits, targets)
    return _mean(jnp.where((targets >= 0) & (targets <= 1), loss, jnp.nan))


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Cross entropy of logits (B, ..., K) with integer labels (B, ...); NaN for a label outside 0..K-1.

    >>> cross_entropy(jnp.zeros((2, 4)), jnp.array([0, 3])).tolist()
    [1.38..., 1.38...]
    """
    check_labels(logits, labels)
    inside = (labels >= 0) & (labels < logits.shape[-1])
    loss = optax.losses.softmax_cross_entropy_with_integer_labels(logits, jnp.where(inside, labels, 0))
    return _mean(jnp.where(inside, loss, jnp.nan))


def categorical_cross_entropy(logits: Array, targets: Array) -> Array:
    """Cross entropy of logits (B, ..., K) with target distributions of the same shape (one-hot or soft).

    >>> categorical_cross_entropy(jnp.zeros((1, 2)), jnp.array([[0.0, 1.0]])).tolist()
    [0.69...]
    """
    _same_shape("categorical_cross_entropy", logits, targets)
    return _mean(optax.losses.softmax_cross_entropy(logits, targets.astype(logits.dtype)))


def is_correct(outputs: Array, targets: Array) -> Array:
    """Share of right answers ("accuracy"): arg max for classes, sign of the logit for one binary output.

    >>> is_correct(jnp.array([[0.1, 2.0], [1.0, 0.0]]), jnp.array([1, 1])).tolist()
    [1.0, 0.0]
    """
    if outputs.ndim == targets.ndim + 1 and outputs.shape[:-1] == targets.shape:
        right = jnp.argmax(outputs, axis=-1) == targets
    else:
        _same_shape("accuracy", outputs, targets)
        if outputs.ndim > 1 and outputs.shape[-1] > 1:
            right = jnp.argmax(outputs, axis=-1) == jnp.argmax(targets, axis=-1)
        else:
            right = (outputs > 0) == (targets > 0.5)
    return _mean(right.astype(jnp.float32))


def sequence_cross_entropy(logits: Array, labels: Array) -> Array:
    """Cross entropy averaged over the steps that are not padding (label 0); NaN for a label outside 0..V-1.

    Every sequence weighs the same, long or short; one without any step counts 0. What the logits hold at padding, NaN
    included, changes neither value nor gradient.

    >>> sequence_cross_entropy(jnp.zeros((2, 3, 4)), jnp.array([[1, 2, 0], [3, 0, 0]])).tolist()
    [1.38..., 1.38...]
    """
    _check_tokens("sequence_cross_entropy", logits, labels)
    inside = (labels >= 0) & (labels < logits.shape[-1])
    counted = labels != _PAD
    logits = jnp.where(counted[..., None], logits, 0)
    loss = optax.losses.softmax_cross_entropy_with_integer_labels(logits, jnp.where(inside, labels, 0))
    return _mean_counted(jnp.where(inside, loss, jnp.nan), counted)


def token_accuracy(logits: Array, labels: Array) -> Array:
    """Share of steps with the right arg max, padding (label 0) left out; 0 where there is nothing else.

    >>> token_accuracy(jnp.eye(4)[None, :3], jnp.array([[1, 1, 2]])).tolist()
    [0.66...]
    """
    _check_tokens("token_accuracy", logits, labels)
    return _mean_counted((jnp.argmax(logits, axis=-1) == labels).astype(jnp.float32), labels != _PAD)


def exact_match(logits: Array, labels: Array) -> Array:
    """1 for a sequence that is right at every step but padding (label 0), else 0.

    >>> exact_match(jnp.eye(4)[None, 1:], jnp.array([[1, 2, 0]])).tolist()
    [1.0]
    """
    _check_tokens("exact_match", logits, labels)
    right = (jnp.argmax(logits, axis=-1) == labels) | (labels == _PAD)
    return right.reshape(right.shape[0], -1).all(axis=1).astype(jnp.float32)


LossName = Literal[
    "mse",
    "mae",
    "huber",
    "binary_cross_entropy",
    "cross_entropy",
    "categorical_cross_entropy",
    "sequence_cross_entropy",
]
LOSSES: dict[str, PerExample] = {
    "mse": squared_error,
    "mae": absolute_error,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "categorical_cross_entropy": categorical_cross_entropy,
    "sequence_cross_entropy": sequence_cross_entropy,
}
METRICS: dict[str, PerExample] = {
    **LOSSES,
    "accuracy": is_correct,
    "token_accuracy": token_accuracy,
    "exact_match": exact_match,
}


def resolve_loss(loss: LossName | PerExample) -> PerExample:
    """Return the function behind a loss's name; a function is its own name.

    >>> resolve_loss("mse") is squared_error
    True
    """
    return _resolve("loss", loss, LOSSES)


def resolve_metrics(
    metrics: Mapping[str, str | PerExample] | Iterable[str] | None,
) -> tuple[tuple[str, PerExample], ...]:
    """Return (name, function) pairs from names, or from a mapping of names to names or functions.

    >>> [name for name, _ in resolve_metrics({"accuracy"})]
    ['accuracy']
    """
    if metrics is None:
        return ()
    if isinstance(metrics, str):
        raise TypeError(f"metrics must be names or a mapping, got one string: pass {{{metrics!r}}}")
    named = metrics if isinstance(metrics, Mapping) else {name: name for name in sorted(metrics)}
    if "loss" in named:
        raise ValueError('metrics: the name "loss" is taken by the loss itself: choose another')
    return tuple((name, _resolve(f"metrics[{name!r}]", metric, METRICS)) for name, metric in named.items())


def _resolve(argument: str, choice: str | PerExample, table: Mapping[str, PerExample]) -> PerExample:
    if callable(choice):
        return choice
    if choice not in table:
        raise ValueError(f"{argument} must be one of {', '.join(table)}, or a function, got {choice!r}")
    return table[choice]


def check_labels(logits: Array, labels: Array) -> None:
    """Refuse what is not logits (B, ..., K) and integer labels (B, ...)."""
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise TypeError(
            f"cross_entropy takes integer labels, got {labels.dtype}: use categorical_cross_entropy for one-hot targets"
        )
    if logits.ndim < 2 or labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"cross_entropy takes logits (B, ..., K) and labels (B, ...), got {logits.shape} and {labels.shape}"
        )


def _same_shape(name: str, outputs: Array, targets: Array) -> None:
    if outputs.shape != targets.shape:
        raise ValueError(
            f"{name}: outputs {outputs.shape} and targets {targets.shape} must have the same shape "
            "(they are not broadcast): reshape one of them"
        )


def _mean(values: Array) -> Array:
    return values.reshape(values.shape[0], -1).mean(axis=1)


def _check_tokens(name: str, logits: Array, labels: Array) -> None:
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise TypeError(f"{name} takes integer labels, got {labels.dtype}: give token numbers, 0 for padding")
    if logits.ndim < 3 or labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"{name} takes logits (B, ..., T, V) and labels (B, ..., T), got {logits.shape} and {labels.shape}"
        )


def _mean_counted(values: Array, counted: Array) -> Array:
    total = jnp.where(counted, values, 0).reshape(values.shape[0], -1).sum(axis=1)
    return total / jnp.maximum(counted.reshape(values.shape[0], -1).sum(axis=1), 1)
