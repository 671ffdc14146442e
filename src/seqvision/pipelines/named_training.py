"""From the settings of a configuration to an update rule, its schedule, penalties, augmentation and early stopping."""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from seqvision.data import Augment, Brightness, Contrast, CutMix, Cutout, Flip, Mixup, PadCrop, Shift, Warp
from seqvision.pipelines.config import BATCH_SIZE, ClassifyConfig, Training
from seqvision.training import (
    EarlyStopping,
    PerExample,
    SmoothedCrossEntropy,
    WeightedCrossEntropy,
    WeightPenalty,
    average_weights,
    balanced_weights,
    cross_entropy,
    decay_mask,
    inverse_time_decay,
    updates_in,
    warm_up,
)

# One entry for each name that `config` allows.
OPTIMIZERS: dict[str, Any] = {
    "adam": optax.adam,
    "adamw": optax.adamw,
    "nadam": optax.nadam,
    "nadamw": optax.nadamw,
    "adamax": optax.adamax,
    "adamaxw": optax.adamaxw,
    "amsgrad": optax.amsgrad,
    "radam": optax.radam,
    "adabelief": optax.adabelief,
    "yogi": optax.yogi,
    "adagrad": optax.adagrad,
    "adadelta": optax.adadelta,
    "rmsprop": optax.rmsprop,
    "sgd": optax.sgd,
    "lion": optax.lion,
    "lamb": optax.lamb,
}
_OPTAX_NAMES = {"momentum": "momentum", "beta1": "b1", "beta2": "b2", "epsilon": "eps"}
_OTHER_NAMES = {("rmsprop", "beta2"): "decay", ("adadelta", "beta2"): "rho"}
_DECAY = {"adamw": 4e-3, "nadamw": 4e-3, "adamaxw": 4e-3, "lion": 1e-3}  # of weights, where none is given


def build_optimizer(config: Training, examples: int) -> optax.GradientTransformation:
    """Return the update rule of a configuration, with its schedule, clipping, decay and average of weights.

    Asked twice, the same object, so that compiled programs are shared; with a constant step size for any number of
    examples.

    Args:
      config: any that has the fields of `Training`.
      examples: training rows, which say how many updates an epoch has.

    >>> build_optimizer(Training(), 100) is build_optimizer(Training(), 1000)
    True
    """
    settings = {field.name: getattr(config, field.name) for field in dataclasses.fields(Training)}
    if config.schedule == "constant" and not config.warmup:
        return _optimizer(Training(**settings), updates=1)
    return _optimizer(Training(**settings), updates_in(1, examples, config.batch_size or min(BATCH_SIZE, examples)))


@lru_cache(maxsize=64)
def _optimizer(config: Training, updates: int) -> optax.GradientTransformation:
    steps = [] if config.clip_value is None else [optax.clip(config.clip_value)]
    steps += [] if config.clip_norm is None else [optax.clip_by_global_norm(config.clip_norm)]
    steps += [_rule(config, updates)]
    rule = steps[0] if len(steps) == 1 else optax.chain(*steps)
    return rule if config.average is None else average_weights(rule, config.average)


def _rule(config: Training, updates: int) -> optax.GradientTransformation:
    name, make = config.optimizer, OPTIMIZERS[config.optimizer]
    given = {
        _OTHER_NAMES.get((name, setting), argument): getattr(config, setting)
        for setting, argument in _OPTAX_NAMES.items()
        if getattr(config, setting) is not None
    }
    given |= {"nesterov": True} if config.nesterov else {}
    decay = _DECAY.get(name, 0.0) if config.weight_decay is None else config.weight_decay
    rate = learning_rates(config, updates)
    if "mask" in inspect.signature(make).parameters:
        return make(rate, weight_decay=decay, mask=decay_mask, **given)
    rule = make(rate, **given)
    return optax.chain(optax.add_decayed_weights(decay, mask=decay_mask), rule) if decay else rule


def learning_rates(config: Training, updates: int) -> optax.Schedule | float:
    """Return the step size, or the schedule of it, counted in updates.

    Args:
      config: schedule, learning_rate, warmup, decay_rate, decay_epochs, min_learning_rate and epochs are read.
      updates: how many an epoch has.

    >>> rates = learning_rates(Training(learning_rate=0.1, schedule="step", decay_epochs=2), updates=5)
    >>> [round(float(rates(5 * epoch)), 4) for epoch in range(5)]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """
    first, last = config.learning_rate, config.min_learning_rate
    rising = round(config.warmup * updates)
    falling = max(1, config.epochs * updates - rising)
    falls: optax.Schedule | float = first
    if config.schedule == "linear":
        falls = optax.linear_schedule(first, last, falling)
    elif config.schedule == "cosine":
        falls = optax.cosine_decay_schedule(first, falling, alpha=last / first)
    elif config.schedule == "exponential":
        falls = optax.exponential_decay(first, updates, config.decay_rate or 0.95, end_value=last)
    elif config.schedule == "step":
        every = updates * (config.decay_epochs or 10)
        falls = optax.exponential_decay(first, every, config.decay_rate or 0.5, staircase=True, end_value=last)
    elif config.schedule == "inverse_time":
        hyperbola = inverse_time_decay(first, (config.decay_rate or 0.1) / updates)
        falls = _not_below(hyperbola, last)
    return warm_up(rising, falls) if rising else falls


