"""What classifiers say in the end: their probabilities, and the class by the largest or by a threshold."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqvision.metrics import Reliability, reliability, softmax
from seqvision.pipelines.classification.data import ImageSplit
from seqvision.pipelines.config import ClassifyConfig
from seqvision.pipelines.results import JudgedClasses
from seqvision.scorecards import ClassThreshold, choose_class_threshold, delivered_name, thresholded_name
from seqvision.training import TrainState, predict


class Decision(NamedTuple):
    """What a classifier says of B images."""

    row: str  # of the card
    probabilities: np.ndarray  # (B, C), of several seeds the mean
    classes: np.ndarray  # (B,)

    @property
    def confidence(self) -> np.ndarray:
        """Return the probability (B,) of the class that is said."""
        return np.take_along_axis(self.probabilities, self.classes[:, None], axis=1)[:, 0].clip(max=1.0)


def decide(row: str, probabilities: np.ndarray, threshold: ClassThreshold | None) -> Decision:
    """Return what is said of images with probabilities (B, C).

    >>> decide("mlp", np.array([[0.6, 0.4]]), ClassThreshold(1, 0.3, "f1", 0.9, 50)).classes
    array([1])
    """
    classes = probabilities.argmax(axis=-1) if threshold is None else threshold.decide(probabilities)
    return Decision(row, probabilities, classes)


def decisions(judged: JudgedClasses) -> dict[str, Decision]:
    """Return model -> what is said in the end of every test image."""
    used, thresholds = judged.card.used(), judged.card.thresholds
    return {
        name: decide(used[name], softmax(logits).mean(axis=0), thresholds.get(used[name]))
        for name, logits in judged.logits.items()
    }


def check_threshold(config: ClassifyConfig, split: ImageSplit) -> None:
    """Refuse a threshold that the images do not allow, before anything is trained.

    Raises:
      ValueError: for other than two classes, an unknown positive class, no validation rows, or those of one class only.
    """
    if config.threshold_for is None:
        return
    if len(split.classes) != 2:
        raise ValueError(
            f"threshold_for={config.threshold_for} is for two classes, and there are {len(split.classes)}: leave it out"
        )
    if config.positive is not None and config.positive not in split.classes:
        raise ValueError(f"positive={config.positive!r} is none of the classes {', '.join(split.classes)}")
    if split.validation is None:
        raise ValueError(
            f"threshold_for={config.threshold_for} needs validation rows to choose on, since test rows are to judge "
            "it: say validation=0.1 (--validation 0.1), or more where there are few images"
        )
    counts = np.bincount(np.asarray(split.validation.y), minlength=2)
    if not counts.all():
        lacking = split.classes[int(counts.argmin())]
        raise ValueError(
            f"threshold_for={config.threshold_for} needs validation rows of both classes, and of {lacking} there is "
            f"none: say a larger validation than {config.validation}"
        )


def choose_thresholds(
    config: ClassifyConfig, split: ImageSplit, states: Mapping[str, Sequence[TrainState]]
) -> dict[str, ClassThreshold]:
    """Choose the threshold of each model on the validation rows, if one is wanted.

    The positive class is the second, if the configuration names none.
    """
    if config.threshold_for is None or split.validation is None:
        return {}
    positive = 1 if config.positive is None else split.classes.index(config.positive)
    labels = np.asarray(split.validation.y)
    found = {}
    for name, each in states.items():
        chances = np.mean([softmax(predict(state, split.validation)) for state in each], axis=0)
        found[name] = choose_class_threshold(
            labels, probabilities=chances, positive=positive, goal=config.threshold_for
        )
    return found


def kept_thresholds(summary: Any, config: ClassifyConfig, path: Path) -> dict[str, ClassThreshold]:
    """Return model -> the threshold that a run kept; none where it decides by the largest probability.

    Args:
      summary: what summary.json holds.
      config: of the run.
      path: of its folder.

    Raises:
      ValueError: if they are not there or damaged.
    """
    if config.threshold_for is None:
        return {}
    try:
        kept = summary["scores"]["thresholds"]
        found = {name: ClassThreshold(**kept[thresholded_name(name, config.seeds)]) for name in config.models}
        for one in found.values():
            if one.positive not in (0, 1) or not 0 <= float(one.value) <= 1:
                raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{path / 'summary.json'} does not say the thresholds: train again") from None
    return found


def used_row(model: str, config: ClassifyConfig) -> str:
    """Return the row of the card of what is used in the end."""
    named = delivered_name if config.threshold_for is None else thresholded_name
    return named(model, config.seeds)


def reliability_of(judged: JudgedClasses, labels: np.ndarray) -> dict[str, Reliability]:
    """Return how sure and how often right each classifier is that is used in the end, by its row of the card."""
    said = decisions(judged).values()
    return {one.row: reliability(one.classes == labels, confidence=one.confidence, bins=10) for one in said}


def file_part(name: str) -> str:
    """Return the name of a model as part of the names of its files.

    >>> file_part("my net/2")
    'my_net_2'
    """
    return re.sub(r"[^\w.-]+", "_", name)
