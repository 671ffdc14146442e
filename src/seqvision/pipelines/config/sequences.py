"""What a run on pairs of sequences is told."""

from dataclasses import dataclass

from seqvision._checks import check_count, check_number
from seqvision.pipelines.settings import check_settings


@dataclass(frozen=True)
class SequenceConfig:
    """How encoder-decoders are trained."""

    epochs: int = 10
    """passes over the training pairs"""
    batch_size: int | None = None
    """pairs a step; by default 128, or all if they are fewer"""
    learning_rate: float = 0.01
    """first step size of Adam; it falls to zero as a cosine"""
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives"""
    out: str = "runs"
    """folder in which the new run folder is made"""
    name: str = "sequences"
    """first part of the run folder's name"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read or compiled."""
        check_settings(self)
        check_count("epochs", self.epochs, below=2**31)
        check_count("seeds", self.seeds, below=10_000)
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size, below=2**31)
        check_count("seed", self.seed, least=0, below=2**32)
        check_number("learning_rate", self.learning_rate, above=0, below=float("inf"))
