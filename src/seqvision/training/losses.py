"""Losses and metrics by name: each maps (outputs, targets) to one value an example, (B,)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import jax.numpy as jnp
import optax
from jax import Array

from seqvision._checks import shown

PerExample = Callable[[Array, Array], Array]  # (outputs, targets) -> (B,)

_PAD = 0  # the token of padding at the ends of sequences, left out of their losses and metrics


def squared_error(outputs: Array, targets: Array) -> Array:
    """Squared error ("mse"), averaged over all axes but the first.

    >>> squared_error(jnp.array([[1.0], [3.0]]), jnp.array([[0.0], [3.0]])).tolist()
    [1.0, 0.0]
    """
    targets = _of_one_shape("mse", outputs, targets)
    return _mean(jnp.square(outputs - targets))


def absolute_error(outputs: Array, targets: Array) -> Array:
    """Absolute error ("mae"), averaged over all axes but the first.

    >>> absolute_error(jnp.array([[1.0], [3.0]]), jnp.array([[0.0], [5.0]])).tolist()
    [1.0, 2.0]
    """
    targets = _of_one_shape("mae", outputs, targets)
    return _mean(magnitude(outputs - targets))


def magnitude(x: Array) -> Array:
    """Return |x|, whose slope at 0 is 0; that of `jnp.abs` is 1.

    >>> import jax
    >>> jax.grad(magnitude)(0.0).item(), magnitude(jnp.array([-2.0, 3.0])).tolist()
    (0.0, [2.0, 3.0])
    """
    return x * jnp.sign(x)


def huber(outputs: Array, targets: Array) -> Array:
    """Huber's loss with threshold 1: quadratic up to an error of 1, linear from there (Huber 1964).

    >>> huber(jnp.array([[0.5], [3.0]]), jnp.array([[0.0], [0.0]])).tolist()
    [0.125, 2.5]
    """
    targets = _of_one_shape("huber", outputs, targets)
    return _mean(optax.losses.huber_loss(outputs, targets))


def binary_cross_entropy(logits: Array, targets: Array) -> Array:
    """Cross entropy of logits of any shape with targets of the same shape in [0, 1]; NaN for a target outside.

    >>> binary_cross_entropy(jnp.zeros((2, 1)), jnp.array([[0], [1]])).tolist()
    [0.693..., 0.693...]
    """
    targets = _of_one_shape("binary_cross_entropy", logits, targets).astype(logits.dtype)
    loss = optax.losses.sigmoid_binary_cross_entropy(logits, targets)
    return _mean(jnp.where((targets >= 0) & (targets <= 1), loss, jnp.nan))


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Cross entropy of logits (B, ..., K) with labels (B, ...), whole numbers; NaN for one that is none of 0..K-1.

    >>> cross_entropy(jnp.zeros((2, 4)), jnp.array([0, 3])).tolist()
    [1.38..., 1.38...]
    """
    labels = as_labels("cross_entropy", logits, labels)
    inside = (labels >= 0) & (labels < logits.shape[-1])
    loss = optax.losses.softmax_cross_entropy_with_integer_labels(logits, jnp.where(inside, labels, 0))
    return _mean(jnp.where(inside, loss, jnp.nan))


def categorical_cross_entropy(logits: Array, targets: Array) -> Array:
    """Cross entropy of logits (B, ..., K) with target distributions of the same shape (one-hot or soft).

    >>> categorical_cross_entropy(jnp.zeros((1, 2)), jnp.array([[0.0, 1.0]])).tolist()
    [0.69...]
    """
    name = "categorical_cross_entropy"
    _check_classes(name, logits)
    if targets.shape[-1:] != logits.shape[-1:]:
        raise ValueError(
            f"{name} takes targets of the shape of the logits {logits.shape}, got {targets.shape}: "
            'for labels as numbers use "cross_entropy"'
        )
    targets = _of_one_shape(name, logits, targets)
    return _mean(optax.losses.softmax_cross_entropy(logits, targets.astype(logits.dtype)))


