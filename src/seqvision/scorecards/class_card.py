"""The score card of classifiers: what they get right beside the commonest class, on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision.metrics.calibration import reliability
from seqvision.metrics.checks import as_numbers
from seqvision.metrics.class_scores import class_scores
from seqvision.metrics.classification import (
    accuracy,
    class_frequencies,
    confusion_matrix,
    log_loss,
    majority_class,
    softmax,
)
from seqvision.metrics.intervals import wilson_interval
from seqvision.metrics.threshold_curves import ClassAreas, class_areas
from seqvision.scorecards.tables import Record, json_records, records

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClassCard:
    """Scores of classifiers and of the naive guess on the same rows.

    Attributes:
      scores: one row a classifier, the naive one last; columns kind, seeds, accuracy, accuracy_std (spread over seeds),
        accuracy_low, accuracy_high (95 % Wilson), log_loss, log_loss_std, then means over seeds of f1 and roc_area
        (macro averages of each class against the rest) and calibration_error (expected, 15 bins of equal width).
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
        for name, row in records(self.scores).items():
            spread = "" if np.isnan(row["accuracy_std"]) else f" ± {100 * row['accuracy_std']:.2f}"
            share = f"{100 * row['accuracy']:.2f}{spread}"
            share += f" [{100 * row['accuracy_low']:.2f}, {100 * row['accuracy_high']:.2f}]"
            loss = f"{row['log_loss']:.4f}"
            loss += "" if np.isnan(row["log_loss_std"]) else f" ± {row['log_loss_std']:.4f}"
            rest = "".join(f"{row[key]:<{width}.4f}" for key, width in (("f1", 9), ("roc_area", 10)))
            lines.append(f"  {name[:25]:<26}{share:<30}{loss:<18}{rest}{row['calibration_error']:.4f}")
        lines.append("F1 and ROC area are means over classes, each against the rest.")
        if self.scores["seeds"].max() > 1:
            lines.append("± is the spread over seeds; the interval is that of one seed's rows.")
        for name, table in self.per_class.items():
            recall = {label: row["recall"] for label, row in records(table).items() if row["rows"]}
            worst = min(recall, key=lambda label: recall[label])
            lines.append(f"  {name}: hardest class {worst}, {100 * recall[worst]:.1f} % of its rows found")
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


def score_classes(
    labels: ArrayLike,
    logits: Mapping[str, ArrayLike],
    training_labels: ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
) -> ClassCard:
    """Score classifiers on test rows beside the commonest class of the training rows.

    Args:
      labels: (B,) integer classes of the test rows.
      logits: for each model (S, B, C) over seeds, or (B, C).
      training_labels: (N,) integer classes; the naive guess takes its class and its probabilities from them.
      class_names: (C,); the default is the numbers.

    >>> card = score_classes([0, 1, 1], {"mine": [[2.0, 0.0], [0.0, 2.0], [0.0, 1.0]]}, training_labels=[0, 0, 1])
    >>> float(card.scores.loc["mine", "accuracy"]), float(card.scores.loc["commonest class", "accuracy"])
    (1.0, 0.333...)
    """
    if not logits:
        raise ValueError("score_classes needs the logits of at least one model")
    outputs = {name: _seeds(name, z) for name, z in logits.items()}
    counts = {name: z.shape[2] for name, z in outputs.items()}
    classes = next(iter(counts.values()))
    if len(set(counts.values())) > 1:
        raise ValueError(f"models disagree on the number of classes: {counts}")
    names = tuple(str(i) for i in range(classes)) if class_names is None else tuple(map(str, class_names))
    if len(names) != classes:
        raise ValueError(f"class_names has {len(names)} names for {classes} classes")
    frequencies = class_frequencies(training_labels, classes)
    common = majority_class(training_labels, classes)
    truth = np.asarray(labels)
    rows, confusion, per_class = {}, {}, {}
    for name, z in outputs.items():
        confusion[name] = np.sum([confusion_matrix(truth, seed.argmax(axis=-1), classes) for seed in z], axis=0)
        chances = [softmax(seed) for seed in z]
        areas = [class_areas(truth, p) for p in chances]
        per_class[name] = _per_class(areas, confusion[name], names)
        scored = [
            _scores(truth, seed.argmax(axis=-1), p, area, seed) for seed, p, area in zip(z, chances, areas, strict=True)
        ]
        rows[name] = _row("model", scored, len(truth))
    even = np.tile(frequencies, (len(truth), 1))
    guess = _scores(truth, np.full(len(truth), common), even, class_areas(truth, even))
    rows["commonest class"] = _row("baseline", [guess], len(truth))
    verdicts = tuple(_judge(name, rows[name], rows["commonest class"], names[common]) for name in outputs)
    return ClassCard(pd.DataFrame.from_dict(rows, orient="index"), confusion, per_class, names, verdicts, len(truth))


