"""Checks of data against model and loss, made before anything is compiled."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .losses import PerExample, binary_cross_entropy, cross_entropy
from .regularizers import SmoothedCrossEntropy
from .sequence_losses import sequence_cross_entropy
from .state import TrainState
from .step import Augmentation, forward


def check_training_data(state: TrainState, data: Any, loss: PerExample, augment: Augmentation | None = None) -> None:
    """Refuse outputs and targets that do not fit the loss, and labels outside the classes.

    Raises:
      ValueError: naming shapes, or the first row with a bad label.
    """
    batch = jax.eval_shape(lambda d: d.gather(jnp.zeros(2, jnp.int32)), data)
    if augment is not None:
        batch = jax.eval_shape(augment, jax.random.key(0), batch)
    outputs = jax.eval_shape(forward, state, batch.x)
    jax.eval_shape(loss, outputs, batch.y)
    labels = getattr(data, "y", None)
    if labels is None or isinstance(labels, jax.core.Tracer):
        return
    if loss in (cross_entropy, sequence_cross_entropy) or isinstance(loss, SmoothedCrossEntropy):
        _check_range(np.asarray(labels), 0, outputs.shape[-1] - 1, f"the {outputs.shape[-1]} classes of the model")
    if loss is binary_cross_entropy:
        _check_range(np.asarray(labels), 0, 1, "binary targets")


def _check_range(labels: np.ndarray, low: int, high: int, what: str) -> None:
    outside = (labels < low) | (labels > high)
    if outside.any():
        row = int(np.argwhere(outside)[0][0])
        raise ValueError(
            f"labels must lie in {low}..{high} for {what}, but row {row} has {labels[row].tolist()} "
            f"({int(outside.sum())} such labels)"
        )
