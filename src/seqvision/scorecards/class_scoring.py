"""Score classifiers and the commonest class on the same rows, and judge each model."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from seqvision._arrays import as_numbers
from seqvision.metrics import (
    ClassAreas,
    accuracy,
    class_areas,
    class_frequencies,
    class_scores,
    confusion_matrix,
    log_loss,
    reliability,
    softmax,
    wilson_interval,
)
from seqvision.scorecards.class_baselines import majority_class
from seqvision.scorecards.class_card import ClassCard, ClassifierScores
from seqvision.scorecards.class_thresholds import ClassThreshold, thresholded_name
from seqvision.scorecards.tables import table_of
from seqvision.scorecards.verdict import Outcome, RowKind, Verdict, delivered_name

Floats = NDArray[np.float64]

_NAIVE = "commonest class"
_UNEVEN = 0.1  # share of the commonest class beyond an even one, from which on accuracy alone misleads


def score_classes(
    labels: ArrayLike,
    *,
    logits: Mapping[str, ArrayLike],
    training_labels: ArrayLike,
    class_names: Sequence[str] | None = None,
    thresholds: Mapping[str, ClassThreshold] | None = None,
) -> ClassCard:
    """Score classifiers on test rows beside the commonest class of the training rows.

    A model of several seeds has two rows: one for its seeds, each score a mean with its spread, and "name (mean of S
    seeds)" for the one classifier whose probabilities are the mean of theirs.

    Args:
      labels: (B,) integer classes of the test rows.
      logits: for each model (S, B, C) over seeds, or (B, C).
      training_labels: (N,) integer classes; the naive guess takes its class and its probabilities from them.
      class_names: (C,); the default is the numbers.
      thresholds: model -> a threshold that was chosen on other rows, of two classes; it gets a row of its own, "name
        (mean of S seeds, threshold)" or "name (threshold)".

    Raises:
      ValueError: if there is no model, models disagree on C, two rows share a name, or shapes and names do not fit.

    >>> logits = {"mine": [[2.0, 0.0], [0.0, 2.0], [0.0, 1.0]]}
    >>> card = score_classes([0, 1, 1], logits=logits, training_labels=[0, 0, 1])
    >>> float(card.scores.loc["mine", "accuracy"]), float(card.scores.loc["commonest class", "accuracy"])
    (1.0, 0.333...)
    """
    if not logits:
        raise ValueError("score_classes needs the logits of at least one model")
    outputs = {name: _seeds(name, z) for name, z in logits.items()}
    thresholds = thresholds or {}
    _check_thresholds(thresholds, outputs)
    reserved = [_NAIVE, *(delivered_name(name, len(z)) for name, z in outputs.items() if len(z) > 1)]
    reserved += [thresholded_name(name, len(outputs[name])) for name in thresholds]
    clash = sorted(set(outputs) & set(reserved))
    if clash:
        raise ValueError(f"models need names of their own, these are taken by rows of the card: {clash}")
    counts = {name: z.shape[2] for name, z in outputs.items()}
    num_classes = next(iter(counts.values()))
    if len(set(counts.values())) > 1:
        raise ValueError(f"models disagree on the number of classes: {counts}")
    names = tuple(str(i) for i in range(num_classes)) if class_names is None else tuple(map(str, class_names))
    if len(names) != num_classes:
        raise ValueError(f"class_names has {len(names)} names for {num_classes} classes")
    frequencies = class_frequencies(training_labels, num_classes)
    common = majority_class(training_labels, num_classes)
    truth = np.asarray(labels)
    rows, confusion, per_class = {}, {}, {}
    for name, (kind, seeds, z, predicted) in _classifiers(outputs, thresholds).items():
        chances = [softmax(seed) for seed in z]
        confusion[name] = np.sum(
            [confusion_matrix(truth, predicted=p, num_classes=num_classes) for p in predicted], axis=0
        )
        areas = [class_areas(truth, scores=p) for p in chances]
        per_class[name] = _per_class(areas, confusion[name], names)
        each = zip(predicted, chances, areas, z, strict=True)
        rows[name] = _row(kind, seeds, [_scores(truth, *one) for one in each], len(truth))
    even = np.tile(frequencies, (len(truth), 1))
    guess = _scores(truth, np.full(len(truth), common), even, class_areas(truth, scores=even))
    naive = _row("baseline", 1, [guess], len(truth))
    verdicts = [
        _judge(name, row, naive, names[common], _lowest_balanced(per_class[name])) for name, row in rows.items()
    ]
    rows[_NAIVE] = naive
    decided = {thresholded_name(name, len(outputs[name])): threshold for name, threshold in thresholds.items()}
    return ClassCard(table_of(rows), confusion, per_class, names, tuple(verdicts), len(truth), decided)


def _classifiers(
    outputs: Mapping[str, Floats], thresholds: Mapping[str, ClassThreshold]
) -> dict[str, tuple[RowKind, int, Floats, NDArray[np.int64]]]:
    """Return what has a row: its kind, number of seeds, logits (S, B, C) and classes (S, B).

    Those are models; of several seeds the mean of their probabilities; and that with a threshold.
    """
    from scipy.special import logsumexp

    found: dict[str, tuple[RowKind, int, Floats, NDArray[np.int64]]] = {
        name: ("model", len(z), z, z.argmax(axis=-1)) for name, z in outputs.items()
    }
    for name, z in outputs.items():
        mean = z
        if len(z) > 1:
            mean = logsumexp(z - logsumexp(z, axis=-1, keepdims=True), axis=0, keepdims=True) - np.log(len(z))
            found[delivered_name(name, len(z))] = ("mean of seeds", len(z), mean, mean.argmax(axis=-1))
        if name in thresholds:
            decided = thresholds[name].decide(softmax(mean))
            found[thresholded_name(name, len(z))] = ("threshold", len(z), mean, decided)
    return found


def _check_thresholds(thresholds: Mapping[str, ClassThreshold], outputs: Mapping[str, Floats]) -> None:
    for name in thresholds:
        if name not in outputs:
            raise ValueError(f"thresholds names {name!r}, of which there are no logits")
        if outputs[name].shape[2] != 2:
            raise ValueError(f"thresholds are for two classes, {name!r} has {outputs[name].shape[2]}")


class _SeedScores(NamedTuple):
    accuracy: float
    balanced_accuracy: float
    log_loss: float
    f1: float
    roc_area: float
    calibration_error: float


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
) -> _SeedScores:
    counts = confusion_matrix(truth, predicted=predicted, num_classes=probabilities.shape[1])
    loss = log_loss(truth, probabilities=probabilities) if logits is None else log_loss(truth, logits=logits)
    confidence = np.take_along_axis(probabilities, predicted[:, None], axis=1)[:, 0]
    means = class_scores(counts, average="macro")
    return _SeedScores(
        accuracy=accuracy(truth, predicted=predicted).value,
        balanced_accuracy=float(means.recall),
        log_loss=loss,
        f1=float(means.f1),
        roc_area=_mean(areas.roc),
        calibration_error=reliability(predicted == truth, confidence=np.minimum(confidence, 1.0)).error,
    )


def _row(kind: RowKind, number: int, seeds: list[_SeedScores], rows: int) -> ClassifierScores:
    mean = _SeedScores(*(float(np.mean(values)) for values in zip(*seeds, strict=True)))
    spread = _SeedScores(*(np.std(v, ddof=1).item() if len(seeds) > 1 else np.nan for v in zip(*seeds, strict=True)))
    share = wilson_interval(mean.accuracy * rows, rows)
    return ClassifierScores(
        kind=kind,
        seeds=number,
        accuracy=share.value,
        accuracy_std=spread.accuracy,
        accuracy_low=share.low,
        accuracy_high=share.high,
        balanced_accuracy=mean.balanced_accuracy,
        log_loss=mean.log_loss,
        log_loss_std=spread.log_loss,
        f1=mean.f1,
        roc_area=mean.roc_area,
        calibration_error=mean.calibration_error,
    )


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


def _lowest_balanced(per_class: pd.DataFrame) -> float:
    """Return the lower end of the 95 % interval of the balanced accuracy, each recall counted as Agresti and Coull."""
    found = per_class[per_class["rows"] > 0]
    rows = found["rows"].to_numpy(np.float64) + 4
    recall = (found["recall"].to_numpy() * (rows - 4) + 2) / rows
    return float(found["recall"].mean() - 1.96 * np.sqrt(np.sum(recall * (1 - recall) / rows)) / len(found))


def _judge(name: str, row: ClassifierScores, naive: ClassifierScores, common: str, lowest_balanced: float) -> Verdict:
    numbers = f"{100 * row.accuracy:.2f} % against {100 * naive.accuracy:.2f} %"
    balanced = f"{100 * row.balanced_accuracy:.2f} % against {100 * naive.balanced_accuracy:.2f} %"
    outcome: Outcome = "skill"
    if row.accuracy <= naive.accuracy:
        outcome, text = "no skill", f"no skill over always saying {common} ({numbers})"
    elif row.accuracy_low <= naive.accuracy:
        text = f"more often right than always saying {common}, but chance explains it: no clear skill ({numbers})"
        outcome = "unclear"
    else:
        wrong = (1 - row.accuracy) / (1 - naive.accuracy)
        text = f"makes {100 * (1 - wrong):.1f} % fewer errors than always saying {common} ({numbers})"
    if outcome != "skill" and lowest_balanced > naive.balanced_accuracy:
        text += f"; yet it tells the classes apart: balanced accuracy {balanced}"
    elif abs(naive.accuracy - naive.balanced_accuracy) > _UNEVEN:
        text += f"; balanced accuracy {balanced}"
    return Verdict(name, "classes", outcome, f"{name}: {text}", _NAIVE, np.nan)
