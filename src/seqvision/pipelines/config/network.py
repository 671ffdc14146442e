"""Which networks are trained, and what they look like."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from seqvision._checks import check_count, check_number, did_you_mean

CELLS = (
    "lstm",
    "gru",
    "elman",
    "mgu",
    "indrnn",
    "slstm",
    "peephole_lstm",
    "coupled_lstm",
    "layer_norm_lstm",
    "multiplicative_lstm",
    "mingru",
    "minlstm",
    "lru",
)
_SIMPLE = ("tanh", "relu", "sigmoid", "linear")  # activations of the cells that have one
_KEEPS_OLD = tuple(cell for cell in CELLS if cell not in ("slstm", "lru"))  # what `Zoneout` takes
_SAME_MASK = tuple(cell for cell in CELLS if cell not in ("mgu", "mingru", "minlstm", "lru", "slstm"))
# Setting -> the models on which it acts.
ACTS_ON: dict[str, tuple[str, ...]] = {
    "layers": (*CELLS, "mlp", "cnn"),
    "bidirectional": CELLS,
    "readout": CELLS,
    "method": CELLS,
    "learned_start": CELLS,
    "dropout": (*CELLS, "mlp", "cnn", "convnet"),
    "activation": ("elman", "indrnn", "mlp", "cnn"),
    "zoneout": _KEEPS_OLD,
    "variational_dropout": _SAME_MASK,
    "kernel_size": ("cnn",),
}
Activation = Literal[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "softplus",
    "soft_sign",
    "sigmoid",
    "log_sigmoid",
    "hard_sigmoid",
    "tanh",
    "hard_tanh",
    "bru",
    "gelu",
    "silu",
    "swish",
    "mish",
    "hard_silu",
    "hard_swish",
]
# What other libraries and papers call them.
_OTHER_NAMES = {
    "rnn": "elman",
    "simple_rnn": "elman",
    "simplernn": "elman",
    "vanilla": "elman",
    "dense": "mlp",
    "ann": "mlp",
    "tcn": "cnn",
    "conv": "cnn",
    "conv1d": "cnn",
    "cifg": "coupled_lstm",
    "ind_rnn": "indrnn",
    "min_gru": "mingru",
    "min_lstm": "minlstm",
    "logistic": "linear",
    "regression": "linear",
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """Which networks are trained, and what they look like.

    A setting acts on the models that have such a thing; one that none of the models has is refused.

    >>> Network(models=("gru",)).hidden
    16
    """

    models: tuple[str, ...] = ("lstm",)
    """models to train"""
    hidden: int = 16
    """units of a layer"""
    layers: int = 1
    """recurrent, hidden or convolutional layers"""
    bidirectional: bool = False
    """read the rows in both directions in every recurrent layer"""
    readout: Literal["last", "max", "mean"] = "last"
    """what the head sees of the outputs over time: those of the last step, their maximum or their mean"""
    dropout: float | None = None
    """rate after each layer"""
    activation: Activation | None = None
    """activation of elman, indrnn, mlp and cnn; by default tanh for elman and relu for the others"""
    zoneout: float = 0.0
    """probability that a unit keeps its old value, in each step of training"""
    variational_dropout: float = 0.0
    """rate of dropout on inputs and recurrence, with one mask for all steps of a sequence"""
    learned_start: bool = False
    """train the state before the first step too"""
    kernel_size: int = 3
    """steps that one convolution of cnn sees"""
    method: Literal["auto", "numba", "fused", "associative", "scan", "newton", "pallas", "cudnn"] = "auto"
    """how recurrent layers run over time; all give the same values"""

    def _check_network(self, known: Collection[str]) -> None:
        if not self.models or len(set(self.models)) != len(self.models):
            raise ValueError(f"models must name at least one model and none twice, got {self.models!r}")
        for model in self.models:
            if model not in known:
                other = _OTHER_NAMES.get(model.casefold().replace("-", "_"), model.casefold())
                other = "convnet" if other == "cnn" and "cnn" not in known else other
                raise ValueError(f"models: {model!r} is unknown{did_you_mean(other, known)}")
        check_count("hidden", self.hidden, below=1_000_000)
        check_count("layers", self.layers, below=100)
        check_count("kernel_size", self.kernel_size, below=10_000)
        for name in ("dropout", "zoneout", "variational_dropout"):
            rate = getattr(self, name)
            if rate is not None:
                check_number(name, rate, least=0, below=1)
        self._check_that_settings_act()

    def _check_that_settings_act(self) -> None:
        for name, takers in ACTS_ON.items():
            value = getattr(self, name)
            if value == getattr(type(self), name):
                continue
            if not set(self.models) & set(takers):
                raise ValueError(f"{name}={value!r} acts on none of the models {', '.join(self.models)}: leave it out")
            left = [model for model in self.models if model in CELLS and model not in takers]
            if left and name in ("zoneout", "variational_dropout"):
                raise ValueError(f"{name} is not for {', '.join(left)}: leave out {name}, or these models")
        if self.zoneout and self.variational_dropout:
            raise ValueError("zoneout and variational_dropout are two ways to one end: give one of them")
        simple = [model for model in self.models if model in ("elman", "indrnn")]
        if simple and self.activation is not None and self.activation not in _SIMPLE:
            raise ValueError(
                f"activation must be one of {', '.join(_SIMPLE)} for {' and '.join(simple)}, got {self.activation!r}"
            )
