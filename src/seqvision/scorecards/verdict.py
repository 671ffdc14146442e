"""Verdicts: what is judged, against what, and what the numbers say."""

from typing import Any, Literal, NamedTuple

import numpy as np

from seqvision._checks import counted

RowKind = Literal["threshold", "mean of seeds", "model", "baseline"]  # in the order of the text
Mode = Literal["one step ahead", "all steps", "free-running", "classes"]
Outcome = Literal["no skill", "unclear", "skill"]


class Verdict(NamedTuple):
    """What a model's numbers say against the reference, one of the naive forecasts on the same rows."""

    model: str  # a row of the card
    mode: Mode
    outcome: Outcome
    text: str
    reference: str  # the baseline that it is judged against
    p_value: float  # that the two differ by chance; NaN where no test applies

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; an undefined p-value is None."""
        return {**self._asdict(), "p_value": None if np.isnan(self.p_value) else self.p_value}


def delivered_name(model: str, seeds: int) -> str:
    """Return what a card calls the forecaster that is used in the end: of several seeds the mean of their outputs.

    >>> delivered_name("lstm", 5), delivered_name("lstm", 1)
    ('lstm (mean of 5 seeds)', 'lstm')
    """
    return model if seeds == 1 else f"{model} (mean of {counted(seeds, 'seed')})"
