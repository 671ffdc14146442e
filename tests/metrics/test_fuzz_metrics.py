"""Metrics of anything: a number, or a refusal in our words; no foreign exception and no warning of NumPy."""

import pytest

from seqvision import metrics
from tests.mutations import fuzz, numbers, value

AVERAGES = (None, "macro", "weighted", "micro", "mean", 3)


def calls(rng):
    """Return a function of the metrics with arguments, of which most fit each other."""
    rows, classes = rng.choice((1, 2, 3, 9)), rng.choice((1, 2, 3, 5))

    def odd(array):
        return value(rng) if rng.random() < 0.1 else array

    def vector():
        return odd(numbers(rng, (rows,)))

    def table():
        return odd(numbers(rng, (rows, classes)))

    def labels():
        good = [rng.randrange(classes) for _ in range(rows)]
        return odd(good if rng.random() < 0.7 else numbers(rng, (rows,)))

    def count():
        return odd(classes)

    def corners(*shape):
        return odd(numbers(rng, (*shape, 4)))

    return rng.choice(
        [
            *(
                (getattr(metrics, name), (vector(),), {"forecast": vector()})
                for name in ("mae", "mape", "r2", "rmse", "smape")
            ),
            (metrics.mase, (vector(),), {"forecast": vector(), "training_rows": vector(), "season": odd(1)}),
            (metrics.naive_scale, (vector(), odd(1)), {}),
            (metrics.skill, (value(rng),), {"baseline_error": value(rng)}),
            (metrics.directional_accuracy, (vector(),), {"forecast": vector(), "last_observed": vector()}),
            (metrics.count_moves, (vector(),), {"last_observed": vector()}),
            (metrics.accuracy, (labels(),), {"predicted": labels()}),
            (metrics.top_k_accuracy, (labels(),), {"scores": table(), "k": odd(1)}),
            (metrics.confusion_matrix, (labels(),), {"predicted": labels(), "num_classes": count()}),
            (metrics.class_frequencies, (labels(), count()), {}),
            (metrics.log_loss, (labels(),), {rng.choice(("logits", "probabilities")): table()}),
            (metrics.softmax, (table(),), {}),
            (metrics.class_scores, (odd(numbers(rng, (classes, classes))),), {"average": rng.choice(AVERAGES)}),
            (
                metrics.reliability,
                (vector(),),
                {"confidence": vector(), "bins": odd(5), "binning": rng.choice(("width", "count"))},
            ),
            (metrics.roc_curve, (odd(numbers(rng, (rows,))),), {"scores": vector()}),
            (metrics.precision_recall_curve, (labels(),), {"scores": vector()}),
            (metrics.class_areas, (labels(),), {"scores": table(), "average": rng.choice(AVERAGES)}),
            (metrics.wilson_interval, (value(rng), value(rng)), {"z": value(rng)} if rng.random() < 0.2 else {}),
            (metrics.box_iou, (corners(rows), corners(classes)), {}),
            (metrics.interpolated_average_precision, (vector(),), {"scores": vector(), "objects": odd(rows)}),
            (
                metrics.score_detections,
                (corners(rows, 2), odd(numbers(rng, (rows, 2)))),
                {
                    **{"boxes": corners(rows, classes), "labels": odd(numbers(rng, (rows, classes)))},
                    **{"scores": table(), "num_classes": odd(9), "iou": odd(0.5)},
                },
            ),
            (metrics.score_samples, (table(),), {"shares": odd(numbers(rng, (classes,)))}),
            (metrics.frechet_distance, (table(), table()), {}),
            (metrics.score_sequences, (table(),), {"written": table()}),
        ]
    )


def test_metrics_of_anything():
    counts = fuzz(calls, lambda call: call[0](*call[1], **call[2]), 600)
    assert min(counts["read"], counts["refused"]) > 60


@pytest.mark.slow
def test_metrics_of_a_hundred_thousand_things():
    fuzz(calls, lambda call: call[0](*call[1], **call[2]), 100_000, seed=1)
