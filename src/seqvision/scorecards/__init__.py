"""Judged tables: models beside naive baselines on the same rows, in original units, with intervals and verdicts.

Forecasts are judged one step ahead and free-running beside the last value, drift, seasonal naive and a linear
autoregression (``score_forecasts``); classes beside the commonest one (``score_classes``).
"""

from .baselines import (
    AutoRegression,
    Baseline,
    constant,
    default_baselines,
    drift,
    fit_autoregression,
    last_value,
    seasonal_naive,
)
from .class_card import ClassCard, score_classes
from .detection_baselines import connected_pixels, mean_box
from .free_running import free_run
from .score_card import ScoreCard, Verdict, score_forecasts
from .score_text import render_score_card
from .significance import Comparison, diebold_mariano

__all__ = [
    "AutoRegression",
    "Baseline",
    "ClassCard",
    "Comparison",
    "ScoreCard",
    "Verdict",
    "connected_pixels",
    "constant",
    "default_baselines",
    "diebold_mariano",
    "drift",
    "fit_autoregression",
    "free_run",
    "last_value",
    "mean_box",
    "render_score_card",
    "score_classes",
    "score_forecasts",
    "seasonal_naive",
]
