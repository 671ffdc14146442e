"""From images to an honest classifier: load, train, judge beside the commonest class, write a run folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision.data import (
    DIGIT_CLASSES,
    Arrays,
    load_cifar10,
    load_digits,
    load_fashion_mnist,
    load_image_folder,
    load_mnist,
    stratified_split,
)
from seqvision.models import parameter_count, variable_shapes
from seqvision.pipelines.build import build_classifier, build_optimizer
from seqvision.pipelines.classify_report import write_classify_report
from seqvision.pipelines.config import CLASSIFIERS, ClassifyConfig, config_from_dict
from seqvision.pipelines.seeds import Say, history_records, silent, state_variables, train_seeds
from seqvision.reporting import RunFolder
from seqvision.scorecards import score_classes
from seqvision.training import TrainState, create_state, predict


class ImageSplit(NamedTuple):
    """Images in parts; the classes' names."""

    train: Arrays
    validation: Arrays | None
    test: Arrays
    classes: tuple[str, ...]

    @property
    def example(self) -> jax.ShapeDtypeStruct:
        """Shape and dtype of a batch of one."""
        return jax.ShapeDtypeStruct((1, *self.train.x.shape[1:]), jnp.float32)


def run_classify(config: ClassifyConfig, *, say: Say = silent, progress: bool | None = None) -> dict[str, Any]:
    """Train every model from every seed, judge them on the test rows, and write a run folder.

    Args:
      config: what to do.
      say: called with lines on how far the run is.
      progress: a progress bar on stderr; by default if that is a terminal.

    Returns:
      "folder" (its path), "card" (a `ClassCard`), "text", "summary", "history" (model -> metric -> (S, epochs)),
      "logits" (model -> (S, B, C)).

    Raises:
      ValueError: for data that do not fit the configuration.
      OSError: if the run folder cannot be written, before anything is compiled; or a data set cannot be had.
    """
    split = load_images(config)
    models = build_models(config, split)
    if config.batch_size > len(split.train):
        raise ValueError(f"batch_size {config.batch_size} is larger than the {len(split.train)} training rows")
    with RunFolder.create(config.out, config.name) as folder:
        folder.write_config(config)
        say(describe_images(config, split))
        history, seconds, states = {}, {}, {}
        for name, model in models.items():
            done = train_seeds(
                model,
                split.train,
                config,
                loss="cross_entropy",
                stream=CLASSIFIERS.index(name),
                validation=split.validation,
                metrics={"accuracy"},
                progress=progress,
            )
            history[name], seconds[name], states[name] = done.history, done.seconds, done.states
            folder.log_metrics(history_records(name, done.history))
            say(f"{name}: {config.seeds} seeds trained in {done.seconds['run']:.2f} s")
        variables = {name: [state_variables(state) for state in done] for name, done in states.items()}
        folder.save_parameters({name: _by_seed(trees) for name, trees in variables.items()})
        judged = judge_classes(split, states)
        counts = {name: parameter_count(model, split.example) for name, model in models.items()}
        summary = {"scores": judged["card"].to_dict(), "parameters": counts, "seconds": seconds}
        folder.write_json("summary.json", summary)
        write_classify_report(folder, split.test, split.classes, history, states, judged)
    times = [
        f"{name}: {counts[name]:,} parameters, all seeds trained in {seconds[name]['run']:.2f} s"
        f" (and compiled in {seconds[name]['compile']:.2f} s)"
        for name in models
    ]
    text = "\n".join([describe_images(config, split), *times, "", judged["card"].text()])
    return {**judged, "folder": folder.path, "text": text, "summary": summary, "history": history}


def evaluate_classify(path: str | Path) -> dict[str, Any]:
    """Recompute the score card of a run from its saved parameters and configuration.

    Raises:
      ValueError: if the parameters do not fit the models.
    """
    folder = RunFolder.open(path)
    config = config_from_dict(ClassifyConfig, folder.read_json("config.json"))
    split = load_images(config)
    models = build_models(config, split)
    expected = {name: _by_seed([variable_shapes(m, split.example)] * config.seeds) for name, m in models.items()}
    saved = folder.load_parameters(expected)
    optimizer = build_optimizer(config.optimizer, config.learning_rate)
    states = {}
    for name, model in models.items():
        blank = create_state(model, optimizer, jax.random.key(0), split.train.x[:1])
        trees = [saved[name][f"seed_{s}"] for s in range(config.seeds)]
        states[name] = tuple(
            blank.replace(params=tree["params"], batch_stats=tree.get("batch_stats", {})) for tree in trees
        )
    judged = judge_classes(split, states)
    return {**judged, "text": "\n".join([describe_images(config, split), "", judged["card"].text()])}


def load_images(config: ClassifyConfig) -> ImageSplit:
    """Load a data set or a folder and hold out test rows, and validation rows if wanted, within each class.

    >>> split = load_images(ClassifyConfig(limit=100))
    >>> len(split.train), len(split.test)
    (100, 359)
    """
    train, test, classes = _load(config)
    if config.limit is not None and config.limit < len(train):
        kept = np.random.default_rng(config.seed).permutation(len(train))[: config.limit]
        train = _take(train, np.sort(kept))
    validation = None
    if config.validation:
        rows, held = stratified_split(train.y, config.validation, config.seed)
        train, validation = _take(train, rows), _take(train, held)
    return ImageSplit(train, validation, test, tuple(classes))


def _load(config: ClassifyConfig) -> tuple[Arrays, Arrays, tuple[str, ...]]:
    if config.folder is None and config.data != "digits":
        loaders = {"mnist": load_mnist, "fashion_mnist": load_fashion_mnist, "cifar10": load_cifar10}
        return loaders[config.data]()
    if config.folder is not None:
        size = None if config.size is None else (config.size, config.size)
        whole, classes, _ = load_image_folder(config.folder, size=size)
    else:
        whole, classes = load_digits(), DIGIT_CLASSES
    train_rows, test_rows = stratified_split(whole.y, config.test, config.seed)
    return _take(whole, train_rows), _take(whole, test_rows), classes


def build_models(config: ClassifyConfig, split: ImageSplit) -> dict[str, nn.Module]:
    """Return the configured models by name."""
    side, classes = min(split.train.x.shape[1:3]), len(split.classes)
    return {name: build_classifier(name, config, side, classes) for name in config.models}


def describe_images(config: ClassifyConfig, split: ImageSplit) -> str:
    """Return one line on what is trained and tested on."""
    shape = " x ".join(str(size) for size in split.train.x.shape[1:])
    held = "" if split.validation is None else f", {len(split.validation)} to validate"
    source = config.folder or config.data
    return f"{source}: {len(split.train)} images of {shape} to train{held}, {len(split.test)} to test"


def judge_classes(split: ImageSplit, states: Mapping[str, tuple[TrainState, ...]]) -> dict[str, Any]:
    """Classify every test row with every model and seed, and score them: "card" and "logits" (model -> (S, B, C))."""
    logits = {name: np.stack([predict(state, split.test) for state in each]) for name, each in states.items()}
    card = score_classes(
        np.asarray(split.test.y), logits=logits, training_labels=np.asarray(split.train.y), class_names=split.classes
    )
    return {"card": card, "logits": logits}


def _take(data: Arrays, rows: np.ndarray) -> Arrays:
    return Arrays(np.asarray(data.x)[rows], np.asarray(data.y)[rows])


def _by_seed(trees: list[Any]) -> dict[str, Any]:
    return {f"seed_{s}": tree for s, tree in enumerate(trees)}
