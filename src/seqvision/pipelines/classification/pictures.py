"""The pictures of a classification run: of what was learned and what went wrong."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqvision.data import Arrays
from seqvision.interpret import feature_maps, grad_cam, learned_filters, maximize_activation, occlusion_map
from seqvision.pipelines.classification.decisions import Decision, decisions, file_part, reliability_of
from seqvision.pipelines.results import JudgedClasses
from seqvision.reporting import (
    RunFolder,
    class_labels,
    plot_confusion,
    plot_feature_maps,
    plot_filters,
    plot_heat_maps,
    plot_images,
    plot_losses,
    plot_misclassified,
    plot_reliability,
    save_figure,
)
from seqvision.training import TrainState


def draw_classifiers(
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
    """Draw what `write_classify_report` writes beside the tables; its arguments are those."""
    metrics = ("accuracy",) if all("accuracy" in one for one in history.values()) else ()
    save_figure(plot_losses(history, loss=loss, metrics=metrics), folder.path / "losses.png")
    save_figure(plot_reliability(reliability_of(judged, np.asarray(test.y))), folder.path / "reliability.png")
    for name, one in decisions(judged).items():
        figure = plot_confusion(judged.card.confusion[one.row], classes, title=one.row)
        save_figure(figure, folder.path / f"confusion-{file_part(name)}.png")
        _draw_mistakes(folder, name, one, test, classes, files)
        if name in states:
            _draw_insight(folder, name, test, judged.logits[name][0].argmax(axis=-1), states[name][0], classes)


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
    save_figure(figure, folder.path / f"misclassified-{file_part(name)}.png")


def _draw_insight(
    folder: RunFolder, name: str, test: Arrays, guess: np.ndarray, state: TrainState, classes: tuple[str, ...]
) -> None:
    """Draw filters, feature maps of the first test image, and where the network looks in one image of each class."""
    filters = learned_filters(state.params)
    if not filters:
        return
    images, labels = np.asarray(test.x), np.asarray(test.y)
    names = class_labels(classes)
    save_figure(plot_filters(_some(filters), title=f"{name}, seed 0"), folder.path / f"filters-{file_part(name)}.png")
    maps = {layer: y[0] for layer, y in _some(feature_maps(state, images[:1])).items()}
    title = f"{name}, seed 0: a test image of class {names[labels[0]]}, taken for {names[guess[0]]}"
    save_figure(plot_feature_maps(images[0], maps, title=title), folder.path / f"features-{file_part(name)}.png")
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
    save_figure(figure, folder.path / f"attention-{file_part(name)}.png")
    bounds = (float(images.min()), float(images.max()))
    wanted = maximize_activation(state, images.shape[1:], range(len(classes))[:10], steps=100, bounds=bounds)
    titles = [f"{label}\nscore {score:.1f}" for label, score in zip(names, wanted.activations, strict=False)]
    figure = plot_images(wanted.images, titles, columns=5, title=f"{name}, seed 0: what excites each class most")
    save_figure(figure, folder.path / f"wanted-{file_part(name)}.png")


def _some(layers: dict[str, np.ndarray], most: int = 8) -> dict[str, np.ndarray]:
    """Return at most so many layers, evenly from the first to the last."""
    names = list(layers)
    kept = sorted({round(place) for place in np.linspace(0, len(names) - 1, most)})
    return {names[place]: layers[names[place]] for place in kept}
