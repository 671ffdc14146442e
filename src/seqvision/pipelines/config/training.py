"""How networks are trained."""

from dataclasses import dataclass
from typing import Literal

from seqvision._checks import check_count, check_number

Optimizer = Literal[
    "adam",
    "adamw",
    "nadam",
    "nadamw",
    "adamax",
    "adamaxw",
    "amsgrad",
    "radam",
    "adabelief",
    "yogi",
    "adagrad",
    "adadelta",
    "rmsprop",
    "sgd",
    "lion",
    "lamb",
]
Schedule = Literal["constant", "linear", "cosine", "exponential", "step", "inverse_time"]

_DECAYING = ("exponential", "step", "inverse_time")
_OF_ADAM = ("adam", "adamw", "nadam", "nadamw", "adamax", "adamaxw", "amsgrad", "radam", "adabelief", "yogi", "lamb")
# Setting -> the update rules that have it.
RULES_WITH: dict[str, tuple[str, ...]] = {
    "momentum": ("sgd", "rmsprop"),
    "nesterov": ("sgd", "rmsprop", "adam", "adamw"),
    "beta1": (*_OF_ADAM, "lion"),
    "beta2": (*_OF_ADAM, "lion", "rmsprop", "adadelta"),
    "epsilon": (*_OF_ADAM, "rmsprop", "adagrad", "adadelta"),
    "weight_decay": ("adamw", "nadamw", "adamaxw", "lion", "lamb", "sgd"),
}


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
    seeds: int = 5
    """how often each model is trained, from other initial weights"""
    seed: int = 0
    """from which every random number derives, in [0, 2^32)"""

    optimizer: Optimizer = "adam"
    """update rule"""
    learning_rate: float = 0.01
    """its largest step size"""
    momentum: float | None = None
    """of sgd and rmsprop; by default none"""
    nesterov: bool = False
    """look ahead along the momentum (sgd, rmsprop, adam, adamw)"""
    beta1: float | None = None
    """decay of the mean of gradients of the adam family; by default the rule's own"""
    beta2: float | None = None
    """decay of the mean of squares of the adam family, rmsprop and adadelta; by default the rule's own"""
    epsilon: float | None = None
    """what is added to the root of that; by default the rule's own"""
    schedule: Schedule = "constant"
    """how the step size falls: linear and cosine to the end of training, exponential and inverse_time at every update,
    step every so many epochs"""
    warmup: float = 0.0
    """epochs in which the step size first rises"""
    decay_rate: float | None = None
    """exponential: factor an epoch (by default .95); step: factor a step (.5); inverse_time: 1 / (1 + rate * epoch)
    (.1)"""
    decay_epochs: int | None = None
    """epochs between two steps of schedule step; by default 10"""
    min_learning_rate: float = 0.0
    """what the schedule does not fall below"""
    clip_norm: float | None = None
    """scale gradients down to this norm of all of them together"""
    clip_value: float | None = None
    """cut every entry of the gradients at this size"""

    weight_decay: float | None = None
    """share of the weights, not of biases and norms, taken off at an update, times the step size (adamw, nadamw,
    adamaxw, lion, lamb, sgd); by default .004 for adamw, nadamw and adamaxw, .001 for lion, 0 for the others"""
    l1: float = 0.0
    """factor of the absolute weights in what is minimized"""
    l2: float = 0.0
    """factor of the squared weights in what is minimized"""
    average: float | None = None
    """decay of a running average of the weights, such as .999; the average is what is validated, judged and kept"""

    patience: int | None = None
    """stop when so many epochs brought no improvement, and keep the weights of the best epoch; by default all epochs
    run"""
    monitor: Literal["val_loss", "loss", "val_accuracy", "accuracy"] = "val_loss"
    """what has to improve"""
    min_delta: float = 0.0
    """by more than this"""

    micro_batch: int | None = None
    """rows whose gradients are computed at once, which takes less memory; by default the whole batch"""
    compute_dtype: Literal["float32", "bfloat16"] | None = None
    """type in which outputs are computed in training; bfloat16 for accelerators"""
    shuffle: bool = True
    """draw a new order of the rows in every epoch; --no-shuffle keeps that of the data"""

    @property
    def stops_on_validation(self) -> bool:
        """Whether the validation rows choose when training ends, so that they are not untouched."""
        return self.patience is not None and self.monitor.startswith("val_")

    def _check_training(self) -> None:
        check_count("epochs", self.epochs, below=2**31)
        check_count("seeds", self.seeds, below=10_000)
        for name in ("batch_size", "micro_batch", "patience", "decay_epochs"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), below=2**31)
        check_count("seed", self.seed, least=0, below=2**32)
        for name in ("learning_rate", "decay_rate", "clip_norm", "clip_value", "epsilon"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), above=0, below=float("inf"))
        for name in ("momentum", "beta1", "beta2", "average"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), least=0, below=1)
        for name in ("weight_decay", "l1", "l2", "warmup", "min_delta", "min_learning_rate"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), least=0, below=float("inf"))
        self._check_rule()
        self._check_schedule()
        self._check_stopping()

    def _check_rule(self) -> None:
        for name, rules in RULES_WITH.items():
            if getattr(self, name) != getattr(Training, name) and self.optimizer not in rules:
                remedy = ", or give l2" if name == "weight_decay" else ""
                raise ValueError(
                    f"{name} is for optimizer {', '.join(rules)}, but optimizer is {self.optimizer!r}: leave it out, "
                    f"or choose one of these{remedy}"
                )
        if self.nesterov and self.optimizer in ("sgd", "rmsprop") and not self.momentum:
            raise ValueError("nesterov looks ahead along the momentum: give momentum too, such as momentum=0.9")

    def _check_schedule(self) -> None:
        if self.decay_rate is not None and self.schedule not in _DECAYING:
            raise ValueError(f"decay_rate is for schedule {', '.join(_DECAYING)}, but schedule is {self.schedule!r}")
        if self.decay_rate is not None and self.schedule != "inverse_time" and self.decay_rate >= 1:
            raise ValueError(f"decay_rate must be below 1 for schedule {self.schedule}, got {self.decay_rate}")
        if self.decay_epochs is not None and self.schedule != "step":
            raise ValueError(f"decay_epochs is for schedule step, but schedule is {self.schedule!r}")
        if self.min_learning_rate and self.schedule == "constant":
            raise ValueError("min_learning_rate is where a schedule ends, but schedule is 'constant': leave it out")
        if self.min_learning_rate >= self.learning_rate:
            raise ValueError(
                f"min_learning_rate must be below learning_rate {self.learning_rate}, got {self.min_learning_rate}"
            )
        if self.warmup >= self.epochs:
            raise ValueError(f"warmup must be below epochs {self.epochs}, got {self.warmup}")

    def _check_stopping(self) -> None:
        if self.patience is None:
            for name in ("monitor", "min_delta"):
                if getattr(self, name) != getattr(Training, name):
                    raise ValueError(f"{name} is for early stopping: give patience too, such as patience=10")
        elif self.stops_on_validation and not getattr(self, "validation", True):
            raise ValueError(
                f"patience waits for {self.monitor}, which needs validation rows: give validation=0.1, or "
                "monitor='loss'"
            )
