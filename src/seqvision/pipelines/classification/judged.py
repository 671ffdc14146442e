"""What a finished run's score card says of a classifier."""

from dataclasses import dataclass

import numpy as np

from seqvision.reporting import RunFolder


@dataclass(frozen=True)
class Judged:
    """What the score card of a run says of a classifier that is used in the end."""

    verdict: str
    accuracy: tuple[float, float, float]  # and its 95 % interval
    rows: int  # of the test
    edges: tuple[float, ...]  # of bins of confidence
    share: tuple[float, ...]  # how often it was right in each; NaN where it never was as sure
    counts: tuple[int, ...]

    @classmethod
    def read(cls, run: RunFolder, row: str) -> "Judged":
        """Read summary.json.

        Raises:
          ValueError: if the run was not judged.
        """
        summary = run.read_json("summary.json")
        try:
            card, diagram = summary["scores"], summary["reliability"][row]
            (verdict,) = (str(one["text"]) for one in card["verdicts"] if one["model"] == row)
            scores = card["scores"][row]
            accuracy = (float(scores["accuracy"]), float(scores["accuracy_low"]), float(scores["accuracy_high"]))
            share = tuple(float("nan" if one is None else one) for one in diagram["share"])
            edges, counts = tuple(map(float, diagram["edges"])), tuple(map(int, diagram["rows"]))
            if not len(edges) == len(share) + 1 == len(counts) + 1:
                raise ValueError
            return cls(verdict, accuracy, int(card["rows"]), edges, share, counts)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError):
            message = f"{run.path / 'summary.json'} does not say how {row} did in the test: train again"
            raise ValueError(message) from None

    def when_so_sure(self, probability: float) -> tuple[float, int]:
        """Return how often it was right on the test rows of about that probability, and how many there were."""
        place = int(np.searchsorted(self.edges[1:-1], probability))
        return self.share[place], self.counts[place]
