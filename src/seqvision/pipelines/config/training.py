"""How networks are trained."""

from dataclasses import dataclass
from typing import Literal

from seqvision._checks import check_count, check_number

Optimizer = Literal["adam", "rmsprop", "sgd"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How networks are trained.

    >>> Training(epochs=3).optimizer
    'adam'
    """

    epochs: int = 50
    """passes over the training rows"""
    batch_size: int | None = None
    """windows or images a step; by default 32, or all if they are fewer"""
    optimizer: Optimizer = "adam"
    """update rule"""
    learning_rate: float = 0.01
    """its step size"""
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives, in [0, 2^32)"""

    def _check_training(self) -> None:
        check_count("epochs", self.epochs, below=2**31)
        check_count("seeds", self.seeds, below=10_000)
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size, below=2**31)
        check_count("seed", self.seed, least=0, below=2**32)
        check_number("learning_rate", self.learning_rate, above=0, below=float("inf"))