def _seeds(name: str, logits: ArrayLike) -> NDArray[np.float64]:
    z = as_numbers(f"logits of {name!r}", logits)
    z = z[None] if z.ndim == 2 else z
    if z.ndim != 3 or z.shape[2] < 2:
        raise ValueError(
            f"logits of {name!r} must be (B, C) or (seeds, B, C) with C >= 2, got shape {z.shape}; "
            "one logit z of two classes is the pair 0, z"
        )
    return z


def _scores(
    truth: NDArray, predicted: NDArray, probabilities: Floats, areas: ClassAreas, logits: Floats | None = None
) -> Record:
    counts = confusion_matrix(truth, predicted, probabilities.shape[1])
    loss = log_loss(truth, probabilities=probabilities) if logits is None else log_loss(truth, logits=logits)
    confidence = np.take_along_axis(probabilities, predicted[:, None], axis=1)[:, 0]
    return {
        "accuracy": accuracy(truth, predicted).value,
        "log_loss": loss,
        "f1": float(class_scores(counts, average="macro").f1),
        "roc_area": _mean(areas.roc),
        "calibration_error": reliability(np.minimum(confidence, 1.0), predicted == truth).error,
    }


def _row(kind: str, scores: list[Record], rows: int) -> Record:
    mean = {key: float(np.mean([one[key] for one in scores])) for key in scores[0]}
    share = wilson_interval(mean["accuracy"] * rows, rows)

    def spread(key: str) -> float:
        return float(np.std([one[key] for one in scores], ddof=1)) if len(scores) > 1 else np.nan

    return {
        "kind": kind,
        "seeds": len(scores),
        "accuracy": share.value,
        "accuracy_std": spread("accuracy"),
        "accuracy_low": share.low,
        "accuracy_high": share.high,
        "log_loss": mean["log_loss"],
        "log_loss_std": spread("log_loss"),
        **{key: mean[key] for key in ("f1", "roc_area", "calibration_error")},
    }


def _per_class(areas: list[ClassAreas], counts: NDArray[np.int64], names: tuple[str, ...]) -> pd.DataFrame:
    """Score each class against the rest, seeds taken together; areas are means over seeds."""
    scores = class_scores(counts)
    return pd.DataFrame(
        {
            "recall": scores.recall,
            "specificity": scores.specificity,
            "precision": scores.precision,
            "f1": scores.f1,
            "roc_area": np.mean([area.roc for area in areas], axis=0),
            "average_precision": np.mean([area.average_precision for area in areas], axis=0),
            "rows": counts.sum(axis=1) // len(areas),
        },
        index=pd.Index(names),
    )


def _mean(values: Floats) -> float:
    """Return the mean of what is defined; NaN if nothing is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else np.nan


def _judge(name: str, row: Record, naive: Record, common: str) -> str:
    numbers = f"{100 * row['accuracy']:.2f} % against {100 * naive['accuracy']:.2f} %"
    if row["accuracy"] <= naive["accuracy"]:
        return f"{name}: no skill over always saying {common} ({numbers})"
    if row["accuracy_low"] <= naive["accuracy"]:
        return (
            f"{name}: more often right than always saying {common}, but chance explains it: no clear skill ({numbers})"
        )
    wrong = (1 - row["accuracy"]) / (1 - naive["accuracy"])
    return f"{name}: makes {100 * (1 - wrong):.1f} % fewer errors than always saying {common} ({numbers})"
