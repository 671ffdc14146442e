"""What a finished run's score card says of a classifier."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Judged:
    """What the score card of a run says of a classifier that is used in the end."""

    verdict: str
    outcome: str  # no skill, unclear or skill
    edges: tuple[float, ...]  # of bins of confidence
    share: tuple[float, ...]  # how often it was right in each; NaN where it never was as sure
    counts: tuple[int, ...]

    @classmethod
    def read(cls, summary: Any, row: str, path: Path) -> "Judged":
        """Read what summary.json holds.

        Args:
          summary: that.
          row: of the card.
          path: of the run folder.

        Raises:
          ValueError: if the run was not judged.
        """
        try:
            card, diagram = summary["scores"], summary["reliability"][row]
            (verdict,) = (one for one in card["verdicts"] if one["model"] == row)
            share = tuple(float("nan" if one is None else one) for one in diagram["share"])
            edges, counts = tuple(map(float, diagram["edges"])), tuple(map(int, diagram["rows"]))
            if not len(edges) == len(share) + 1 == len(counts) + 1:
                raise ValueError
            return cls(str(verdict["text"]), str(verdict["outcome"]), edges, share, counts)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError):
            message = f"{path / 'summary.json'} does not say how {row} did in the test: train again"
            raise ValueError(message) from None

    def when_so_sure(self, probability: float) -> tuple[float, int]:
        """Return how often it was right on the test rows of about that probability, and how many there were."""
        place = int(np.searchsorted(self.edges[1:-1], probability))
        return self.share[place], self.counts[place]
