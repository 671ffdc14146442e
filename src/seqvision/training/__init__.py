"""Losses, the train step, and whole runs as one compiled program."""

from .cache import enable_compilation_cache
from .fit import Fit, fit
from .losses import (
    accuracy,
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    huber,
    mae,
    mse,
)
from .predict import predict
from .run import make_run
from .sequence_losses import exact_match, sequence_cross_entropy, token_accuracy
from .state import TrainState, create_state
from .step import forward, make_eval_step, make_train_step

__all__ = [
    "Fit",
    "TrainState",
    "accuracy",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "create_state",
    "cross_entropy",
    "enable_compilation_cache",
    "exact_match",
    "fit",
    "forward",
    "huber",
    "mae",
    "make_eval_step",
    "make_run",
    "make_train_step",
    "mse",
    "predict",
    "sequence_cross_entropy",
    "token_accuracy",
]
