"""Checks of data against batch size, model and loss, made before anything is compiled."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax

from seqvision._arrays import own_parts
from seqvision.data import Batch

from .losses import (
    LOSSES,
    PerExample,
    binary_cross_entropy,
    cross_entropy,
    differ_by_ones,
    like_outputs,
    sequence_cross_entropy,
)
from .regularizers import SmoothedCrossEntropy
from .state import MaskError, TrainState
from .step import Augmentation, forward


class LabelRange(NamedTuple):
    """The labels that a loss can take."""

    low: int
    high: int
    what: str  # who asks for it
    whole: bool  # whether only whole numbers are labels

    def check(self, labels: Any, rows: Any = None) -> None:
        """Refuse labels (N, ...) outside, naming the first one's row."""
        for begin, part in own_parts(labels if isinstance(labels, jax.Array) else np.asarray(labels)):
            self._check_part(np.asarray(part), begin[0] if rows is None else rows[begin[0] :])

    def _check_part(self, labels: np.ndarray, rows: Any) -> None:
        outside = (labels < self.low) | (labels > self.high)
        if self.whole and labels.dtype.kind not in "iub":
            outside |= labels != np.round(labels)
        if outside.any():
            at = int(np.argwhere(outside)[0][0])
            row = rows + at if isinstance(rows, int) else rows[at]
            wanted = "lie" if labels.dtype.kind in "iub" or not self.whole else "be whole numbers"
            raise ValueError(
                f"labels must {wanted} in {self.low}..{self.high} for {self.what}, but row "
                f"{row} has {labels[at].tolist()} ({int(outside.sum())} such labels)"
            )


def check_batch_size(batch_size: int, examples: int) -> None:
    """Refuse a batch that is larger than the data."""
    if batch_size > examples:
        raise ValueError(f"batch_size {batch_size} is larger than the {examples} examples: use {examples} or less")


def check_training_data(
    state: TrainState,
    batch: Batch,
    loss: PerExample,
    metrics: Sequence[tuple[str, PerExample]] = (),
    augment: Augmentation | None = None,
) -> LabelRange | None:
    """Refuse outputs and targets whose shapes do not fit the loss and the metrics; return what labels may be.

    Args:
      state: arrays or shapes.
      batch: arrays or shapes of a few examples.
      loss: (outputs, targets) -> (B,).
      metrics: names and functions likewise.
      augment: what the step does to a batch before.
    """
    if batch.y is None and loss in LOSSES.values():
        raise ValueError(
            "data has inputs alone, and this loss compares with targets: give Arrays(x, y) or the pair (x, y)"
        )
    if augment is not None:
        batch = jax.eval_shape(augment, jax.random.key(0), batch)
    with nn.intercept_methods(_needs_batch):
        outputs = check_inputs(state, batch.x, "fit")
    for function in (loss, *(metric for _, metric in metrics)):
        jax.eval_shape(lambda o, y, function=function: function(o, like_outputs(o, y)), outputs, batch.y)
    if loss in (cross_entropy, sequence_cross_entropy) or isinstance(loss, SmoothedCrossEntropy):
        classes = outputs.shape[-1]
        return LabelRange(
            0, classes - 1, f"the {classes} classes of the model", differ_by_ones(batch.y.shape, outputs.shape[:-1])
        )
    return LabelRange(0, 1, "binary targets", False) if loss is binary_cross_entropy else None


def check_optimizer(optimizer: optax.GradientTransformation, state: TrainState) -> None:
    """Refuse an optimizer whose update asks for more than gradients and parameters, such as the loss's value.

    Args:
      optimizer: an optax transformation.
      state: arrays or shapes.
    """
    try:
        jax.eval_shape(optimizer.update, state.params, state.opt_state, state.params)
    except TypeError as error:
        if "required keyword-only argument" not in str(error):
            raise
        raise TypeError(
            f"optimizer needs more than gradients in its update ({error}), which fit does not give: rules that look at "
            "the loss, such as lbfgs and reduce_on_plateau, are not supported; write optimizer=optax.adam(1e-3) or "
            "train with a step of your own"
        ) from error


def check_inputs(state: TrainState, x: Any, owner: str) -> Any:
    """Return the shapes of the model's outputs; refuse inputs that it cannot read, naming those that it was made for.

    Args:
      state: arrays or shapes.
      x: shapes of inputs.
      owner: what the error is reported for.
    """
    try:
        outputs = jax.eval_shape(forward, state, x)
    except MaskError:
        raise
    except Exception as error:
        if state.input_axes is not None:
            state.input_axes.explain(x, owner, error)
        raise
    check_leading_axis(outputs, x)
    return outputs


def check_leading_axis(outputs: Any, x: Any) -> None:
    """Refuse outputs whose first axis is not that of the examples: the model took it for another one.

    Args:
      outputs: shapes of what a model gave.
      x: shapes of what it was given.
    """
    examples = jax.tree.leaves(x)[0].shape[0]
    for leaf in jax.tree.leaves(outputs):
        if leaf.shape[:1] != (examples,):
            shapes = ", ".join(str(part.shape) for part in jax.tree.leaves(x))
            raise ValueError(
                f"the model gives {leaf.shape} for {examples} examples x {shapes}: the first axis must be "
                "the examples. Is an axis missing, that of channels, x[..., None], or of the batch, x[None]?"
            )


def _needs_batch(call: Callable, args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
    """Refuse to run a layer over the axis of the examples: layers take an input with fewer axes for one example."""
    module, least = context.module, 0
    mapped = type(args[0]).__name__ == "BatchTracer" if args else False  # by nn.vmap, over the batch for choice
    if context.method_name == "__call__" and args and not mapped:
        if isinstance(module, nn.Conv | nn.ConvTranspose):
            least = 2 + (1 if isinstance(module.kernel_size, int) else len(module.kernel_size))
        elif isinstance(module, nn.RNN):
            least = 3
        least = getattr(module, "least_axes", least)
        if getattr(args[0], "ndim", least) < least:
            raise ValueError(
                f"{type(module).__name__}: x must have at least {least} axes, the first that of the examples, got "
                f"{args[0].shape}: is an axis missing, such as that of channels, x[..., None]?"
            )
    return call(*args, **kwargs)
