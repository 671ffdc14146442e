"""Pictures of how good and how sure classifiers are: ROC and precision-recall curves, reliability diagrams."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from seqvision.metrics import PrecisionRecallCurve, Reliability, RocCurve
from seqvision.reporting.plain_text import legend_name, short_name
from seqvision.reporting.style import NAIVE, label_axes, new_figure, with_colors


def plot_threshold_curves(curves: Mapping[str, tuple[RocCurve, PrecisionRecallCurve]], *, title: str = "") -> Figure:
    """Draw the ROC and the precision-recall curves of one problem, a line a name, beside what a guess gives.

    Args:
      curves: name -> what ``roc_curve`` and ``precision_recall_curve`` return for it.
      title: above both panels.

    >>> from seqvision.metrics import precision_recall_curve, roc_curve
    >>> labels, scores = [0, 1, 0, 1], [0.2, 0.9, 0.4, 0.3]
    >>> curves = roc_curve(labels, scores=scores), precision_recall_curve(labels, scores=scores)
    >>> figure = plot_threshold_curves({"net": curves})
    >>> figure.axes[0].get_legend_handles_labels()[1]
    ['net, area 0.750', 'a guess, area .5']
    """
    if not curves:
        raise ValueError("plot_threshold_curves needs the curves of at least one name")
    figure = new_figure(9.6, 4.6)
    left, right = figure.subplots(1, 2)
    for name, color in with_colors(tuple(curves)):
        roc, pr = curves[name]
        left.plot(
            roc.false_positive_rate,
            roc.true_positive_rate,
            color=color,
            label=f"{legend_name(name)}, area {roc.area:.3f}",
        )
        # Precision belongs to the gain in recall before it: steps, as the average precision has it.
        label = f"{legend_name(name)}, average {pr.average_precision:.3f}"
        right.step(pr.recall, pr.precision, where="pre", color=color, label=label)
    prevalence = next(iter(curves.values()))[1].precision[-1]
    left.plot([0, 1], [0, 1], color=NAIVE, linestyle="--", linewidth=1.0, label="a guess, area .5")
    right.axhline(prevalence, color=NAIVE, linestyle="--", linewidth=1.0, label=f"a guess, {prevalence:.3f}")
    label_axes(left, "ROC", "true positive rate (recall)", "false positive rate")
    label_axes(right, "Precision and recall", "precision", "recall")
    for axes in (left, right):
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        axes.legend(fontsize=8, frameon=False, loc="lower right" if axes is left else "lower left")
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def plot_reliability(diagrams: Mapping[str, Reliability], *, title: str = "") -> Figure:
    """Draw how often each classifier is right against how sure it is, a panel a name, with the rows of each bin below.

    Args:
      diagrams: name -> what ``reliability`` returns.
      title: above all panels.

    >>> from seqvision.metrics import reliability
    >>> figure = plot_reliability({"net": reliability([1, 0], confidence=[0.9, 0.6], bins=5)})
    >>> figure.axes[0].get_title(loc="left")
    'net\\nexpected error 0.350'
    """
    if not diagrams:
        raise ValueError("plot_reliability needs the diagram of at least one name")
    columns = min(len(diagrams), 4)
    lines = -(-len(diagrams) // columns)
    figure = new_figure(3.1 * columns + 0.6, 4.3 * lines)
    panels = figure.subplots(2 * lines, columns, squeeze=False, height_ratios=[3, 1] * lines, sharex=True)
    for n, (name, color) in enumerate(with_colors(tuple(diagrams))):
        diagram = diagrams[name]
        above, below = (panels[2 * (n // columns) + part, n % columns] for part in (0, 1))
        filled = diagram.rows > 0
        width = np.diff(diagram.edges)[filled]
        place = {"x": diagram.edges[:-1][filled], "width": width, "align": "edge", "color": color}
        above.bar(height=diagram.share[filled], alpha=0.35, edgecolor="white", **place)
        above.plot(diagram.confidence[filled], diagram.share[filled], "o", markersize=3.5, color=color, clip_on=False)
        above.plot([0, 1], [0, 1], color=NAIVE, linestyle="--", linewidth=1.0)
        above.set_xlim(0.0, 1.0)
        above.set_ylim(0.0, 1.02)
        leftmost = n % columns == 0
        label_axes(above, "", "share that is right" if leftmost else "")
        above.set_title(f"{short_name(name, 36)}\nexpected error {diagram.error:.3f}", loc="left", fontsize=10)
        below.bar(height=diagram.rows[filled], alpha=0.8, edgecolor="white", **place)
        label_axes(below, "", "rows" if leftmost else "", "confidence")
    for axes in panels.flat:
        axes.set_visible(axes.has_data())
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
