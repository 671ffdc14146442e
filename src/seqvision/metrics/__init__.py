"""Numbers from arrays: errors of forecasts, of classes, of boxes, of sequences and of samples.

What is true comes first; what is judged against it is given by its name: ``mape(truth, forecast=f)``,
``accuracy(labels, predicted=p)``, ``roc_curve(labels, scores=s)``. No call can swap the two in silence.
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

from .class_scores import ClassScores, class_scores

if TYPE_CHECKING:
    from .calibration import Reliability, reliability
    from .classification import (
        accuracy,
        class_frequencies,
        confusion_matrix,
        log_loss,
        softmax,
        top_k_accuracy,
    )
    from .detection import DetectionScores, box_iou, interpolated_average_precision, score_detections
    from .directions import Moves, count_moves, directional_accuracy
    from .forecast_errors import mae, mape, mase, naive_scale, r2, rmse, skill, smape
    from .forecast_intervals import conformal_quantiles, interval_coverage, interval_score, least_rows
    from .intervals import Share, wilson_interval
    from .sample_quality import SampleScores, frechet_distance, score_samples
    from .sequences import SequenceScores, score_sequences
    from .threshold_curves import (
        ClassAreas,
        PrecisionRecallCurve,
        RocCurve,
        class_areas,
        precision_recall_curve,
        roc_curve,
    )
    from .thresholds import Threshold, check_goal, choose_threshold

__all__ = [
    "ClassAreas",
    "ClassScores",
    "DetectionScores",
    "Moves",
    "PrecisionRecallCurve",
    "Reliability",
    "RocCurve",
    "SampleScores",
    "SequenceScores",
    "Share",
    "Threshold",
    "accuracy",
    "box_iou",
    "check_goal",
    "choose_threshold",
    "class_areas",
    "class_frequencies",
    "class_scores",
    "conformal_quantiles",
    "confusion_matrix",
    "count_moves",
    "directional_accuracy",
    "frechet_distance",
    "interpolated_average_precision",
    "interval_coverage",
    "interval_score",
    "least_rows",
    "log_loss",
    "mae",
    "mape",
    "mase",
    "naive_scale",
    "precision_recall_curve",
    "r2",
    "reliability",
    "rmse",
    "roc_curve",
    "score_detections",
    "score_samples",
    "score_sequences",
    "skill",
    "smape",
    "softmax",
    "top_k_accuracy",
    "wilson_interval",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
