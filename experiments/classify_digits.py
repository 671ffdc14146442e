"""A small convolutional network on the handwritten digits that scikit-learn bundles.

Question: how many of the 8 x 8 digits does a network of two convolutions (32 and 64 channels, each with a max pool)
and a dense layer of 128 get right on a random 20 % held out within each class, beside logistic regression ("linear", of
the pixels, trained alike) and always saying the commonest digit?

Command: python experiments/classify_digits.py

Expected: TODO

Running time: TODO
"""

import sys
from dataclasses import dataclass
from typing import Any

import tyro

from seqvision.pipelines import ClassifyConfig, run_classify
from seqvision.reporting import to_plain


@dataclass(frozen=True)
class Config(ClassifyConfig):
    """Classify digits of 8 x 8 pixels."""

    models: tuple[str, ...] = ("convnet", "linear")
    """models to train: convnet, mlp, linear; lstm, gru, elman read an image row by row"""
    epochs: int = 30
    """passes over the training rows"""
    name: str = "classify_digits"
    """first part of the run folder's name"""


def main(config: Config) -> dict[str, Any]:
    """Run the classification, print its score card and return the summary of the run."""
    result = run_classify(config, say=lambda line: print(line, file=sys.stderr))
    print(result["text"])
    print(f"\nrun folder: {result['folder']}")
    return to_plain({**result["summary"], "folder": result["folder"]})


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
