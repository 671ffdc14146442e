"""When early stopping ended trainings, and of which epochs the weights are."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqvision.training import EarlyStopping


def epochs_run(history: Mapping[str, np.ndarray]) -> list[int]:
    """Return after how many epochs each seed ended.

    Args:
      history: metric -> (S, epochs), NaN where a seed had ended.

    >>> epochs_run({"loss": np.array([[3.0, 2.0, 1.0], [3.0, np.nan, np.nan]])})
    [3, 1]
    """
    values = next(iter(history.values()))
    return [int((~np.isnan(row)).nonzero()[0].max(initial=-1)) + 1 for row in values]


def best_epochs(history: Mapping[str, np.ndarray], stopping: EarlyStopping) -> tuple[int, ...]:
    """Return the epoch, counted from 1, whose weights each seed has kept; 0 where none was an improvement.

    Args:
      history: metric -> (S, epochs), NaN where a seed had ended.
      stopping: what it was watched by.

    >>> best_epochs({"val_loss": np.array([[3.0, 1.0, 2.0]])}, EarlyStopping(patience=1))
    (2,)
    """
    kept = []
    for row in np.asarray(history[stopping.monitor], np.float32):
        best, at = np.float32(np.inf), 0
        for epoch, value in enumerate(-row if stopping.highest else row):
            if value < best - np.float32(stopping.min_delta):
                best, at = value, epoch + 1
        kept.append(at)
    return tuple(kept)


def stopping_text(ran: Sequence[int], kept: Sequence[int]) -> str:
    """Return how long seeds trained and what they keep, in words.

    >>> stopping_text([12, 15], [7, 10])
    'weights of epoch 7 of 12, 10 of 15'
    """
    return "weights of epoch " + ", ".join(f"{one} of {all}" for one, all in zip(kept, ran, strict=True))
