"""Pictures of classifiers: the confusion matrix, and the examples that they got wrong."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from seqvision._checks import counted
from seqvision.reporting.image_plots import plot_images
from seqvision.reporting.mistakes import end_of_name, misclassified_rows
from seqvision.reporting.plain_text import class_labels, name_ticks
from seqvision.reporting.scaled_images import scaled_images
from seqvision.reporting.style import new_figure


def plot_confusion(counts: ArrayLike, class_names: Sequence[str] | None = None, *, title: str = "") -> Figure:
    """Draw a confusion matrix: in each cell the count, and the share of its true class in percent.

    Args:
      counts: (C, C), true class by row.
      class_names: (C,); the default is the numbers.
      title: above the matrix.

    >>> plot_confusion([[3, 1], [0, 4]], ["cat", "dog"]).axes[0].get_ylabel()
    'true class'
    """
    table = np.asarray(counts)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(f"counts must be (C, C), got shape {table.shape}")
    classes = len(table)
    names = [str(i) for i in range(classes)] if class_names is None else class_labels(class_names)
    if len(names) != classes:
        raise ValueError(f"class_names has {len(names)} names for {classes} classes")
    rates = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = max(4.2, 0.62 * classes + 1.6)
    figure = new_figure(side + 0.6, side)
    axes = figure.subplots()
    picture = axes.imshow(rates, cmap="Blues", vmin=0.0, vmax=1.0)
    bar = figure.colorbar(picture, ax=axes, fraction=0.045, pad=0.02)
    bar.set_label("share of the true class", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    if classes <= 25:
        for i in range(classes):
            for j in range(classes):
                text = f"{table[i, j]}\n{100 * rates[i, j]:.1f} %" if table[i, j] else "·"
                shade = "white" if rates[i, j] > 0.55 else "#222222"
                axes.text(j, i, text, ha="center", va="center", fontsize=7.5, color=shade)
    long = max(len(name) for name in names) > 4
    name_ticks(axes.xaxis, names, fontsize=8, rotation=40 if long else 0, ha="right" if long else "center")
    name_ticks(axes.yaxis, names, fontsize=8)
    axes.set_xlabel("predicted class", fontsize=9)
    axes.set_ylabel("true class", fontsize=9)
    axes.set_title(title, loc="left", fontsize=10)
    return figure


def plot_misclassified(
    images: ArrayLike,
    labels: ArrayLike,
    *,
    predicted: ArrayLike,
    confidence: ArrayLike,
    class_names: Sequence[str] | None = None,
    files: Sequence[str] | None = None,
    limit: int = 24,
    title: str = "",
) -> Figure:
    """Draw the examples that were classified wrong, the surest mistakes first.

    Args:
      images: (B, H, W), (B, H, W, 1) or (B, H, W, 3), values of any range.
      labels: (B,) true classes.
      predicted: (B,) predicted classes.
      confidence: (B,) probability of the predicted class.
      class_names: (C,); the default is the numbers.
      files: (B,) where each image came from: the last part of the name stands above it, its end if that is long.
      limit: pictures at most.
      title: above the grid.

    >>> guess, sure = [0, 2, 1], [0.9, 0.8, 0.7]
    >>> figure = plot_misclassified(np.zeros((3, 8, 8)), [0, 1, 2], predicted=guess, confidence=sure)
    >>> [axes.get_title() for axes in figure.axes if axes.get_title()]
    ['1 taken for 2\\n80 % sure', '2 taken for 1\\n70 % sure']
    """
    pictures = scaled_images(images)
    truth, guess, sure = np.asarray(labels), np.asarray(predicted), np.asarray(confidence, np.float64)
    if files is not None and len(files) != len(pictures):
        raise ValueError(f"files has {len(files)} names for {len(pictures)} images")
    if not (len(pictures),) == truth.shape == guess.shape == sure.shape:
        raise ValueError(
            f"images, labels, predicted and confidence differ in length: {len(pictures)}, {truth.shape}, "
            f"{guess.shape}, {sure.shape}"
        )
    rows = misclassified_rows(truth, predicted=guess, confidence=sure)[:limit]

    names = None if class_names is None else class_labels(class_names)

    def name(k: int) -> str:
        return str(k) if names is None else names[k]

    def text(row: int) -> str:
        line = f"{name(truth[row])} taken for {name(guess[row])}"
        if len(line) > 18:
            line = f"{name(truth[row])}\ntaken for {name(guess[row])}"
        source = "" if files is None else f"{end_of_name(files[row])}\n"
        return f"{source}{line}\n{100 * sure[row]:.0f} % sure"

    wrong = int(np.sum(truth != guess))
    shown = (
        f"{len(rows)} of {counted(wrong, 'mistake')} on {counted(len(truth), 'row')}, the surest first"
        if wrong
        else "no mistakes"
    )
    return plot_images(pictures[rows], [text(row) for row in rows], title=f"{title}: {shown}" if title else shown)
