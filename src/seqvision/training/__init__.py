"""Losses, the train step, and whole runs as one compiled program.

`fit` compiles chunks of whole epochs; `make_train_step` and `make_run` are the pure functions under it. Beside them:
label smoothing, averaged weights, weight decay by kind of parameter, warm-up and schedules, accumulation, bfloat16,
early stopping, populations of seeds, and the mean over views of an image at test time.
"""

from .adversarial import AdversarialState, create_adversarial_state, generate, make_adversarial_step
from .apply import call_model
from .averaging import average_weights, averaged
from .cache import enable_compilation_cache
from .detection_loss import make_yolo_loss
from .fit import Fit, fit
from .losses import (
    PerExample,
    accuracy,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber,
    mae,
    mse,
)
from .population import run_population
from .predict import as_it_is, mirrored, predict
from .regularizers import SmoothedCrossEntropy, WeightPenalty, decay_mask
from .run import make_run
from .schedules import inverse_time_decay, updates_in, warm_up
from .sequence_losses import exact_match, sequence_cross_entropy, token_accuracy
from .state import TrainState, create_state
from .step import forward, make_eval_step, make_train_step
from .stopping import EarlyStopping

__all__ = [
    "AdversarialState",
    "EarlyStopping",
    "Fit",
    "PerExample",
    "SmoothedCrossEntropy",
    "TrainState",
    "WeightPenalty",
    "accuracy",
    "as_it_is",
    "average_weights",
    "averaged",
    "binary_cross_entropy",
    "call_model",
    "categorical_cross_entropy",
    "create_adversarial_state",
    "create_state",
    "cross_entropy",
    "decay_mask",
    "enable_compilation_cache",
    "exact_match",
    "fit",
    "forward",
    "generate",
    "huber",
    "inverse_time_decay",
    "mae",
    "make_adversarial_step",
    "make_eval_step",
    "make_run",
    "make_train_step",
    "make_yolo_loss",
    "mirrored",
    "mse",
    "predict",
    "run_population",
    "sequence_cross_entropy",
    "token_accuracy",
    "updates_in",
    "warm_up",
]
