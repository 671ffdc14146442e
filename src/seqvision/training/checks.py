"""Checks of data against batch size, model and loss, made before anything is compiled."""

from typing import Any, NamedTuple

import jax
import numpy as np

from seqvision.data import Batch

from .losses import PerExample, binary_cross_entropy, cross_entropy, sequence_cross_entropy
from .regularizers import SmoothedCrossEntropy
from .state import TrainState
from .step import Augmentation, forward


class LabelRange(NamedTuple):
    """The labels that a loss can take."""

    low: int
    high: int
    what: str  # who asks for it

    def check(self, labels: Any, rows: Any = None) -> None:
        """Refuse labels (N, ...) outside, naming the first one's row."""
        labels = np.asarray(labels)
        outside = (labels < self.low) | (labels > self.high)
        if outside.any():
            at = int(np.argwhere(outside)[0][0])
            raise ValueError(
                f"labels must lie in {self.low}..{self.high} for {self.what}, but row "
                f"{at if rows is None else rows[at]} has {labels[at].tolist()} ({int(outside.sum())} such labels)"
            )


def check_batch_size(batch_size: int, examples: int) -> None:
    """Refuse a batch that is larger than the data."""
    if batch_size > examples:
        raise ValueError(f"batch_size {batch_size} is larger than the {examples} examples: use {examples} or less")


def check_training_data(
    state: TrainState, batch: Batch, loss: PerExample, augment: Augmentation | None = None
) -> LabelRange | None:
    """Refuse outputs and targets whose shapes do not fit the loss; return what its labels may be.

    Args:
      state: arrays or shapes.
      batch: arrays or shapes of a few examples.
      loss: (outputs, targets) -> (B,).
      augment: what the step does to a batch before.
    """
    if augment is not None:
        batch = jax.eval_shape(augment, jax.random.key(0), batch)
    outputs = jax.eval_shape(forward, state, batch.x)
    jax.eval_shape(loss, outputs, batch.y)
    if loss in (cross_entropy, sequence_cross_entropy) or isinstance(loss, SmoothedCrossEntropy):
        return LabelRange(0, outputs.shape[-1] - 1, f"the {outputs.shape[-1]} classes of the model")
    return LabelRange(0, 1, "binary targets") if loss is binary_cross_entropy else None
