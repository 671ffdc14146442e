"""From images to an honest classifier: load, train, judge beside the commonest class, write a run folder."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from seqvision._compilation import kept_on_disk
from seqvision._phases import phases, seconds_so_far
from seqvision.data import PictureForm
from seqvision.models import parameter_count
from seqvision.pipelines.classification.data import ImageSplit, describe_images, load_images
from seqvision.pipelines.classification.decisions import (
    check_threshold,
    choose_thresholds,
    kept_thresholds,
    reliability_of,
)
from seqvision.pipelines.classification.image_record import RECORD, check_record
from seqvision.pipelines.classification.report import write_classify_report
from seqvision.pipelines.classification.validation import seed_accuracies, validate_classes
from seqvision.pipelines.config import CLASSIFIERS, ClassifyConfig, config_from_dict, with_batch_size
from seqvision.pipelines.kept_trainings import kept_trainings, reopen_run
from seqvision.pipelines.named_models import build_classifier
from seqvision.pipelines.named_training import build_augment, build_class_loss
from seqvision.pipelines.parent import Parent, read_parent, write_parent
from seqvision.pipelines.results import ClassifyEvaluation, ClassifyRun, JudgedClasses
from seqvision.pipelines.saved_variables import load_variables
from seqvision.pipelines.seed_training import epochs_kept, train_models, training_text
from seqvision.reporting import RunFolder, to_plain
from seqvision.scorecards import ClassThreshold, score_classes
from seqvision.training import TrainState, predict

logger = logging.getLogger(__name__)


@phases()
def run_classify(config: ClassifyConfig, *, progress: bool | None = None) -> ClassifyRun:
    """Train every model from every seed, judge them on the test rows, and write a run folder.

    How far the run is goes to the logger "seqvision"; see `show_progress`.

    Args:
      config: what to do.
      progress: a progress bar on stderr; by default if that is a terminal.

    Raises:
      ValueError: for data that do not fit the configuration.
      OSError: if the run folder cannot be written, before anything is compiled; or a data set cannot be had.
    """
    return train_classify(config, load_images(config), progress=progress)


@phases()
def train_classify(
    config: ClassifyConfig, split: ImageSplit, *, parent: Parent | None = None, progress: bool | None = None
) -> ClassifyRun:
    """Train on a split, judge and write a run folder; see `run_classify`.

    Args:
      config: what to do.
      split: what `load_images` returned for it.
      parent: the run that it is refitted from.
      progress: a progress bar on stderr; by default if that is a terminal.
    """
    check_threshold(config, split)
    models = build_classifiers(config, split.form, len(split.classes))
    config = with_batch_size(config, len(split.train))
    folder = RunFolder.create(config.out, config.name, log_to=config.log_to)
    return train_and_judge(folder, config, split, models, progress, parent)


@phases()
def resume_classify(
    path: str | Path, *, folder: str | None = None, test_folder: str | None = None, progress: bool | None = None
) -> ClassifyRun:
    """Go on with a run that was stopped, in its folder; see `seqvision.pipelines.resume_run`.

    Args:
      path: the run folder.
      folder: where its folder of images is now, if that has moved.
      test_folder: likewise of its folder of test images.
      progress: a progress bar on stderr; by default if that is a terminal.
    """
    run, config = reopen_run(path, ClassifyConfig)
    now = _with_folder(_with_folder(config, "folder", folder, path), "test_folder", test_folder, path)
    split = load_images(now)
    if run.has(RECORD):
        check_record(run.read_json(RECORD), split.record, now.folder or now.data, path)
    models = build_classifiers(config, split.form, len(split.classes))
    parent = read_parent(run, models, split.example, config.seeds)
    return train_and_judge(run.logging_to(config.log_to), config, split, models, progress, parent)


@kept_on_disk()
def train_and_judge(
    folder: RunFolder,
    config: ClassifyConfig,
    split: ImageSplit,
    models: dict[str, nn.Module],
    progress: bool | None,
    parent: Parent | None = None,
) -> ClassifyRun:
    """Train what the folder does not have yet, judge it, and write the rest.

    Args:
      folder: new, or of a run that was stopped.
      config: with a batch size.
      split: what `load_images` returned.
      models: what `build_classifiers` returned.
      progress: as in `run_classify`.
      parent: the run that it is refitted from.
    """
    with kept_trainings(folder, config) as trainings, folder:
        write_parent(folder, parent)
        if not folder.has("config.json"):
            folder.write_config(config)
        folder.write_json(RECORD, split.record)
        logger.info(describe_images(config, split))
        trained = train_models(
            models,
            split.train,
            config,
            folder,
            streams=CLASSIFIERS,
            trainings=trainings,
            kept={"classes": split.classes, "pixels": 255, "data": {"form": split.form.to_dict()}},
            loss=build_class_loss(config, np.asarray(split.train.y), len(split.classes)),
            augment=build_augment(config, min(split.train.x.shape[1:3]), len(split.classes)),
            validation=split.validation,
            metrics={"accuracy"},
            variables=None if parent is None else parent.variables,
            progress=progress,
        )
        states = {name: done.states for name, done in trained.items()}
        judged = judge_classes(split, states, choose_thresholds(config, split, states))
        counts = {name: parameter_count(model, split.example) for name, model in models.items()}
        seconds = {name: done.seconds for name, done in trained.items()}
        sure = {row: diagram._asdict() for row, diagram in reliability_of(judged, np.asarray(split.test.y)).items()}
        validation = validate_classes(split, states)
        summary = to_plain(
            {
                "scores": judged.card.to_dict(),
                "by_seed": seed_accuracies(split, judged),
                "validation": validation,
                "reliability": sure,
                "parameters": counts,
                "seconds": seconds,
                **epochs_kept(trained),
                **({} if parent is None else {"parent": parent.to_dict()}),
            }
        )
        folder.write_json("summary.json", summary)
        history = {name: done.history for name, done in trained.items()}
        write_classify_report(
            folder,
            split.test,
            split.classes,
            history,
            states,
            judged,
            files=split.test_files,
            loss=loss_name(config),
            plots=config.plots,
        )
        folder.write_json("phases.json", seconds_so_far())
    text = "\n".join([describe_images(config, split), training_text(counts, trained), "", judged.card.text()])
    return ClassifyRun(
        **vars(judged), folder=folder.path, text=text, summary=summary, history=history, validation=validation
    )


@kept_on_disk()
@phases()
def evaluate_classify(
    path: str | Path, folder: str | None = None, test_folder: str | None = None
) -> ClassifyEvaluation:
    """Recompute the score card of a run from its saved parameters and configuration.

    Args:
      path: the run folder.
      folder: where its folder of images is now, if that has moved.
      test_folder: likewise of its folder of test images.

    Raises:
      ValueError: if the parameters do not fit the models, or the images are not those that the run was trained and
        judged on: files added, removed or changed, class folders renamed.
    """
    config, split, _, judged = judge_again(RunFolder.open(path), folder, test_folder)
    text = "\n".join([describe_images(config, split), "", judged.card.text()])
    return ClassifyEvaluation(**vars(judged), folder=Path(path), text=text)


def judge_again(
    run: RunFolder, folder: str | None = None, test_folder: str | None = None
) -> tuple[ClassifyConfig, ImageSplit, dict[str, list[TrainState]], JudgedClasses]:
    """Return the configuration of a run, its images, its trained states and what they say of the test rows.

    Args and errors are those of `evaluate_classify`.
    """
    path = run.path
    config = config_from_dict(ClassifyConfig, run.read_json("config.json"))
    config = _with_folder(_with_folder(config, "folder", folder, path), "test_folder", test_folder, path)
    split = load_images(config)
    check_record(run.read_json(RECORD), split.record, config.folder or config.data, path)
    thresholds = kept_thresholds(run.read_json("summary.json"), config, path) if config.threshold_for else {}
    states = restore_classifiers(run, config, split.form, len(split.classes))
    return config, split, states, judge_classes(split, states, thresholds)


def loss_name(config: ClassifyConfig) -> str:
    """Return what a picture calls the loss of a run."""
    return "cross entropy" if config.class_weights == "none" else "cross entropy, classes weighted"


def _with_folder(config: ClassifyConfig, name: str, moved: str | None, run: str | Path) -> ClassifyConfig:
    """Return the configuration with a folder where it is now."""
    trained = getattr(config, name)
    if trained is None:
        if moved is not None:
            on = f"on the data set {config.data}, not on a folder" if config.folder is None else "without a test folder"
            raise ValueError(f"{run} is a run {on}: leave out {name}={moved!r}")
        return config
    now = trained if moved is None else moved
    if not Path(now).is_dir():
        raise FileNotFoundError(f"the images of {run} are not at {now}: say with {name} where they are now")
    moved_there: dict[str, Any] = {name: now}
    return dataclasses.replace(config, **moved_there)


def build_classifiers(config: ClassifyConfig, form: PictureForm, classes: int) -> dict[str, nn.Module]:
    """Return the configured models by name, for pictures of a form and so many classes."""
    side = min(form.height, form.width)
    return {name: build_classifier(name, config, side, classes) for name in config.models}


def restore_classifiers(
    run: RunFolder, config: ClassifyConfig, form: PictureForm, classes: int
) -> dict[str, list[TrainState]]:
    """Return the trained states of a run, model -> one a seed.

    Raises:
      ValueError: if the saved parameters do not fit the models.
    """
    models = build_classifiers(config, form, classes)
    example = jax.ShapeDtypeStruct((1, form.height, form.width, form.channels), jnp.float32)
    trees = load_variables(models, example, config.seeds, run)
    return {name: [_restored(model, tree) for tree in trees[name]] for name, model in models.items()}


def _restored(model: nn.Module, variables: Mapping[str, Any]) -> TrainState:
    """Return a state that answers, and is trained no further."""
    return TrainState(
        step=0,
        apply_fn=model.apply,
        params=variables["params"],
        tx=optax.identity(),
        opt_state=(),
        batch_stats=variables.get("batch_stats", {}),
        key=jax.random.key(0),
    )


def judge_classes(
    split: ImageSplit,
    states: Mapping[str, Sequence[TrainState]],
    thresholds: Mapping[str, ClassThreshold] | None = None,
) -> JudgedClasses:
    """Classify every test row with every model and seed, and score them.

    Args:
      split: what `load_images` returned.
      states: model -> trained states, one a seed.
      thresholds: model -> a threshold, chosen on other rows.
    """
    logits = {name: np.stack([predict(state, split.test) for state in each]) for name, each in states.items()}
    card = score_classes(
        np.asarray(split.test.y),
        logits=logits,
        training_labels=np.asarray(split.train.y),
        class_names=split.classes,
        thresholds=thresholds,
    )
    return JudgedClasses(card, logits)
