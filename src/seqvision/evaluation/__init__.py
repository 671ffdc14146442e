"""Metrics, naive baselines and score cards: every error beside what needs no model at all.

Forecasts are judged in original units, one step ahead and free-running, on the same rows as the last value, drift,
seasonal naive and a linear autoregression (``score_forecasts``); classes beside the commonest one (``score_classes``).
What an image network has learned and where it looks: ``learned_filters``, ``feature_maps``, ``grad_cam``,
``occlusion_map``, ``maximise_activation``.
"""

from seqvision.evaluation.activation_images import ActivationImages, maximise_activation
from seqvision.evaluation.baselines import (
    AutoRegression,
    Baseline,
    constant,
    default_baselines,
    drift,
    fit_autoregression,
    last_value,
    seasonal_naive,
)
from seqvision.evaluation.calibration import Reliability, reliability
from seqvision.evaluation.class_card import ClassCard, score_classes
from seqvision.evaluation.class_scores import ClassScores, class_scores
from seqvision.evaluation.classification import (
    accuracy,
    class_frequencies,
    confusion_matrix,
    log_loss,
    majority_class,
    softmax,
    top_k_accuracy,
)
from seqvision.evaluation.detection import DetectionScores, average_precision, box_iou, score_detections
from seqvision.evaluation.detection_baselines import connected_pixels, mean_box
from seqvision.evaluation.free_running import free_run
from seqvision.evaluation.generation import SampleScores, frechet_distance, score_samples
from seqvision.evaluation.gradients import DepthProfile, depth_profile, gradient_by_lag, gradient_trace
from seqvision.evaluation.intervals import Moves, Share, count_moves, directional_accuracy, wilson_interval
from seqvision.evaluation.layers import feature_maps, layer_outputs, learned_filters
from seqvision.evaluation.regression import mae, mape, mase, naive_scale, r2, rmse, skill, smape
from seqvision.evaluation.saliency import grad_cam, occlusion_map
from seqvision.evaluation.score_card import ScoreCard, Verdict, score_forecasts
from seqvision.evaluation.score_text import render_score_card
from seqvision.evaluation.sequences import SequenceScores, score_sequences
from seqvision.evaluation.significance import Comparison, diebold_mariano
from seqvision.evaluation.threshold_curves import (
    ClassAreas,
    PrecisionRecallCurve,
    RocCurve,
    class_areas,
    precision_recall_curve,
    roc_curve,
)

__all__ = [
    "ActivationImages",
    "AutoRegression",
    "Baseline",
    "ClassAreas",
    "ClassCard",
    "ClassScores",
    "Comparison",
    "DepthProfile",
    "DetectionScores",
    "Moves",
    "PrecisionRecallCurve",
    "Reliability",
    "RocCurve",
    "SampleScores",
    "ScoreCard",
    "SequenceScores",
    "Share",
    "Verdict",
    "accuracy",
    "average_precision",
    "box_iou",
    "class_areas",
    "class_frequencies",
    "class_scores",
    "confusion_matrix",
    "connected_pixels",
    "constant",
    "count_moves",
    "default_baselines",
    "depth_profile",
    "diebold_mariano",
    "directional_accuracy",
    "drift",
    "feature_maps",
    "fit_autoregression",
    "frechet_distance",
    "free_run",
    "grad_cam",
    "gradient_by_lag",
    "gradient_trace",
    "last_value",
    "layer_outputs",
    "learned_filters",
    "log_loss",
    "mae",
    "majority_class",
    "mape",
    "mase",
    "maximise_activation",
    "mean_box",
    "naive_scale",
    "occlusion_map",
    "precision_recall_curve",
    "r2",
    "reliability",
    "render_score_card",
    "rmse",
    "roc_curve",
    "score_classes",
    "score_detections",
    "score_forecasts",
    "score_samples",
    "score_sequences",
    "seasonal_naive",
    "skill",
    "smape",
    "softmax",
    "top_k_accuracy",
    "wilson_interval",
]
