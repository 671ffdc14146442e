"""Scores of trained classifiers by seed on the test rows, and on the rows by which one chooses among settings."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqvision.metrics import class_frequencies, log_loss, softmax
from seqvision.pipelines.classification.data import ImageSplit
from seqvision.pipelines.results import JudgedClasses, ValidationScores
from seqvision.training import TrainState, predict


def validate_classes(split: ImageSplit, states: Mapping[str, Sequence[TrainState]]) -> ValidationScores | None:
    """Score what is delivered of every model, and the shares of the classes, on the validation rows; None without any.

    Args:
      split: what `load_images` returned.
      states: model -> trained states, one a seed.
    """
    if split.validation is None:
        return None
    held, labels = split.validation, np.asarray(split.validation.y)
    scores = {}
    for name, each in states.items():
        chances = np.mean([softmax(np.asarray(predict(state, held), np.float64)) for state in each], axis=0)
        scores[name] = log_loss(labels, probabilities=chances)
    shares = class_frequencies(np.asarray(split.train.y), len(split.classes))
    naive = log_loss(labels, probabilities=np.tile(shares, (len(labels), 1)))
    return ValidationScores("log-loss", len(labels), scores, {"commonest class": naive})


def seed_accuracies(split: ImageSplit, judged: JudgedClasses) -> dict[str, list[float]]:
    """Return for each model the share of test rows that each seed got right."""
    labels = np.asarray(split.test.y)
    return {name: [float(np.mean(z.argmax(axis=-1) == labels)) for z in each] for name, each in judged.logits.items()}
