"""Losses for classes of which some are rare."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import ArrayLike

from seqvision._checks import check_count, check_number, shown

from .losses import as_labels, categorical_cross_entropy


def balanced_weights(labels: ArrayLike, num_classes: int) -> tuple[float, ...]:
    """Return n / (C n_c) for each class c: n rows in all, n_c of the class, C classes that have rows.

    Each class then has the same weight in all, and the mean over the rows is 1, so that the step size keeps its
    meaning; the same as scikit-learn's class_weight="balanced". A class without rows has weight 1.

    Args:
      labels: (N,) integers in 0 .. num_classes-1, of the training rows.
      num_classes: how many classes there are.

    Raises:
      ValueError: for other labels, or none.

    >>> balanced_weights([0, 0, 0, 1], num_classes=2)
    (0.666..., 2.0)
    """
    check_count("num_classes", num_classes)
    rows = np.asarray(labels)
    if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= num_classes:
        raise ValueError(f"labels must be integers in 0..{num_classes - 1} of shape (N,), got {shown(rows)}")
    counts = np.bincount(rows, minlength=num_classes)
    present = counts > 0
    weights = np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 1.0)
    return tuple(weights.tolist())


@dataclass(frozen=True)
class WeightedCrossEntropy:
    """Cross entropy times the weight of the example's class, as Keras's class_weight and torch's weight have it.

    A loss for `fit` and `make_train_step`: equal ones share one compilation. A batch's loss is the mean over its
    examples, not divided by the sum of their weights.

    Args:
      weights: one for each class, such as `balanced_weights`.
      smoothing: share of each label spread over all classes before they are weighted, as in `SmoothedCrossEntropy`.

    >>> WeightedCrossEntropy((1.0, 3.0))(jnp.zeros((2, 2)), jnp.array([0, 1])).tolist()
    [0.693..., 2.07...]
    """

    weights: tuple[float, ...]
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check the weights."""
        if not isinstance(self.weights, tuple) or len(self.weights) < 2:
            raise ValueError(f"weights must be a tuple of a number for each class, at least two, got {self.weights!r}")
        for k, weight in enumerate(self.weights):
            check_number(f"weights[{k}]", weight, least=0, below=float("inf"))
        check_number("smoothing", self.smoothing, least=0, below=1)

    def __call__(self, logits: Array, labels: Array) -> Array:
        """Map logits (B, ..., K), and labels (B, ...) or shares (B, ..., K), to (B,); NaN for a label outside."""
        classes = logits.shape[-1]
        if classes != len(self.weights):
            raise ValueError(f"WeightedCrossEntropy has {len(self.weights)} weights for logits of {classes} classes")
        if jnp.issubdtype(labels.dtype, jnp.floating) and labels.shape[-1:] == logits.shape[-1:]:
            shares = labels.astype(logits.dtype)
        else:
            labels = as_labels("WeightedCrossEntropy", logits, labels)
            inside = (labels >= 0) & (labels < classes)
            shares = jnp.where(inside[..., None], jax.nn.one_hot(labels, classes, dtype=logits.dtype), jnp.nan)
        shares = optax.smooth_labels(shares, self.smoothing)
        weights = jnp.broadcast_to(jnp.asarray(self.weights, logits.dtype), shares.shape)
        return categorical_cross_entropy(logits, shares * weights)
