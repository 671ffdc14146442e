"""Image classifiers with recipes: each row a network and how it is trained, judged beside the commonest class."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import flax.linen as nn
import jax
import numpy as np
import optax

from seqvision._checks import check_count, check_number, counted
from seqvision._phases import phase, phases, seconds_so_far
from seqvision.data import Augment, ImageData
from seqvision.models import parameter_count
from seqvision.pipelines.classification.decisions import reliability_of
from seqvision.pipelines.classification.report import write_classify_report
from seqvision.pipelines.results import ClassifyRun, JudgedClasses
from seqvision.pipelines.seed_training import TrainedSeeds, history_records, train_seeds
from seqvision.pipelines.settings import check_settings
from seqvision.reporting import RunFolder, to_plain
from seqvision.scorecards import score_classes
from seqvision.training import (
    SmoothedCrossEntropy,
    average_weights,
    averaged,
    cross_entropy,
    decay_mask,
    predict,
    updates_in,
    warm_up,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImageRecipe:
    """How one row is trained.

    The defaults are those of the Keras notebooks: Adam at a constant step size, and nothing else.

    Args:
      epochs: passes over the training images.
      batch_size: images a step.
      learning_rate: the largest step size.
      schedule: "constant", or "cosine": up in a line for the first twentieth of the updates, then down to 0.
      rule: "adam", or "nesterov": gradient descent with momentum .9, looking ahead.
      weight_decay: share of the weights, not of biases and norms, taken off at an update, times the step size.
      smoothing: share of each label spread over all classes.
      average: decay of a running average of the weights, which is then judged; None judges the last weights.
      augment: what is done to the images at each step.
      views: functions of images over which the logits are averaged in the end; none: the images as they are.
      compute_dtype: "bfloat16" on accelerators.
    """

    epochs: int = 15
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    rule: Literal["adam", "nesterov"] = "adam"
    weight_decay: float = 0.0
    smoothing: float = 0.0
    average: float | None = None
    augment: Augment | None = None
    views: tuple[Callable[[Any], Any], ...] = ()
    compute_dtype: Literal["bfloat16", "float32"] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is compiled."""
        check_settings(self)
        for name in ("epochs", "batch_size"):
            check_count(name, getattr(self, name))
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("weight_decay", self.weight_decay, least=0)
        check_number("smoothing", self.smoothing, least=0, below=1)

    def optimizer(self, examples: int) -> optax.GradientTransformation:
        """Return the update rule for so many training images."""
        updates = updates_in(self.epochs, examples, self.batch_size)
        rate: Any = self.learning_rate
        if self.schedule == "cosine":
            rising = max(1, updates // 20)
            rate = warm_up(rising, optax.cosine_decay_schedule(rate, max(1, updates - rising)))
        if self.rule == "adam":
            rule = optax.adamw(rate, weight_decay=self.weight_decay, mask=decay_mask)
        else:
            decay = optax.add_decayed_weights(self.weight_decay, mask=decay_mask)
            rule = optax.chain(decay, optax.sgd(rate, momentum=0.9, nesterov=True))
        return rule if self.average is None else average_weights(rule, self.average)

    def text(self) -> str:
        """Return what differs from the defaults, in one line."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        told = {name: value for name, value in told.items() if value != getattr(ImageRecipe, name)}
        if self.views:
            told["views"] = tuple(view.__name__ for view in self.views)
        return ", ".join(f"{name}={value}" for name, value in told.items())


Row = tuple[nn.Module, ImageRecipe]


@phases()
def run_recipes(
    rows: Mapping[str, Row],
    data: ImageData,
    *,
    seeds: int,
    seed: int = 0,
    config: Any = None,
    out: str = "runs",
    name: str = "recipes",
    progress: bool | None = None,
) -> ClassifyRun:
    """Train every row from several seeds, judge all on the test images, and write a run folder.

    In the folder: curves, calibration, confusion matrices, the surest mistakes, predictions, summary.json.

    Args:
      rows: name -> (network, recipe).
      data: training and test images.
      seeds: how often each row is trained.
      seed: from which every random number derives.
      config: written to config.json.
      out: folder in which the new run folder is made.
      name: first part of its name.
      progress: a progress bar on stderr; by default if that is a terminal.

    Returns:
      The run; its summary has "scores", and for each row "parameters", "seconds" an epoch, "train_accuracy" and "loss".
    """
    example = jax.ShapeDtypeStruct((1, *data.train.x.shape[1:]), "float32")
    logits, history = {}, {}
    summary: dict[str, dict[str, Any]] = {key: {} for key in ("parameters", "seconds", "train_accuracy", "loss")}
    with RunFolder.create(out, name) as folder:
        folder.write_config(config if config is not None else {})
        for stream, (row, (model, recipe)) in enumerate(rows.items()):
            trained = _train(row, model, recipe, data, seeds, seed, stream, progress)
            states = [state if recipe.average is None else averaged(state) for state in trained.states]
            with phase("judging", row):
                logits[row] = np.stack([predict(state, data.test, views=recipe.views) for state in states])
                seen = data.train.x[:10_000]
                right = [predict(state, seen).argmax(axis=1) == np.asarray(data.train.y[:10_000]) for state in states]
            history[row] = trained.history
            folder.log_metrics(history_records(row, trained.history))
            summary["parameters"][row] = parameter_count(model, example)
            summary["seconds"][row] = trained.seconds["run"] / (seeds * recipe.epochs)
            summary["train_accuracy"][row] = float(np.mean(right))
            summary["loss"][row] = trained.history["loss"].mean(axis=0).tolist()
            logger.info(
                f"{row}: {summary['parameters'][row]:,} parameters, {counted(recipe.epochs, 'epoch')} of "
                f"{summary['seconds'][row]:.2f} s, {recipe.text() or 'as the notebooks'}; right on training images "
                f"{summary['train_accuracy'][row]:.4f}, on test images "
                f"{np.mean(logits[row].argmax(axis=-1) == np.asarray(data.test.y)):.4f}"
            )
        card = score_classes(
            np.asarray(data.test.y), logits=logits, training_labels=np.asarray(data.train.y), class_names=data.classes
        )
        judged = JudgedClasses(card, logits)
        write_classify_report(folder, data.test, data.classes, history, {}, judged)
        sure = {name: diagram._asdict() for name, diagram in reliability_of(judged, np.asarray(data.test.y)).items()}
        summary = to_plain({"scores": card.to_dict(), "reliability": sure, **summary})
        folder.write_json("summary.json", summary)
        folder.write_json("phases.json", seconds_so_far())
    return ClassifyRun(**vars(judged), folder=folder.path, text=card.text(), summary=summary, history=history)


def _train(
    name: str,
    model: nn.Module,
    recipe: ImageRecipe,
    data: ImageData,
    seeds: int,
    seed: int,
    stream: int,
    progress: bool | None,
) -> TrainedSeeds:
    return train_seeds(
        model,
        data.train,
        seeds=seeds,
        seed=seed,
        stream=stream,
        name=name,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        loss=SmoothedCrossEntropy(recipe.smoothing) if recipe.smoothing else cross_entropy,
        optimizer=recipe.optimizer(len(data.train)),
        metrics={"accuracy"},
        progress=progress,
        augment=recipe.augment,
        compute_dtype=recipe.compute_dtype,
    )
