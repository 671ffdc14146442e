"""Losses and metrics by name: each maps (outputs, targets) to one value an example, (B,)."""

from collections.abc import Callable, Iterable, Mapping

import jax.numpy as jnp
import optax
from jax import Array

from .sequence_losses import exact_match, sequence_cross_entropy, token_accuracy

PerExample = Callable[[Array, Array], Array]  # (outputs, targets) -> (B,)


def mse(outputs: Array, targets: Array) -> Array:
    """Squared error, averaged over all axes but the first.

    >>> mse(jnp.array([[1.0], [3.0]]), jnp.array([[0.0], [3.0]])).tolist()
    [1.0, 0.0]
    """
    _same_shape("mse", outputs, targets)
    return _mean(jnp.square(outputs - targets))


def mae(outputs: Array, targets: Array) -> Array:
    """Absolute error, averaged over all axes but the first.

    >>> mae(jnp.array([[1.0], [3.0]]), jnp.array([[0.0], [5.0]])).tolist()
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


def accuracy(outputs: Array, targets: Array) -> Array:
    """Share of right answers: arg max for classes, sign of the logit for one binary output.

    >>> accuracy(jnp.array([[0.1, 2.0], [1.0, 0.0]]), jnp.array([1, 1])).tolist()
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


LOSSES: dict[str, PerExample] = {
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "categorical_cross_entropy": categorical_cross_entropy,
    "sequence_cross_entropy": sequence_cross_entropy,
}
METRICS: dict[str, PerExample] = {
    **LOSSES,
    "accuracy": accuracy,
    "token_accuracy": token_accuracy,
    "exact_match": exact_match,
}


def resolve_loss(loss: str | PerExample) -> PerExample:
    """Return the function behind a loss's name; a function is its own name.

    >>> resolve_loss("mse") is mse
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
