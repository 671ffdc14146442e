"""Scores of made examples, by hand and against scipy."""

import numpy as np
import pytest
import scipy.linalg

from seqvision.metrics import frechet_distance, score_samples


def test_clear_samples_of_all_classes_score_the_number_of_classes():
    logits = 50 * np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]]
    scores = score_samples(logits, shares=np.full(4, 0.25))
    assert scores.confidence == pytest.approx(1)
    assert scores.inception_score == pytest.approx(4)
    assert scores.class_distance == 0
    np.testing.assert_allclose(scores.classes, 0.25)


def test_samples_that_are_all_alike_or_all_unclear_score_one():
    alike = score_samples(50 * np.eye(4)[[2, 2, 2]], shares=[0.1, 0.2, 0.3, 0.4])
    assert alike.inception_score == pytest.approx(1)
    assert alike.class_distance == pytest.approx(0.7)
    unclear = score_samples(np.zeros((3, 4)), shares=np.full(4, 0.25))
    assert (unclear.confidence, unclear.inception_score) == (0.25, pytest.approx(1))


def test_inception_score_is_its_definition():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20, 3))
    odds = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    kl = [sum(p * np.log(p / q) for p, q in zip(row, odds.mean(0), strict=True)) for row in odds]
    assert score_samples(logits, shares=np.full(3, 1 / 3)).inception_score == pytest.approx(np.exp(np.mean(kl)))


def test_frechet_distance_is_that_with_scipys_root():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)), rng.normal(1.0, size=(70, 4))
    one, two = np.cov(a, rowvar=False, bias=True), np.cov(b, rowvar=False, bias=True)
    root = scipy.linalg.sqrtm(one @ two).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(one + two - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="with sum 1"):
        score_samples(np.zeros((2, 3)), shares=[1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="of the same F"):
        frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
