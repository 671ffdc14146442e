"""The score card of classifiers: what they get right beside the commonest class, on the same rows."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqvision._checks import counted
from seqvision.scorecards.class_thresholds import ClassThreshold, thresholded_name
from seqvision.scorecards.tables import json_records, row_groups, rows_of, verdict_lines, wrapped
from seqvision.scorecards.verdict import RowKind, Verdict, delivered_name


class ClassifierScores(NamedTuple):
    """The scores of one classifier.

    A "model" has the mean over seeds of each score, and its spread over seeds (``_std``, NaN for one seed); a "mean of
    seeds" has the scores of one classifier, whose probabilities are the mean of the seeds'; a "threshold" those of the
    same that says its class from a threshold on.
    """

    kind: RowKind
    seeds: int
    accuracy: float
    accuracy_std: float
    accuracy_low: float  # 95 % Wilson interval of one seed's rows
    accuracy_high: float
    balanced_accuracy: float  # mean recall of the classes that have rows: 1 / C for a guess, however rare they are
    log_loss: float  # nats
    log_loss_std: float
    f1: float  # macro average of each class against the rest, as is the next
    roc_area: float
    calibration_error: float  # expected, 15 bins of equal width


@dataclass(frozen=True)
class ClassCard:
    """Scores of classifiers and of the naive guess on the same rows.

    Where a model has several seeds there is, beside it, "name (mean of S seeds)": the classifier whose probabilities
    are the mean of theirs. A model with a threshold has one more, "name (mean of S seeds, threshold)".

    Attributes:
      scores: one row a classifier, the naive one last; one column a field of ``ClassifierScores``.
      confusion: for each row but the naive one (C, C) counts, of a "model" summed over seeds; true class by row.
      per_class: for each of these a table of recall, specificity, precision, f1, roc_area, average_precision (NaN for a
        class that no row has) and rows (per seed), one row a class.
      class_names: (C,).
      verdicts: one for each row but the naive one.
      rows: how many were classified.
      thresholds: row that decides by a threshold -> the threshold.
    """

    scores: pd.DataFrame
    confusion: dict[str, NDArray[np.int64]]
    per_class: dict[str, pd.DataFrame]
    class_names: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    rows: int
    thresholds: dict[str, ClassThreshold] = field(default_factory=dict)

    def delivered(self) -> dict[str, Verdict]:
        """Return the verdicts on what is used in the end: of a model with a threshold the row of that, else the mean of
        its seeds, or its only one.
        """
        verdicts = {verdict.model: verdict for verdict in self.verdicts}
        return {row: verdicts[row] for row in self.used().values()}

    def used(self) -> dict[str, str]:
        """Return model -> the row of what is used of it in the end."""
        models = self.scores[self.scores["kind"] == "model"]
        seeds = {str(name): int(number) for name, number in models["seeds"].items()}
        rows = {name: (thresholded_name(name, s), delivered_name(name, s)) for name, s in seeds.items()}
        return {name: decided if decided in self.thresholds else mean for name, (decided, mean) in rows.items()}

    def text(self) -> str:
        """Return the card as text for a terminal."""
        lines = [f"{counted(self.rows, 'test row')}, {counted(len(self.class_names), 'class', 'classes')}"]
        head = f"{'':<26}{'accuracy % [95 %]':<30}{'balanced':<10}{'log-loss':<17}{'F1':<8}{'ROC area':<10}calib."
        lines += [head]
        for title, group in row_groups(rows_of(self.scores, ClassifierScores)):
            lines += [title, *(_line(name, row) for name, row in group.items())]
        lines += wrapped(
            "balanced: accuracy in % were all classes equally common, the mean of their recalls. F1 and ROC area are "
            "means over classes, each against the rest. calib.: expected calibration error.",
            indent=0,
        )
        if self.scores["seeds"].max() > 1:
            lines.append("± is the spread over seeds; the interval is that of one seed's rows.")
        for name, threshold in self.thresholds.items():
            lines += wrapped(f"{name}: {threshold.text(self.class_names)}")
        for name in self.delivered():
            table = self.per_class[name]
            found = table[table["rows"] > 0]
            place = int(found["recall"].argmin())
            share, rows = float(found["recall"].iloc[place]), int(found["rows"].iloc[place])
            text = (
                f"{name}: hardest class {found.index[place]}, {100 * share:.1f} % of its {counted(rows, 'row')} found"
            )
            absent = len(table) - len(found)
            lines += wrapped(text + (f"; {counted(absent, 'class has', 'classes have')} no test row" if absent else ""))
        return "\n".join([*lines, "", "Verdict", *verdict_lines(self.delivered(), self.verdicts)])

    def __str__(self) -> str:
        """Return ``text()``."""
        return self.text()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists and numbers; what is undefined is None."""
        return {
            "scores": json_records(self.scores),
            "confusion": {name: counts.tolist() for name, counts in self.confusion.items()},
            "per_class": {name: json_records(table) for name, table in self.per_class.items()},
            "class_names": list(self.class_names),
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
            "rows": self.rows,
            "thresholds": {name: threshold.to_dict() for name, threshold in self.thresholds.items()},
        }


def _line(name: str, row: ClassifierScores) -> str:
    spread = "" if np.isnan(row.accuracy_std) else f" ± {100 * row.accuracy_std:.2f}"
    share = f"{100 * row.accuracy:.2f}{spread} [{100 * row.accuracy_low:.2f}, {100 * row.accuracy_high:.2f}]"
    loss = f"{row.log_loss:.4f}" + ("" if np.isnan(row.log_loss_std) else f" ± {row.log_loss_std:.4f}")
    area = "–" if np.isnan(row.roc_area) else f"{row.roc_area:.4f}"
    balanced = f"{100 * row.balanced_accuracy:.2f}"
    return f"  {name[:23]:<24}{share:<30}{balanced:<10}{loss:<17}{row.f1:<8.4f}{area:<10}{row.calibration_error:.4f}"
