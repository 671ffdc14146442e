"""The loss of YOLO's first version."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from seqvision.models import box_overlap, split_grid_outputs


def make_yolo_loss(
    num_classes: int, *, coordinates: float = 5.0, empty: float = 0.5
) -> Callable[[Array, Array], Array]:
    """Build YOLOv1's sum of squared errors, (outputs, targets) -> (N,), for `make_train_step` and `fit`.

    Of the boxes of a cell that holds an object, the one that overlaps it most is responsible: its center and the roots
    of its sides should be the object's, its confidence the overlap, and all other confidences zero. A cell with an
    object should give its class 1 and the others 0.

    Args:
      num_classes: C.
      coordinates: weight of the errors of center and sides.
      empty: weight of the errors of confidences that should be zero.

    Returns:
      A function of outputs (N, h, w, 5 B + C) and the targets (N, h, w, 5 + C) that `encode_boxes` makes.

    Source: Redmon, Divvala, Girshick, Farhadi, You Only Look Once, arXiv:1506.02640, equation 3.

    >>> loss = make_yolo_loss(3)
    >>> jax.jit(loss)(jnp.zeros((2, 7, 7, 13)), jnp.zeros((2, 7, 7, 8))).tolist()
    [0.0, 0.0]
    """

    def yolo_loss(outputs: Array, targets: Array) -> Array:
        corners, confidence, classes = split_grid_outputs(outputs, num_classes)
        if targets.shape != (*outputs.shape[:-1], 5 + num_classes):
            raise ValueError(
                f"yolo_loss: targets {targets.shape} must be {(*outputs.shape[:-1], 5 + num_classes)}, "
                "what encode_boxes gives for the grid of the outputs"
            )
        raw = outputs[..., : 5 * confidence.shape[-1]].reshape(*confidence.shape, 5)
        there = targets[..., 4]
        wanted = jnp.concatenate([targets[..., :2], jnp.sqrt(targets[..., 2:4]), targets[..., 4:]], axis=-1)
        true_corners = split_grid_outputs(wanted, num_classes)[0]
        shared = lax.stop_gradient(box_overlap(corners, jnp.broadcast_to(true_corners, corners.shape)))
        distance = lax.stop_gradient(jnp.square(raw[..., :4] - wanted[..., None, :4]).sum(axis=-1))
        # Where no box of the cell overlaps the object, the nearest is responsible.
        responsible = jnp.argmax(jnp.where(shared > 0, shared, -distance), axis=-1)
        mine = jax.nn.one_hot(responsible, confidence.shape[-1], dtype=bool) & (there[..., None] > 0)
        place = jnp.square(raw[..., :4] - wanted[..., None, :4]).sum(axis=-1)
        sure = jnp.square(confidence - jnp.where(mine, shared, 0)) * jnp.where(mine, 1.0, empty)
        kind = jnp.square(classes - targets[..., 5:]).sum(axis=-1) * there
        each = coordinates * jnp.where(mine, place, 0) + sure
        return each.sum(axis=(-3, -2, -1)) + kind.sum(axis=(-2, -1))

    return yolo_loss
