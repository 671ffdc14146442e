"""What a classification run leaves in its folder: predictions, and pictures of what was learned and what went wrong."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from seqvision._phases import phase
from seqvision.data import Arrays
from seqvision.pipelines.classification.decisions import Decision, decisions, file_part
from seqvision.pipelines.results import JudgedClasses
from seqvision.reporting import RunFolder, misclassified_rows, prediction_table, save_thumbnails, write_table
from seqvision.training import TrainState


@phase("drawing")
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
    plots: bool = True,
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
      plots: draw the pictures; without, nothing is imported that draws.
    """
    labels, said = np.asarray(test.y), decisions(judged)
    columns = {one.row: one.classes for one in said.values()}
    mistakes = []
    for name, one in said.items():
        _write_confusion(folder, name, judged.card.confusion[one.row], classes)
        mistakes.append(_mistakes(one, labels, classes, files))
        seeds = judged.logits[name].argmax(axis=-1)
        if len(seeds) > 1:
            columns |= {f"{name}, seed {s}": seed for s, seed in enumerate(seeds)}
    table = prediction_table(labels, columns)
    if files:
        table.insert(1, "file", list(files))
    write_table(folder.path / "predictions.csv", table)
    wrong = pd.concat(mistakes)
    write_table(folder.path / "mistakes.csv", wrong)
    save_thumbnails(folder.path, test.x, wrong)
    if plots:
        from seqvision.pipelines.classification.pictures import draw_classifiers

        draw_classifiers(folder, test, classes, history, states, judged, files=files, loss=loss)


def _write_confusion(folder: RunFolder, name: str, counts: np.ndarray, classes: tuple[str, ...]) -> None:
    table = pd.DataFrame(counts, index=list(classes), columns=list(classes))
    table.to_csv(folder.path / f"confusion-{file_part(name)}.csv", index_label="true class")


def _mistakes(said: Decision, labels: np.ndarray, classes: tuple[str, ...], files: Sequence[str]) -> pd.DataFrame:
    """Return the test images that a classifier got wrong, the surest mistakes first."""
    wrong = misclassified_rows(labels, predicted=said.classes, confidence=said.confidence)
    table = {"model": said.row, "row": wrong, "file": [files[k] for k in wrong] if files else None}
    names = {"true class": labels, "predicted class": said.classes}
    table |= {name: [classes[k] for k in numbers[wrong]] for name, numbers in names.items()}
    table |= {"probability": said.confidence[wrong]}
    table |= {"probability of the true class": said.probabilities[wrong, labels[wrong]]}
    return pd.DataFrame({name: column for name, column in table.items() if column is not None})