def _not_below(schedule: optax.Schedule, least: float) -> optax.Schedule:
    return lambda count: jnp.maximum(schedule(count), least)


def build_stopping(config: Training) -> EarlyStopping | None:
    """Return the early stopping of a configuration, if it has a patience.

    >>> build_stopping(Training(patience=3, monitor="val_accuracy")).highest
    True
    """
    if config.patience is None:
        return None
    highest = config.monitor.endswith("accuracy")
    return EarlyStopping(config.monitor, patience=config.patience, min_delta=config.min_delta, highest=highest)


def build_penalty(config: Training) -> WeightPenalty | None:
    """Return the penalty on weights, if there is one.

    >>> build_penalty(Training(l2=1e-4))
    WeightPenalty(l1=0.0, l2=0.0001)
    """
    return WeightPenalty(config.l1, config.l2) if config.l1 or config.l2 else None


def build_augment(config: ClassifyConfig, side: int, num_classes: int) -> Augment | None:
    """Return what is done to the training images of a configuration, if anything is.

    Args:
      config: augment is read.
      side: the smaller of height and width, in pixels, from which amounts derive that are not said.
      num_classes: how many there are.

    >>> build_augment(ClassifyConfig(augment=("flip", "crop")), side=32, num_classes=10).steps
    (Flip(axis='horizontal', probability=0.5), PadCrop(pad=4, fill='reflect'))
    """
    amounts = config.augmentations()
    steps = [_CHANGES[name](amount, side) for name, amount in amounts.items() if name in _CHANGES]
    mixes = [_MIXES[name](*(() if amount is None else (amount,))) for name, amount in amounts.items() if name in _MIXES]
    mix = _MixLabels(mixes[0], num_classes) if mixes else None
    return Augment(tuple(steps), mix) if amounts else None


# Name -> (amount or None, pixels of a side) -> the change.
_CHANGES: dict[str, Callable[[float | None, int], Any]] = {
    "flip": lambda amount, side: Flip(),
    "flip_vertical": lambda amount, side: Flip("vertical"),
    "shift": lambda amount, side: Shift(0.1, 0.1) if amount is None else Shift(amount, amount),
    "crop": lambda amount, side: PadCrop(_pixels("crop", amount, side // 8)),
    "rotate": lambda amount, side: Warp(rotation=15.0 if amount is None else amount),
    "zoom": lambda amount, side: Warp(zoom=0.1 if amount is None else amount),
    "shear": lambda amount, side: Warp(shear=10.0 if amount is None else amount),
    "brightness": lambda amount, side: Brightness(0.2 if amount is None else amount),
    "contrast": lambda amount, side: Contrast(0.2 if amount is None else amount),
    "cutout": lambda amount, side: Cutout(_pixels("cutout", amount, side // 4)),
}
_MIXES: dict[str, Any] = {"mixup": Mixup, "cutmix": CutMix}


def _pixels(name: str, amount: float | None, default: int) -> int:
    if amount is not None and (amount < 1 or amount != int(amount)):
        raise ValueError(f"augment: {name} takes whole pixels, such as {name}={max(1, default)}, got {amount}")
    return max(1, default) if amount is None else int(amount)


@dataclass(frozen=True)
class _MixLabels:
    """A blend of images whose targets are labels: they become shares of the classes before."""

    mix: Mixup | CutMix
    num_classes: int

    def __call__(self, keys: Any, x: Any, y: Any) -> tuple[Any, Any]:
        """Blend x (B, H, W, C) and labels y (B,)."""
        return self.mix(keys, x, jax.nn.one_hot(y, self.num_classes, dtype=x.dtype))


def build_class_loss(config: ClassifyConfig, labels: np.ndarray, num_classes: int) -> PerExample:
    """Return what a classifier minimizes: cross entropy, with smoothed or blended labels or weights of classes.

    Args:
      config: class_weights, smoothing and augment are read.
      labels: (N,) of the training rows.
      num_classes: how many there are.

    >>> build_class_loss(ClassifyConfig(smoothing=0.1), np.array([0, 1, 1]), 2)
    SmoothedCrossEntropy(amount=0.1)
    """
    if config.class_weights == "balanced":
        return WeightedCrossEntropy(balanced_weights(labels, num_classes), config.smoothing)
    blended = config.augmentations().keys() & {"mixup", "cutmix"}
    return SmoothedCrossEntropy(config.smoothing) if config.smoothing or blended else cross_entropy


def fit_options(config: Training, examples: int) -> dict[str, Any]:
    """Return the arguments of `seqvision.training.fit` that a configuration says.

    Args:
      config: any that has the fields of `Training`.
      examples: training rows.

    >>> sorted(fit_options(Training(patience=3), 100))
    ['batch_size', 'compute_dtype', 'epochs', 'micro_batch', 'optimizer', 'penalty', 'shuffle', 'stopping']
    """
    return {
        "optimizer": build_optimizer(config, examples),
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "penalty": build_penalty(config),
        "stopping": build_stopping(config),
        "micro_batch": config.micro_batch,
        "compute_dtype": config.compute_dtype,
        "shuffle": config.shuffle,
    }
