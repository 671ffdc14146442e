"""What a grid detector's outputs mean: boxes into targets, outputs into boxes, and the best of overlapping ones.

Boxes are corners (x0, y0, x1, y1) as shares of the image's width and height. A grid of h x w cells predicts in each
cell B boxes of five numbers and C class scores, in the order of YOLO's first version: (x, y, root of width, root of
height, confidence) * B, then the classes; x and y are the box's center within the cell, in 0..1, its sides shares
of the image. All functions here can be jitted; their results have fixed sizes.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from seqvision._checks import check_count


class Detections(NamedTuple):
    """Boxes that were found, best first; places that nothing was found for have the label -1 and the score 0."""

    boxes: Array | np.ndarray  # (..., K, 4) corners
    labels: Array | np.ndarray  # (..., K)
    scores: Array | np.ndarray  # (..., K) in 0..1


def box_overlap(boxes: Array, others: Array) -> Array:
    """Intersection over union of boxes, one by one and differentiable.

    Args:
      boxes: (..., 4) corners x0, y0, x1, y1.
      others: (..., 4) likewise.

    Returns:
      (...) in 0..1; 0 where both are empty.

    >>> box_overlap(jnp.array([0.0, 0.0, 0.5, 1.0]), jnp.array([0.25, 0.0, 0.75, 1.0])).round(4).item()
    0.333...
    """
    low, high = jnp.maximum(boxes[..., :2], others[..., :2]), jnp.minimum(boxes[..., 2:], others[..., 2:])
    shared = jnp.prod(jnp.maximum(high - low, 0), axis=-1)
    areas = [jnp.prod(jnp.maximum(b[..., 2:] - b[..., :2], 0), axis=-1) for b in (boxes, others)]
    union = areas[0] + areas[1] - shared
    return jnp.where(union > 0, shared / jnp.where(union > 0, union, 1), 0)


def encode_boxes(boxes: Array, labels: Array, grid: tuple[int, int], num_classes: int) -> Array:
    """Turn the boxes of images into targets for a grid: the cell that holds a box's center has to find it.

    Args:
      boxes: (N, M, 4) corners.
      labels: (N, M) classes; -1 where there is no box.
      grid: rows and columns of cells (h, w).
      num_classes: C.

    Returns:
      (N, h, w, 5 + C): x and y within the cell, width, height, 1 where there is a box, and the class as 0 and 1; zeros
      elsewhere. Of several centers in one cell the first box counts.

    >>> targets = encode_boxes(jnp.array([[[0.5, 0.0, 0.75, 0.5]]]), jnp.array([[2]]), (2, 2), 3)
    >>> targets[0, 0, 1].tolist()
    [0.25, 0.5, 0.25, 0.5, 1.0, 0.0, 0.0, 1.0]
    """
    boxes, labels = jnp.asarray(boxes, jnp.float32), jnp.asarray(labels, jnp.int32)
    if boxes.ndim != 3 or boxes.shape[-1] != 4 or labels.shape != boxes.shape[:2]:
        raise ValueError(
            f"encode_boxes: boxes must be (N, M, 4) and labels (N, M), got {boxes.shape} and "
            f"{labels.shape}: fill up with labels of -1"
        )
    rows, columns = grid
    cells = jnp.array([columns, rows], jnp.float32)
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2 * cells[None, None]
    corner = jnp.clip(jnp.floor(centers), 0, cells[None, None] - 1)
    sizes = boxes[..., 2:] - boxes[..., :2]
    ones = jnp.ones((*labels.shape, 1))
    values = jnp.concatenate([centers - corner, sizes, ones, jax.nn.one_hot(labels, num_classes)], axis=-1)
    column, row = corner[..., 0].astype(int), corner[..., 1].astype(int)
    row = jnp.where(labels >= 0, row, rows)  # outside the grid, so that it is dropped
    targets = jnp.zeros((len(boxes), rows, columns, 5 + num_classes))
    image = jnp.arange(len(boxes))
    for m in reversed(range(boxes.shape[1])):
        targets = targets.at[image, row[:, m], column[:, m]].set(values[:, m], mode="drop")
    return targets


def split_grid_outputs(outputs: Array, num_classes: int) -> tuple[Array, Array, Array]:
    """Take apart what a detector gives for its grid, as ``make_yolo_loss`` and ``decode_boxes`` read it.

    Args:
      outputs: (..., h, w, 5 B + C).
      num_classes: C.

    Returns:
      corners (..., h, w, B, 4), confidences (..., h, w, B) and class scores (..., h, w, C).

    Raises:
      ValueError: if the last axis is not 5 B + C.

    >>> [part.shape for part in split_grid_outputs(jnp.zeros((7, 7, 30)), 20)]
    [(7, 7, 2, 4), (7, 7, 2), (7, 7, 20)]
    """
    *batch, rows, columns, depth = outputs.shape
    count, rest = divmod(depth - num_classes, 5)
    if rest or count < 1:
        raise ValueError(f"outputs {outputs.shape}: the last axis must be 5 * boxes + {num_classes} classes")
    raw = outputs[..., : 5 * count].reshape(*batch, rows, columns, count, 5)
    cell = jnp.stack(jnp.meshgrid(jnp.arange(columns), jnp.arange(rows)), axis=-1)[:, :, None]  # (h, w, 1, 2)
    shape = (*batch, rows, columns, count, 2)
    centers = (raw[..., :2] + jnp.broadcast_to(cell, shape)) / jnp.broadcast_to(jnp.array([columns, rows]), shape)
    half = jnp.square(jnp.maximum(raw[..., 2:4], 0)) / 2
    return jnp.concatenate([centers - half, centers + half], axis=-1), raw[..., 4], outputs[..., 5 * count :]


def decode_boxes(outputs: Array, num_classes: int) -> Detections:
    """Turn a grid's outputs into all its boxes, each with its best class, in no order.

    Args:
      outputs: (..., h, w, 5 B + C).
      num_classes: C.

    Returns:
      Detections of K = h w B boxes, clipped to the image; a score is confidence times the class's score.

    >>> decode_boxes(jnp.zeros((3, 7, 7, 30)), 20).boxes.shape
    (3, 98, 4)
    """
    corners, confidence, classes = split_grid_outputs(outputs, num_classes)
    batch = outputs.shape[:-3]
    best = jnp.broadcast_to(classes.max(axis=-1)[..., None], confidence.shape)
    label = jnp.broadcast_to(classes.argmax(axis=-1)[..., None], confidence.shape)
    scores = jnp.clip(confidence, 0, 1) * jnp.clip(best, 0, 1)
    return Detections(
        jnp.clip(corners, 0, 1).reshape(*batch, -1, 4), label.reshape(*batch, -1), scores.reshape(*batch, -1)
    )


def non_maximum_suppression(
    found: Detections, *, limit: int, threshold: float = 0.5, lowest: float = 0.0
) -> Detections:
    """Keep the best box of every heap of boxes of one class that overlap.

    Again and again the box with the highest score is kept, and those of its class that overlap it by more than
    ``threshold`` are dropped.

    Args:
      found: boxes (..., M, 4), labels and scores (..., M).
      limit: boxes kept at most, K.
      threshold: intersection over union from which on two boxes are one.
      lowest: boxes of this score or less are dropped.

    Returns:
      Detections of K boxes, best first.

    Raises:
      ValueError: if limit is below 1.

    >>> boxes = jnp.array([[0.0, 0, 1, 1], [0.0, 0, 1, 0.9], [0.0, 0, 0.1, 0.1]])
    >>> found = Detections(boxes, jnp.array([1, 1, 1]), jnp.array([0.5, 0.75, 0.25]))
    >>> non_maximum_suppression(found, limit=3).scores.tolist()
    [0.75, 0.25, 0.0]
    """
    check_count("limit", limit, owner="non_maximum_suppression")
    if found.labels.ndim > 1:
        suppress = partial(non_maximum_suppression, limit=limit, threshold=threshold, lowest=lowest)
        return jax.vmap(suppress)(found)
    boxes, labels, scores = map(jnp.asarray, found)

    def keep(left: Array, _: None) -> tuple[Array, tuple[Array, Array, Array]]:
        best = jnp.argmax(left)
        box, label, score = boxes[best], labels[best], left[best]
        same = (box_overlap(jnp.broadcast_to(box, boxes.shape), boxes) > threshold) & (labels == label)
        left = jnp.where(same, 0, left).at[best].set(0)
        there = score > 0
        return left, (jnp.where(there, box, 0), jnp.where(there, label, -1), score)

    start = jnp.where(scores > lowest, scores, 0)
    return Detections(*lax.scan(keep, start, None, length=limit)[1])
