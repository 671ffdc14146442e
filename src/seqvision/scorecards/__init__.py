"""Judged tables: models beside naive baselines on the same rows, in original units, with intervals and verdicts.

Forecasts are judged one step ahead and free-running beside the last value, drift, seasonal naive and a linear
autoregression (``score_forecasts``); classes beside the commonest one (``score_classes``).
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

if TYPE_CHECKING:
    from .class_baselines import majority_class
    from .class_card import ClassCard, ClassifierScores
    from .class_scoring import score_classes
    from .class_thresholds import ClassThreshold, choose_class_threshold, thresholded_name
    from .conformal import LEVELS, ConformalIntervals, Ends, Intervals, level_name, missing_levels
    from .detection_baselines import connected_pixels, mean_box
    from .forecast_baselines import (
        AutoRegression,
        Baseline,
        constant,
        default_baselines,
        drift,
        fit_autoregression,
        last_value,
        seasonal_naive,
    )
    from .forecast_card import ForecastCard, StepTable
    from .forecast_intervals import Calibration, ForecastIntervals, Way
    from .forecast_scores import ForecastScores
    from .forecast_scoring import score_forecasts
    from .forecast_text import format_number
    from .forecast_verdicts import by_target
    from .significance import (
        Comparison,
        MeanDifference,
        diebold_mariano,
        mcnemar,
        paired_difference,
        welch_difference,
    )
    from .tables import wrapped
    from .verdict import Mode, Verdict, delivered_name

__all__ = [
    "LEVELS",
    "AutoRegression",
    "Baseline",
    "Calibration",
    "ClassCard",
    "ClassThreshold",
    "ClassifierScores",
    "Comparison",
    "ConformalIntervals",
    "Ends",
    "ForecastCard",
    "ForecastIntervals",
    "ForecastScores",
    "Intervals",
    "MeanDifference",
    "Mode",
    "StepTable",
    "Verdict",
    "Way",
    "by_target",
    "choose_class_threshold",
    "connected_pixels",
    "constant",
    "default_baselines",
    "delivered_name",
    "diebold_mariano",
    "drift",
    "fit_autoregression",
    "format_number",
    "last_value",
    "level_name",
    "majority_class",
    "mcnemar",
    "mean_box",
    "missing_levels",
    "paired_difference",
    "score_classes",
    "score_forecasts",
    "seasonal_naive",
    "thresholded_name",
    "welch_difference",
    "wrapped",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