def is_correct(outputs: Array, targets: Array) -> Array:
    """Share of right answers ("accuracy"): arg max for classes, sign of the logit for one binary output.

    >>> is_correct(jnp.array([[0.1, 2.0], [1.0, 0.0]]), jnp.array([1, 1])).tolist()
    [1.0, 0.0]
    """
    classes = outputs.ndim > 1 and outputs.shape[-1] > 1
    if classes and differ_by_ones(outputs.shape[:-1], targets.shape):
        return _mean(jnp.argmax(outputs, axis=-1) == targets.reshape(outputs.shape[:-1]))
    targets = _of_one_shape("accuracy", outputs, targets)
    if classes:
        return _mean(jnp.argmax(outputs, axis=-1) == jnp.argmax(targets, axis=-1))
    return is_right_sign(outputs, targets)


def is_right_sign(logits: Array, targets: Array) -> Array:
    """Share of binary answers that are right, those of all outputs of an example: "accuracy" of a binary loss.

    >>> is_right_sign(jnp.array([[3.0, 2.0], [1.0, -1.0]]), jnp.array([[1, 1], [0, 0]])).tolist()
    [1.0, 0.5]
    """
    targets = _of_one_shape("accuracy", logits, targets)
    return _mean((logits > 0) == (targets > 0.5))


def sequence_cross_entropy(logits: Array, labels: Array) -> Array:
    """Cross entropy averaged over the steps that are not padding (label 0); NaN for a label outside 0..V-1.

    Every sequence weighs the same, long or short; one without any step counts 0. What the logits hold at padding, NaN
    included, changes neither value nor gradient.

    >>> sequence_cross_entropy(jnp.zeros((2, 3, 4)), jnp.array([[1, 2, 0], [3, 0, 0]])).tolist()
    [1.38..., 1.38...]
    """
    labels = _as_tokens("sequence_cross_entropy", logits, labels)
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
    labels = _as_tokens("token_accuracy", logits, labels)
    return _mean_counted((jnp.argmax(logits, axis=-1) == labels).astype(jnp.float32), labels != _PAD)


def exact_match(logits: Array, labels: Array) -> Array:
    """1 for a sequence that is right at every step but padding (label 0), else 0.

    >>> exact_match(jnp.eye(4)[None, 1:], jnp.array([[1, 2, 0]])).tolist()
    [1.0]
    """
    labels = _as_tokens("exact_match", logits, labels)
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
    metrics: Mapping[str, str | PerExample] | Iterable[str | PerExample] | None, loss: PerExample | None = None
) -> tuple[tuple[str, PerExample], ...]:
    """Return (name, function) pairs from names and functions, or from a mapping of names to either.

    "accuracy" beside binary cross entropy is that of each output by itself, see `is_right_sign`; beside the errors
    "mse", "mae" and "huber", whose outputs are no logits, it is refused.

    >>> [name for name, _ in resolve_metrics({"accuracy"})]
    ['accuracy']
    """
    if metrics is None:
        return ()
    if isinstance(metrics, str):
        raise TypeError(f"metrics must be names or a mapping, got one string: pass {{{metrics!r}}}")
    if callable(metrics) or not hasattr(metrics, "__iter__"):
        raise TypeError(f"metrics must be names or a mapping, got {shown(metrics)}: pass a list or a mapping of them")
    named = (
        metrics if isinstance(metrics, Mapping) else {_name(metric): metric for metric in sorted(metrics, key=_name)}
    )
    if "loss" in named:
        raise ValueError('metrics: the name "loss" is taken by the loss itself: choose another')
    table = METRICS | ({"accuracy": is_right_sign} if loss is binary_cross_entropy else {})
    resolved = tuple((name, _resolve(f"metrics[{name!r}]", metric, table)) for name, metric in named.items())
    error = next((name for name in ("mse", "mae", "huber") if LOSSES[name] is loss), None)
    for name, function in resolved:
        if error and (function is is_correct or function is is_right_sign):
            raise ValueError(
                f"metrics[{name!r}]: accuracy is that of logits, whose sign or arg max is the class, and outputs "
                f'trained by "{error}" are none: write loss="binary_cross_entropy" (or "cross_entropy"), or give a '
                f"function of your own, metrics={{{name!r}: lambda outputs, targets: …}}"
            )
    return resolved


