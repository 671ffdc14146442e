"""How well objects were found: overlap of boxes, precision and recall, mean average precision."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._arrays import as_array, as_numbers, check_same_shape
from seqvision._checks import check_count, check_number, is_int


class DetectionScores(NamedTuple):
    """Average precision of each class and their mean."""

    mean: float  # over the classes that there are objects of; NaN if there are none
    per_class: np.ndarray  # (C,), NaN where there is no object
    objects: np.ndarray  # (C,), how many there are
    recall: float  # share of all objects that were found at some score


def box_iou(boxes: ArrayLike, others: ArrayLike) -> np.ndarray:
    """Intersection over union of every box with every other.

    Args:
      boxes: (M, 4) corners x0, y0, x1, y1 in any unit.
      others: (K, 4).

    Returns:
      (M, K) in 0..1; 0 where both are empty.

    >>> box_iou([[0, 0, 2, 2]], [[1, 1, 3, 3], [0, 0, 2, 1], [5, 5, 6, 6]]).round(3)
    array([[0.143, 0.5  , 0.   ]])
    """
    a, b = (_corners(name, corners).reshape(-1, 4) for name, corners in (("boxes", boxes), ("others", others)))
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [np.clip(c[:, 2:] - c[:, :2], 0, None).prod(axis=-1) for c in (a, b)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def interpolated_average_precision(correct: ArrayLike, *, scores: ArrayLike, objects: int) -> float:
    """Area under precision over recall, precision being the best at that recall or a higher one.

    Args:
      correct: (K,) whether each detection is right.
      scores: (K,) how sure it was; equal scores keep their order.
      objects: how many there were to find, >= 1.

    Source: The PASCAL Visual Object Classes Challenge, from 2010 on.

    >>> interpolated_average_precision([True, False, True], scores=[0.9, 0.8, 0.7], objects=2)
    0.8333...
    """
    if not is_int(objects) or objects < 1:
        raise ValueError(f"interpolated_average_precision: objects must be at least 1, got {objects}")
    hits, sure = as_array("correct", correct), _finite("scores", scores)
    if hits.ndim != 1 or hits.dtype.kind not in "biuf" or not np.isin(hits, (0, 1)).all():
        raise ValueError(f"correct must be (K,) bool, got {hits.dtype} of shape {hits.shape}")
    check_same_shape("correct", hits.shape, "scores", sure.shape)
    if hits.sum() > objects:
        raise ValueError(f"{int(hits.sum())} detections are right of {objects} objects: each can be found once")
    right = hits.astype(bool)[np.argsort(-sure, kind="stable")]
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[right].sum() / objects)


def score_detections(
    truth_boxes: ArrayLike,
    truth_labels: ArrayLike,
    *,
    boxes: ArrayLike,
    labels: ArrayLike,
    scores: ArrayLike,
    num_classes: int,
    iou: float = 0.5,
) -> DetectionScores:
    """Judge detections in N images by mean average precision.

    In each image and class, detections are taken by falling score. One is right if the object that it overlaps most
    does so by at least ``iou`` and was not found before.

    Args:
      truth_boxes: (N, M, 4) corners of the objects.
      truth_labels: (N, M) their classes, -1 where there is none.
      boxes: (N, K, 4) corners of the detections.
      labels: (N, K) their classes, -1 where there is none.
      scores: (N, K).
      num_classes: how many there are, C.
      iou: overlap that counts as found.

    Raises:
      ValueError: for shapes that do not fit, values that are not finite, or labels outside.

    Source: as `interpolated_average_precision`.

    >>> box = [[[0, 0, 1, 1]]]
    >>> score_detections(box, [[0]], boxes=box, labels=[[0]], scores=[[0.9]], num_classes=1).mean
    1.0
    """
    t_boxes, d_boxes = _corners("truth_boxes", truth_boxes), _corners("boxes", boxes)
    num_classes = check_count("num_classes", num_classes, below=1 << 20)
    t_labels, d_labels = _classes("truth_labels", truth_labels, num_classes), _classes("labels", labels, num_classes)
    iou, sure = check_number("iou", iou, above=0, most=1), _finite("scores", scores)
    if t_boxes.shape != (*t_labels.shape, 4) or d_boxes.shape != (*d_labels.shape, 4) or sure.shape != d_labels.shape:
        raise ValueError(
            "score_detections: boxes must be (N, M, 4) with labels and scores (N, M), got "
            f"{t_boxes.shape}, {t_labels.shape} and {d_boxes.shape}, {d_labels.shape}, {sure.shape}"
        )
    if len(t_boxes) != len(d_boxes) or t_labels.ndim != 2:
        raise ValueError(f"score_detections: {len(t_boxes)} images have objects and {len(d_boxes)} detections")
    correct = np.zeros(d_labels.shape, bool)
    for n in range(len(t_boxes)):
        for label in np.unique(d_labels[n][d_labels[n] >= 0]):
            mine = np.flatnonzero(d_labels[n] == label)
            mine = mine[np.argsort(-sure[n, mine], kind="stable")]
            correct[n, mine] = _matches(d_boxes[n, mine], t_boxes[n, t_labels[n] == label], iou)
    objects = np.array([(t_labels == c).sum() for c in range(num_classes)])
    per_class = np.full(num_classes, np.nan)
    for c in np.flatnonzero(objects):
        mine = d_labels == c
        per_class[c] = interpolated_average_precision(correct[mine], scores=sure[mine], objects=objects[c])
    there = objects.sum()
    mean = float(np.nanmean(per_class)) if there else float("nan")
    return DetectionScores(mean, per_class, objects, float(correct.sum() / there) if there else float("nan"))


def _finite(name: str, values: ArrayLike) -> np.ndarray:
    array = as_array(name, values)
    return as_numbers(name, array) if array.size else np.zeros(array.shape)


def _corners(name: str, values: ArrayLike) -> np.ndarray:
    array = _finite(name, values)
    if not array.ndim or (array.shape[-1] != 4 and array.shape != (0,)):
        raise ValueError(f"{name} must be corners (..., 4), got shape {array.shape}")
    return array


def _classes(name: str, values: ArrayLike, num_classes: int) -> np.ndarray:
    array = as_array(name, values)
    if array.size and (array.dtype.kind not in "iu" or array.min() < -1 or array.max() >= num_classes):
        raise ValueError(
            f"{name} must be integers below num_classes={num_classes}, -1 where there is none, got {array.dtype}"
            + (f" up to {array.max()}" if array.dtype.kind in "iu" else "")
        )
    return array


def _matches(boxes: np.ndarray, objects: np.ndarray, iou: float) -> np.ndarray:
    """Which boxes, best first, find an object that none before them found."""
    right, taken = np.zeros(len(boxes), bool), np.zeros(len(objects), bool)
    if not len(objects):
        return right
    shared = box_iou(boxes, objects)
    for k, best in enumerate(shared.argmax(axis=1)):
        right[k] = shared[k, best] >= iou and not taken[best]
        taken[best] |= right[k]
    return right
