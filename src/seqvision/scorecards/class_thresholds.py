"""Two classes told apart by a threshold that was chosen on validation rows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision.metrics import check_goal, choose_threshold
from seqvision.scorecards.verdict import delivered_name


class ClassThreshold(NamedTuple):
    """From which probability of one of two classes on a row is given that class."""

    positive: int  # the class, 0 or 1
    value: float
    goal: str  # what it was chosen for
    reached: float  # of the goal's measure, on the rows that it was chosen on
    rows: int  # how many those were

    def decide(self, probabilities: ArrayLike) -> NDArray[np.int64]:
        """Return the class (...,) of rows with probabilities (..., 2).

        >>> ClassThreshold(1, 0.3, "f1", 0.9, 50).decide([[0.6, 0.4], [0.8, 0.2]])
        array([1, 0])
        """
        p = np.asarray(probabilities)[..., self.positive]
        return np.where(p >= self.value, self.positive, 1 - self.positive)

    def text(self, class_names: tuple[str, ...]) -> str:
        """Return what it does, in a sentence.

        >>> ClassThreshold(1, 0.3, "f1", 0.9, 50).text(("cat", "dog"))
        'says dog from a probability of 0.3 on, chosen on 50 validation rows for f1 of dog (0.9 there)'
        """
        name = class_names[self.positive]
        least = check_goal(self.goal)[1]
        only = "only " if least is not None and self.reached < least - 1e-12 else ""
        of = "" if self.goal == "balanced_accuracy" else f" of {name}"
        return (
            f"says {name} from a probability of {self.value:.4g} on, chosen on {self.rows:,} validation rows for "
            f"{self.goal}{of} ({only}{self.reached:.4g} there)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return self._asdict()


def choose_class_threshold(labels: ArrayLike, *, probabilities: ArrayLike, positive: int, goal: str) -> ClassThreshold:
    """Choose a threshold on validation rows; see `seqvision.metrics.choose_threshold`.

    Args:
      labels: (B,) 0 or 1; both must occur.
      probabilities: (B, 2).
      positive: the class that is called from the threshold on.
      goal: "f1", "balanced_accuracy", "recall=0.9" or "precision=0.9".

    >>> choose_class_threshold([0, 1], probabilities=[[0.9, 0.1], [0.8, 0.2]], positive=1, goal="f1").reached
    1.0
    """
    truth = np.asarray(labels)
    found = choose_threshold(truth == positive, scores=np.asarray(probabilities)[:, positive], goal=goal)
    return ClassThreshold(positive, found.value, goal, found.reached, len(truth))


def thresholded_name(model: str, seeds: int) -> str:
    """Return what a card calls the classifier that decides by a threshold.

    >>> thresholded_name("mlp", 5), thresholded_name("mlp", 1)
    ('mlp (mean of 5 seeds, threshold)', 'mlp (threshold)')
    """
    return f"{model} (threshold)" if seeds == 1 else f"{delivered_name(model, seeds)[:-1]}, threshold)"
