"""Detectors that learn nothing, or next to nothing: what a trained one has to beat."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from seqvision.models import Detections


def mean_box(boxes: ArrayLike, labels: ArrayLike, count: int) -> Detections:
    """Say for each of ``count`` images that there is the training images' mean box with their commonest class.

    Args:
      boxes: (N, M, 4) corners of the objects in training images.
      labels: (N, M) their classes, -1 where there is none.
      count: images to say it of.

    >>> mean_box([[[0, 0, 1, 1], [0, 0, 0, 0]]], [[3, -1]], 2).labels.tolist()
    [[3], [3]]
    """
    corners, classes = np.asarray(boxes, np.float64), np.asarray(labels)
    there = classes >= 0
    if corners.shape != (*classes.shape, 4) or not there.any():
        raise ValueError(f"mean_box: boxes {corners.shape} and labels {classes.shape} must hold at least one object")
    box, label = corners[there].mean(axis=0), np.bincount(classes[there]).argmax()
    return Detections(np.tile(box, (count, 1, 1)), np.full((count, 1), label), np.ones((count, 1)))


def connected_pixels(
    images: ArrayLike,
    classify: Callable[[np.ndarray], tuple[int, float]],
    *,
    threshold: float,
    smallest: int = 1,
    limit: int = 10,
) -> Detections:
    """Draw a box around every heap of light pixels that touch, corners too, and let a function say what is in it.

    Args:
      images: (N, H, W, 1).
      classify: from the pixels in a box (h, w) to a class and a score.
      threshold: pixels above it are light.
      smallest: pixels of the longer side below which a heap is noise.
      limit: boxes an image at most, K.

    Returns:
      Detections of K boxes, corners as shares of the image.

    >>> image = np.zeros((1, 8, 8, 1))
    >>> image[0, 2:6, 4:8] = 1.0
    >>> connected_pixels(image, lambda pixels: (int(pixels.sum()), 0.5), threshold=0.5, limit=1)
    Detections(boxes=array([[[0.5 , 0.25, 1.  , 0.75]]]), labels=array([[16]]), scores=array([[0.5]]))
    """
    from scipy import ndimage

    pictures = np.asarray(images)
    if pictures.ndim != 4 or pictures.shape[-1] != 1:
        raise ValueError(f"connected_pixels: images must be (N, H, W, 1), got {pictures.shape}")
    count, height, width, _ = pictures.shape
    found = Detections(np.zeros((count, limit, 4)), np.full((count, limit), -1), np.zeros((count, limit)))
    for n, picture in enumerate(pictures[..., 0]):
        heaps = ndimage.find_objects(ndimage.label(picture > threshold, np.ones((3, 3)))[0])
        heaps = [(y, x) for y, x in heaps if max(y.stop - y.start, x.stop - x.start) >= smallest]
        for k, (y, x) in enumerate(heaps[:limit]):
            found.boxes[n, k] = x.start / width, y.start / height, x.stop / width, y.stop / height
            found.labels[n, k], found.scores[n, k] = classify(picture[y, x])
    return found
