"""The score card of classifiers: what they get right beside the commonest class, on the same rows."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqvision.scorecards.tables import json_records, rows_of


class ClassifierScores(NamedTuple):
    """The scores of one classifier: each mean over seeds, and its spread over seeds (``_std``, NaN for one seed)."""

    kind: Literal["model", "baseline"]
    seeds: int
    accuracy: float
    accuracy_std: float
    accuracy_low: float  # 95 % Wilson interval of one seed's rows
    accuracy_high: float
    log_loss: float  # nats
    log_loss_std: float
    f1: float  # macro average of each class against the rest, as is the next
    roc_area: float
    calibration_error: float  # expected, 15 bins of equal width


@dataclass(frozen=True)
class ClassCard:
    """Scores of classifiers and of the naive guess on the same rows.

    Attributes:
      scores: one row a classifier, the naive one last; one column a field of ``ClassifierScores``.
      confusion: for each model (C, C) counts summed over seeds, true class by row.
      per_class: for each model a table of recall, specificity, precision, f1, roc_area, average_precision (NaN for a
        class that no row has) and rows (per seed), one row a class.
      class_names: (C,).
      verdicts: one sentence for each model.
      rows: how many were classified.
    """

    scores: pd.DataFrame
    confusion: dict[str, NDArray[np.int64]]
    per_class: dict[str, pd.DataFrame]
    class_names: tuple[str, ...]
    verdicts: tuple[str, ...]
    rows: int

    def text(self) -> str:
        """Return the card as text for a terminal."""
        lines = [f"{self.rows} test rows, {len(self.class_names)} classes"]
        head = f"{'':<28}{'accuracy % [95 %]':<30}{'log-loss':<18}{'F1':<9}{'ROC area':<10}{'calib. error'}"
        lines += [head]
        for name, row in rows_of(self.scores, ClassifierScores).items():
            spread = "" if np.isnan(row.accuracy_std) else f" ± {100 * row.accuracy_std:.2f}"
            share = f"{100 * row.accuracy:.2f}{spread} [{100 * row.accuracy_low:.2f}, {100 * row.accuracy_high:.2f}]"
            loss = f"{row.log_loss:.4f}" + ("" if np.isnan(row.log_loss_std) else f" ± {row.log_loss_std:.4f}")
            rest = f"{row.f1:<9.4f}{row.roc_area:<10.4f}{row.calibration_error:.4f}"
            lines.append(f"  {name[:25]:<26}{share:<30}{loss:<18}{rest}")
        lines.append("F1 and ROC area are means over classes, each against the rest.")
        if self.scores["seeds"].max() > 1:
            lines.append("± is the spread over seeds; the interval is that of one seed's rows.")
        for name, table in self.per_class.items():
            recall = table["recall"][table["rows"] > 0]
            worst = recall.idxmin()
            lines.append(f"  {name}: hardest class {worst}, {100 * recall.min():.1f} % of its rows found")
        return "\n".join([*lines, "", "Verdict", *(f"  {verdict}" for verdict in self.verdicts)])

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
            "verdicts": list(self.verdicts),
            "rows": self.rows,
        }
