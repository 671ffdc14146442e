"""Losses, the train step, and whole runs as one compiled program.

`fit` compiles chunks of whole epochs, or takes the same steps batch by batch from a `seqvision.data.Stream` of what is
larger than the device; `make_train_step` and `make_run` are the pure functions under it. Beside them:
label smoothing, weights of classes, averaged weights, weight decay by kind of parameter, warm-up and schedules,
accumulation, bfloat16, early stopping, checkpoints from which the same call of `fit` goes on, populations of seeds, and
the mean over views of an image at test time.
"""

from typing import TYPE_CHECKING

from seqvision._compilation import compilation_cache_folder, enable_compilation_cache
from seqvision._late import late_imports

from .fit import Fit, fit, prepare_fit
from .predict import as_it_is, mirrored, predict
from .state_bytes import register_state_bytes

if TYPE_CHECKING:
    from .adversarial import AdversarialState, create_adversarial_state, generate_samples, make_adversarial_step
    from .class_weights import WeightedCrossEntropy, balanced_weights
    from .detection_loss import make_yolo_loss
    from .divergence import NonFiniteLossError
    from .losses import (
        LossName,
        PerExample,
        absolute_error,
        binary_cross_entropy,
        categorical_cross_entropy,
        cross_entropy,
        exact_match,
        huber,
        is_correct,
        sequence_cross_entropy,
        squared_error,
        token_accuracy,
    )
    from .optimizers import OptimizerName, decay_mask
    from .populations import run_population
    from .regularizers import SmoothedCrossEntropy, WeightPenalty, average_weights, averaged
    from .resumption.checkpoints import Checkpoints, restore_state
    from .resumption.signals import StoppedFitError
    from .run import make_run
    from .schedules import inverse_time_decay, updates_in, warm_up
    from .state import TrainState, call_model, create_state
    from .step import forward, make_eval_step, make_train_step
    from .stopping import EarlyStopping

__all__ = [
    "AdversarialState",
    "Checkpoints",
    "EarlyStopping",
    "Fit",
    "LossName",
    "NonFiniteLossError",
    "OptimizerName",
    "PerExample",
    "SmoothedCrossEntropy",
    "StoppedFitError",
    "TrainState",
    "WeightPenalty",
    "WeightedCrossEntropy",
    "absolute_error",
    "as_it_is",
    "average_weights",
    "averaged",
    "balanced_weights",
    "binary_cross_entropy",
    "call_model",
    "categorical_cross_entropy",
    "compilation_cache_folder",
    "create_adversarial_state",
    "create_state",
    "cross_entropy",
    "decay_mask",
    "enable_compilation_cache",
    "exact_match",
    "fit",
    "forward",
    "generate_samples",
    "huber",
    "inverse_time_decay",
    "is_correct",
    "make_adversarial_step",
    "make_eval_step",
    "make_run",
    "make_train_step",
    "make_yolo_loss",
    "mirrored",
    "predict",
    "prepare_fit",
    "restore_state",
    "run_population",
    "sequence_cross_entropy",
    "squared_error",
    "token_accuracy",
    "updates_in",
    "warm_up",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)

register_state_bytes()