def _resolve(argument: str, choice: str | PerExample, table: Mapping[str, PerExample]) -> PerExample:
    if isinstance(choice, type):
        raise TypeError(
            f"{argument} must be a function, got the class {choice.__name__}: make one, {choice.__name__}()"
        )
    if callable(choice):
        return choice
    if not isinstance(choice, str) or choice not in table:
        raise ValueError(f"{argument} must be one of {', '.join(table)}, or a function, got {shown(choice)}")
    return table[choice]


def _name(metric: str | PerExample) -> str:
    return metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)


def differ_by_ones(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two shapes are the same but for axes of length 1 after the first: then they hold the same numbers.

    >>> differ_by_ones((5, 1), (5,)), differ_by_ones((5, 3), (5, 1, 3)), differ_by_ones((5, 1), (1, 5))
    (True, True, False)
    """
    without = [[n for n in axes[1:] if n != 1] for axes in (shape, other)]
    return tuple(shape[:1]) == tuple(other[:1]) and without[0] == without[1]


def like_outputs(outputs: Any, targets: Any) -> Any:
    """Return targets in the shape of the outputs, where the two differ by axes of length 1 alone; else as they are."""
    shape, other = (getattr(part, "shape", None) for part in (outputs, targets))
    if shape is None or other is None or shape == other or not differ_by_ones(shape, other):
        return targets
    return targets.reshape(shape)


def as_labels(name: str, logits: Array, labels: Array) -> Array:
    """Return labels as integers of the shape of logits (B, ..., K) without its last axis.

    Bools are 0 and 1; floats that are whole numbers stand for them, other floats for no class (-1).
    """
    _check_classes(name, logits)
    if not differ_by_ones(logits.shape[:-1], labels.shape):
        if labels.shape == logits.shape:
            raise TypeError(
                f"{name} takes a label for each example, but the targets {labels.shape} have the shape of the logits: "
                "use categorical_cross_entropy for one-hot targets"
            )
        raise ValueError(f"{name} takes logits (B, ..., K) and labels (B, ...), got {logits.shape} and {labels.shape}")
    labels = labels.reshape(logits.shape[:-1])
    if not jnp.issubdtype(labels.dtype, jnp.floating):
        return labels.astype(jnp.int32) if labels.dtype.itemsize < 4 else labels  # K may be more than an int8 holds
    whole = labels == jnp.round(labels)
    return jnp.where(whole, labels, -1).astype(jnp.int32)


def _as_tokens(name: str, logits: Array, labels: Array) -> Array:
    if logits.ndim < 3:
        raise ValueError(
            f"{name} takes logits (B, ..., T, V) and labels (B, ..., T), got {logits.shape} and {labels.shape}"
        )
    return as_labels(name, logits, labels)


def _check_classes(name: str, logits: Array) -> None:
    if logits.ndim < 2 or logits.shape[-1] < 2:
        raise ValueError(
            f"{name} takes logits (B, ..., K) of two classes or more, got {logits.shape}: "
            'for one output that says yes or no use "binary_cross_entropy"'
        )


def _of_one_shape(name: str, outputs: Array, targets: Array) -> Array:
    """Return the targets in the shape of the outputs, or refuse them."""
    targets = like_outputs(outputs, targets)
    if outputs.shape != targets.shape:
        raise ValueError(
            f"{name}: outputs {outputs.shape} and targets {targets.shape} must have the same shape, but for axes of "
            "length 1 (they are not broadcast): reshape one of them"
        )
    return targets


def _mean(values: Array) -> Array:
    values = values.astype(jnp.float32) if values.dtype == bool else values
    return values.reshape(values.shape[0], -1).mean(axis=1)


def _mean_counted(values: Array, counted: Array) -> Array:
    total = jnp.where(counted, values, 0).reshape(values.shape[0], -1).sum(axis=1)
    return total / jnp.maximum(counted.reshape(values.shape[0], -1).sum(axis=1), 1)
