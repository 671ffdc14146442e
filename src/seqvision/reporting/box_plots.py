"""Pictures with boxes: what a detector found, and what there was to find."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from seqvision.reporting.plain_text import class_labels
from seqvision.reporting.scaled_images import scaled_images
from seqvision.reporting.style import PALETTE, new_figure

_FOUND, _TRUE = PALETTE[1], PALETTE[2]


def plot_boxes(
    images: ArrayLike,
    boxes: ArrayLike,
    labels: ArrayLike,
    *,
    scores: ArrayLike | None = None,
    truth: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    columns: int = 4,
    title: str = "",
) -> Figure:
    """Draw pictures with boxes, each with its class and score above it; true boxes dashed.

    Args:
      images: (N, H, W), (N, H, W, 1) or (N, H, W, 3), values of any range.
      boxes: (N, K, 4) corners x0, y0, x1, y1 as shares of width and height.
      labels: (N, K) classes; -1 draws nothing.
      scores: (N, K), or None.
      truth: (N, M, 4) true boxes, empty ones where there is none.
      class_names: (C,); the default is the numbers.
      columns: pictures in a row.
      title: above all.

    >>> figure = plot_boxes(np.zeros((1, 8, 8)), [[[0, 0, 0.5, 0.5]]], [[7]], scores=[[0.93]])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['7 .93']
    """
    pictures = scaled_images(images)
    places, classes = np.asarray(boxes, np.float64), np.asarray(labels)
    sure = None if scores is None else np.asarray(scores, np.float64)
    if (
        places.shape != (*classes.shape, 4)
        or len(pictures) != len(classes)
        or (sure is not None and sure.shape != classes.shape)
    ):
        raise ValueError(
            f"{len(pictures)} images need boxes (N, K, 4), labels and scores (N, K), got {places.shape}, "
            f"{classes.shape} and {None if sure is None else sure.shape}"
        )
    names = None if class_names is None else class_labels(class_names)
    columns = max(1, min(columns, len(pictures)))
    lines = max(1, -(-len(pictures) // columns))
    figure = new_figure(2.3 * columns, 2.35 * lines + 0.4)
    panels = figure.subplots(lines, columns, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for n, (axes, picture) in enumerate(zip(panels.flat, pictures, strict=False)):
        axes.imshow(picture, cmap="gray_r" if picture.ndim == 2 else None, vmin=0.0, vmax=1.0)
        scale = np.array([picture.shape[1], picture.shape[0]] * 2)
        for box in [] if truth is None else np.asarray(truth, np.float64)[n] * scale:
            _rectangle(axes, box, _TRUE, dashed=True)
        for k in np.flatnonzero(classes[n] >= 0):
            box = places[n, k] * scale
            _rectangle(axes, box, _FOUND)
            name = str(classes[n, k]) if names is None else names[classes[n, k]]
            text = name if sure is None else f"{name} {sure[n, k]:.2f}".replace(" 0.", " .")
            axes.text(box[0] - 0.5, box[1] - 1.0, text, fontsize=7.5, color=_FOUND, va="bottom")
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def _rectangle(axes: Axes, box: np.ndarray, color: str, *, dashed: bool = False) -> None:
    """Draw a box, in pixels, around its pixels; an empty one is not drawn."""
    width, height = box[2:] - box[:2]
    if width > 0 and height > 0:
        corner = (float(box[0] - 0.5), float(box[1] - 0.5))
        style = "--" if dashed else "-"
        axes.add_patch(Rectangle(corner, width, height, fill=False, color=color, linewidth=1.2, linestyle=style))
