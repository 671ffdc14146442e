"""Whole ways through the library: from a file to a forecast, from images to a classifier, each with a run folder.

`run_forecast`, `run_classify`, `run_recipes` and `run_sequences` train, judge and write; what they return, in one
vocabulary of fields, stands in `seqvision.pipelines.results`. The parts they are made of are here too, for what fits
none of them.

Which settings are best is asked of the validation rows, so that the test rows still say what the best one is worth::

    errors = {}
    for hidden in (4, 16, 64):
        for learning_rate in (0.003, 0.01):
            settings = {"models": ("gru",), "hidden": hidden, "learning_rate": learning_rate}
            run = run_forecast(ForecastConfig("prices.csv", "close", **settings))
            errors[run.folder] = run.validation.models["gru"]
    best = min(errors, key=errors.get)
    print(best, errors[best])

Walking forward, each block of rows is forecast by models that were trained on all rows before it::

    series = read_series("prices.csv", "close")
    squares = []
    for end in range(60, len(series) + 1, 20):  # train on the rows before the last 20, test on these
        config = ForecastConfig(target="close", models=("gru",), train=end - 20, validation=0)
        squares.append(run_forecast(config, series=series[:end]).card.one_step["rmse"] ** 2)
    print(pd.concat(squares, axis=1).mean(axis=1) ** 0.5)  # of models and naive forecasts, over all blocks

Every Monday, what came since is held against what was said, and then it is learned::

    print(evaluate_run("runs/forecast-20261128-050823", "grown.csv").text)
    run = refit_run("runs/forecast-20261128-050823", "grown.csv")
    print(compare_runs(["runs/forecast-20261128-050823", run.folder]).text)

Only the configurations are imported with this room; the functions that compute are imported when they are first used,
so that a command line can show its help at once.
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports
from seqvision.pipelines.config import (
    ClassifyConfig,
    ForecastConfig,
    SequenceConfig,
    field_docs,
    field_groups,
    near_setting,
    read_settings,
    setting_named,
    settings_text,
)
from seqvision.pipelines.reading import Reading

if TYPE_CHECKING:
    from seqvision.pipelines.classification.data import ImageSplit, describe_images, load_images
    from seqvision.pipelines.classification.prediction import predict_images
    from seqvision.pipelines.classification.recipes import ImageRecipe, run_recipes
    from seqvision.pipelines.classification.report import write_classify_report
    from seqvision.pipelines.classification.run import evaluate_classify, judge_classes, run_classify
    from seqvision.pipelines.delivered import DeliveredModel, delivered_model
    from seqvision.pipelines.describe import describe_classify, describe_forecast
    from seqvision.pipelines.doctor.examine import examine
    from seqvision.pipelines.doctor.findings import Examination, Finding
    from seqvision.pipelines.evaluate import evaluate_run
    from seqvision.pipelines.experiment import run_experiment
    from seqvision.pipelines.finished.comparison import ModelPair, RunComparison, compare_runs
    from seqvision.pipelines.finished.listing import RunTable, list_runs
    from seqvision.pipelines.finished.records import MainScore, RunRecord, read_record
    from seqvision.pipelines.finished.refitting import refit_run
    from seqvision.pipelines.finished.report import RunReport, report_run
    from seqvision.pipelines.forecasting.data import describe_split, load_series, split_series
    from seqvision.pipelines.forecasting.evaluation import evaluate_forecast
    from seqvision.pipelines.forecasting.judging import judge_forecasts
    from seqvision.pipelines.forecasting.prediction import predict_forecast
    from seqvision.pipelines.forecasting.report import write_forecast_report
    from seqvision.pipelines.forecasting.run import run_forecast
    from seqvision.pipelines.predict import predict_run
    from seqvision.pipelines.results import (
        ClassifyEvaluation,
        ClassifyRun,
        Description,
        ForecastEvaluation,
        ForecastPrediction,
        ForecastRun,
        ImagePrediction,
        JudgedClasses,
        JudgedForecasts,
        ModelSize,
        NewRowsEvaluation,
        Result,
        Run,
        SequenceRun,
        ValidationScores,
    )
    from seqvision.pipelines.resume import DoneAlready, resume_run
    from seqvision.pipelines.seed_training import StoppedSeedsError, TrainedSeeds, train_seeds
    from seqvision.pipelines.sequences import example_lines, nearest_answers, run_sequences, save_attention
    from seqvision.pipelines.terminal import run_and_print, show_progress

__all__ = [
    "ClassifyConfig",
    "ClassifyEvaluation",
    "ClassifyRun",
    "DeliveredModel",
    "Description",
    "DoneAlready",
    "Examination",
    "Finding",
    "ForecastConfig",
    "ForecastEvaluation",
    "ForecastPrediction",
    "ForecastRun",
    "ImagePrediction",
    "ImageRecipe",
    "ImageSplit",
    "JudgedClasses",
    "JudgedForecasts",
    "MainScore",
    "ModelPair",
    "ModelSize",
    "NewRowsEvaluation",
    "Reading",
    "Result",
    "Run",
    "RunComparison",
    "RunRecord",
    "RunReport",
    "RunTable",
    "SequenceConfig",
    "SequenceRun",
    "StoppedSeedsError",
    "TrainedSeeds",
    "ValidationScores",
    "compare_runs",
    "delivered_model",
    "describe_classify",
    "describe_forecast",
    "describe_images",
    "describe_split",
    "evaluate_classify",
    "evaluate_forecast",
    "evaluate_run",
    "examine",
    "example_lines",
    "field_docs",
    "field_groups",
    "judge_classes",
    "judge_forecasts",
    "list_runs",
    "load_images",
    "load_series",
    "near_setting",
    "nearest_answers",
    "predict_forecast",
    "predict_images",
    "predict_run",
    "read_record",
    "read_settings",
    "refit_run",
    "report_run",
    "resume_run",
    "run_and_print",
    "run_classify",
    "run_experiment",
    "run_forecast",
    "run_recipes",
    "run_sequences",
    "save_attention",
    "setting_named",
    "settings_text",
    "show_progress",
    "split_series",
    "train_seeds",
    "write_classify_report",
    "write_forecast_report",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
