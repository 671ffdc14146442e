"""What a classification run leaves in its folder: predictions, and pictures of what was learned and what went wrong."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from seqvision.data import Arrays
from seqvision.interpret import feature_maps, grad_cam, learned_filters, maximize_activation, occlusion_map
from seqvision.metrics import Reliability, reliability
from seqvision.pipelines.classification.decisions import Decision, decisions
from seqvision.pipelines.results import JudgedClasses
from seqvision.reporting import (
    RunFolder,
    class_labels,
    misclassified_rows,
    plot_confusion,
    plot_feature_maps,
    plot_filters,
    plot_heat_maps,
    plot_images,
    plot_losses,
    plot_misclassified,
    plot_reliability,
    prediction_table,
    save_figure,
    save_thumbnails,
    write_table,
)
from seqvision.training import TrainState


def write_classify_report(
    folder: RunFolder,
    test: Arrays,
    classes: tuple[str, ...],
    history: Mapping[str, Mapping[str, np.ndarray]],
    states: Mapping[str, Sequence[TrainState]],
    judged: JudgedClasses,
    *,
    files: Sequence[str] = (),
    loss: str = "cross entropy",
) -> None:
    """Write predictions.csv, mistakes.csv, confusion matrices and pictures.

    They are about what is used in the end, of several seeds the mean of their probabilities, and say so; networks are
    looked into one at a time, and then it is seed 0.

    losses.png has training and validation curves; reliability.png how sure and how often right; for each model
    confusion-*.png and .csv, and misclassified-*.png; for those with convolutions whose states are given, of seed
    0, filters-*.png, features-*.png, attention-*.png (Grad-CAM and occlusion) and wanted-*.png (activation
    maximization). mistakes.safetensors has small images of the surest mistakes. In file names blanks and signs are
    underscores.

    Args:
      folder: of the run.
      test: test images (B, H, W, C) and labels (B,).
      classes: their names.
      history: model -> metric -> (S, epochs).
      states: model -> trained states, one a seed; those that are left out are not looked into.
      judged: logits and score card.
      files: (B,) names of the test images' files, where they have any; the tables and the mistakes name them.
      loss: what the loss is called.
    """
    metrics = ("accuracy",) if all("accuracy" in one for one in history.values()) else ()
    save_figure(plot_losses(history, loss=loss, metrics=metrics), folder.path / "losses.png")
    labels, said = np.asarray(test.y), decisions(judged)
    save_figure(plot_reliability(reliability_of(judged, labels)), folder.path / "reliability.png")
    columns = {one.row: one.classes for one in said.values()}
    mistakes = []
    for name, one in said.items():
        _write_confusion(folder, name, one.row, judged.card.confusion[one.row], classes)
        _draw_mistakes(folder, name, one, test, classes, files)
        mistakes.append(_mistakes(one, labels, classes, files))
        seeds = judged.logits[name].argmax(axis=-1)
        if name in states:
            _write_insight(folder, name, test, seeds[0], states[name][0], classes)
        if len(seeds) > 1:
            columns |= {f"{name}, seed {s}": seed for s, seed in enumerate(seeds)}
    table = prediction_table(labels, columns)
    if files:
        table.insert(1, "file", list(files))
    write_table(folder.path / "predictions.csv", table)
    wrong = pd.concat(mistakes)
    write_table(folder.path / "mistakes.csv", wrong)
    save_thumbnails(folder.path, test.x, wrong)


def reliability_of(judged: JudgedClasses, labels: np.ndarray) -> dict[str, Reliability]:
    """Return how sure and how often right each classifier is that is used in the end, by its row of the card."""
    said = decisions(judged).values()
    return {one.row: reliability(one.classes == labels, confidence=one.confidence, bins=10) for one in said}


def _write_confusion(folder: RunFolder, name: str, row: str, counts: np.ndarray, classes: tuple[str, ...]) -> None:
    save_figure(plot_confusion(counts, classes, title=row), folder.path / f"confusion-{_file(name)}.png")
    table = pd.DataFrame(counts, index=list(classes), columns=list(classes))
    table.to_csv(folder.path / f"confusion-{_file(name)}.csv", index_label="true class")


def _draw_mistakes(
    folder: RunFolder, name: str, said: Decision, test: Arrays, classes: tuple[str, ...], files: Sequence[str]
) -> None:
    figure = plot_misclassified(
        test.x,
        np.asarray(test.y),
        predicted=said.classes,
        confidence=said.confidence,
        class_names=classes,
        files=files or None,
        title=said.row,
    )
    save_figure(figure, folder.path / f"misclassified-{_file(name)}.png")


def _mistakes(said: Decision, labels: np.ndarray, classes: tuple[str, ...], files: Sequence[str]) -> pd.DataFrame:
    """Return the test images that a classifier got wrong, the surest mistakes first."""
    wrong = misclassified_rows(labels, predicted=said.classes, confidence=said.confidence)
    table = {"model": said.row, "row": wrong, "file": [files[k] for k in wrong] if files else None}
    names = {"true class": labels, "predicted class": said.classes}
    table |= {name: [classes[k] for k in numbers[wrong]] for name, numbers in names.items()}
    table |= {"probability": said.confidence[wrong]}
    table |= {"probability of the true class": said.probabilities[wrong, labels[wrong]]}
    return pd.DataFrame({name: column for name, column in table.items() if column is not None})


def _write_insight(
    folder: RunFolder, name: str, test: Arrays, guess: np.ndarray, state: TrainState, classes: tuple[str, ...]
) -> None:
    """Draw filters, feature maps of the first test image, and where the network looks in one image of each class."""
    filters = learned_filters(state.params)
    if not filters:
        return
    images, labels = np.asarray(test.x), np.asarray(test.y)
    names = class_labels(classes)
    save_figure(plot_filters(_some(filters), title=f"{name}, seed 0"), folder.path / f"filters-{_file(name)}.png")
    maps = {layer: y[0] for layer, y in _some(feature_maps(state, images[:1])).items()}
    title = f"{name}, seed 0: a test image of class {names[labels[0]]}, taken for {names[guess[0]]}"
    save_figure(plot_feature_maps(images[0], maps, title=title), folder.path / f"features-{_file(name)}.png")
    rows = np.unique(labels, return_index=True)[1][:10]
    window = max(2, min(images.shape[1:3]) // 5)
    # Covered with the background of drawings, the mean color of photographs.
    fill = images.min() if images.shape[-1] == 1 else images.mean(axis=(0, 1, 2))
    heat = {
        "Grad-CAM of the\nlast convolution": grad_cam(state, images[rows]),
        f"score lost by\ncovering {window} x {window}": occlusion_map(
            state, images[rows], (window, window), stride=max(1, window // 2), fill=fill
        ),
    }
    titles = [f"{names[labels[row]]}\ntaken for {names[guess[row]]}" for row in rows]
    figure = plot_heat_maps(images[rows], heat, titles, title=f"{name}, seed 0: what speaks for the predicted class")
    save_figure(figure, folder.path / f"attention-{_file(name)}.png")
    bounds = (float(images.min()), float(images.max()))
    wanted = maximize_activation(state, images.shape[1:], range(len(classes))[:10], steps=100, bounds=bounds)
    titles = [f"{label}\nscore {score:.1f}" for label, score in zip(names, wanted.activations, strict=False)]
    figure = plot_images(wanted.images, titles, columns=5, title=f"{name}, seed 0: what excites each class most")
    save_figure(figure, folder.path / f"wanted-{_file(name)}.png")


def _file(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def _some(layers: dict[str, np.ndarray], most: int = 8) -> dict[str, np.ndarray]:
    """Return at most so many layers, evenly from the first to the last."""
    names = list(layers)
    kept = sorted({round(place) for place in np.linspace(0, len(names) - 1, most)})
    return {names[place]: layers[names[place]] for place in kept}
