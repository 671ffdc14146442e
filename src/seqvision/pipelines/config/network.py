"""Which networks are trained, and their sizes."""

from collections.abc import Collection
from dataclasses import dataclass

from seqvision._checks import check_count, check_number, did_you_mean

CELLS = ("lstm", "gru", "elman")


@dataclass(frozen=True, kw_only=True)
class Network:
    """Which networks are trained, and their sizes.

    >>> Network(models=("gru",)).hidden
    16
    """

    models: tuple[str, ...] = ("lstm",)
    """models to train"""
    hidden: int = 16
    """units of a layer"""
    layers: int = 1
    """recurrent or hidden layers"""

    def _check_network(self, known: Collection[str]) -> None:
        if not self.models or len(set(self.models)) != len(self.models):
            raise ValueError(f"models must name at least one model and none twice, got {self.models!r}")
        for model in self.models:
            if model not in known:
                raise ValueError(f"models: {model!r} is unknown{did_you_mean(model, known)}")
        check_count("hidden", self.hidden, below=1_000_000)
        check_count("layers", self.layers, below=100)
        dropout = getattr(self, "dropout", None)  # each kind of run has its own default
        if dropout is not None:
            check_number("dropout", dropout, least=0, below=1)
