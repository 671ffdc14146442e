"""How good made examples are, as a classifier of real ones sees them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._arrays import as_numbers
from seqvision.metrics.classification import softmax


class SampleScores(NamedTuple):
    """What a classifier says of made examples; real ones are scored the same way to compare with."""

    confidence: float  # mean probability of the likeliest class
    inception_score: float  # 1 (all alike, or all unclear) to C (clear, and of all classes alike)
    class_distance: float  # total variation between the classes named and those of real examples, 0..1
    classes: np.ndarray  # (C,) share of each class among those named


def score_samples(logits: ArrayLike, *, shares: ArrayLike) -> SampleScores:
    """Judge made examples by a classifier of real ones.

    Args:
      logits: (B, C) of the made examples.
      shares: (C,) share of each class among real examples.

    Source: Salimans et al., Improved Techniques for Training GANs, arXiv:1606.03498 (the inception score
    exp(mean KL(p(y|x) || p(y))), here with a classifier of the data at hand).

    >>> score_samples([[9.0, -9.0], [-9.0, 9.0]], shares=[0.5, 0.5]).inception_score
    1.99999...
    """
    odds, real = softmax(logits), as_numbers("shares", shares)
    if odds.ndim != 2 or real.shape != odds.shape[1:] or real.min() < 0 or not np.isclose(real.sum(), 1):
        raise ValueError(
            f"score_samples: logits must be (B, C) and shares (C,) with sum 1, got {odds.shape} and {real.shape}"
        )
    mean = odds.mean(axis=0)
    ratio = np.log(np.maximum(odds, 1e-300)) - np.log(np.maximum(mean, 1e-300))[None]
    named = np.bincount(odds.argmax(axis=1), minlength=len(real)) / len(odds)
    return SampleScores(
        float(odds.max(axis=1).mean()),
        float(np.exp((odds * ratio).sum(axis=1).mean())),
        float(np.abs(named - real).sum() / 2),
        named,
    )


def frechet_distance(features: ArrayLike, others: ArrayLike) -> float:
    """Squared Fréchet distance of two clouds of points, as if both were normal; 0 for equal means and covariances.

    Args:
      features: (B, F) of made examples, such as a classifier's last hidden layer.
      others: (K, F) of real ones.

    Source: Heusel et al., GANs Trained by a Two Time-Scale Update Rule, arXiv:1706.08500, equation 6 (with Inception's
    features it is called FID).

    >>> frechet_distance([[0.0], [2.0]], [[3.0], [5.0]])
    9.0
    """
    a, b = as_numbers("features", features), as_numbers("others", others)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"frechet_distance: need two (B, F) of the same F with B >= 2, got {a.shape} and {b.shape}")
    covariances = [np.atleast_2d(np.cov(points, rowvar=False, bias=True)) for points in (a, b)]
    root = _root(covariances[0])
    shared = _root(root @ covariances[1] @ root)  # has the trace of the root of the product
    trace = np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(shared)
    return float(np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2) + max(trace, 0.0))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Square root of a symmetric positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.sqrt(np.clip(values, 0, None))[None]) @ vectors.T
