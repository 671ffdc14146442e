"""Whole ways through the library: from a file to a forecast, from images to a classifier, each with a run folder.

Only the configurations are imported with this room; the functions that compute are imported when they are first used,
so that a command line can show its help at once.
"""

from importlib import import_module
from typing import Any

from seqvision.pipelines.config import ClassifyConfig, ForecastConfig, SequenceConfig

_LATE = {
    "run_forecast": "forecast",
    "evaluate_forecast": "forecast",
    "describe_forecast": "inspection",
    "predict_forecast": "prediction",
    "run_classify": "classify",
    "evaluate_classify": "classify",
    "describe_classify": "inspection",
    "evaluate_run": "inspection",
    "ImageRecipe": "image_recipes",
    "run_recipes": "image_recipes",
    "RecordRecipe": "speed_record",
    "train_record": "speed_record",
    "run_and_print": "printing",
    "run_experiment": "experiment",
    "run_sequences": "sequences",
    "example_lines": "sequences",
    "nearest_answers": "sequences",
    "save_attention": "sequences",
}
__all__ = ["ClassifyConfig", "ForecastConfig", "SequenceConfig", *_LATE]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"seqvision.pipelines.{_LATE[name]}"), name)
    raise AttributeError(f"module 'seqvision.pipelines' has no attribute {name!r}")
