"""Run folders, tables and plots: what a run leaves behind, readable without this library."""

from typing import TYPE_CHECKING

from seqvision._late import late_imports
from seqvision.reporting.prediction_table import prediction_table

if TYPE_CHECKING:
    from seqvision.reporting.attention_plots import plot_attention, plot_image_attention
    from seqvision.reporting.augmentation_plots import augmentation_draws, plot_augmentations
    from seqvision.reporting.box_plots import plot_boxes
    from seqvision.reporting.classifier_curve_plots import plot_reliability, plot_threshold_curves
    from seqvision.reporting.drawers import Drawers
    from seqvision.reporting.environment import Environment, describe_environment
    from seqvision.reporting.experiment_records import MeasuredRow, Measurement, measured, record_result
    from seqvision.reporting.forecast_plots import plot_forecast, plot_residuals, plot_step_errors
    from seqvision.reporting.going_on import CHECKPOINTS, resume_hint
    from seqvision.reporting.gradient_plots import plot_gradient_flow
    from seqvision.reporting.html.comparison import render_comparison, write_comparison
    from seqvision.reporting.html.pictures import save_thumbnails
    from seqvision.reporting.html.report import render_report, write_report
    from seqvision.reporting.image_plots import (
        plot_feature_maps,
        plot_filters,
        plot_heat_maps,
        plot_image_rows,
        plot_images,
    )
    from seqvision.reporting.interval_plots import plot_intervals
    from seqvision.reporting.metrics_log import read_metrics
    from seqvision.reporting.mistake_plots import plot_confusion, plot_misclassified
    from seqvision.reporting.mistakes import end_of_name, misclassified_rows
    from seqvision.reporting.output_files import PAGES, PICTURES, TABLES, check_output, write_table
    from seqvision.reporting.plain_text import class_labels, short_name
    from seqvision.reporting.prediction_plot import plot_prediction
    from seqvision.reporting.run_folder import RunFolder
    from seqvision.reporting.style import save_figure
    from seqvision.reporting.training_plots import plot_epoch_curves, plot_losses
    from seqvision.storage import json_text, to_plain

__all__ = [
    "CHECKPOINTS",
    "PAGES",
    "PICTURES",
    "TABLES",
    "Drawers",
    "Environment",
    "MeasuredRow",
    "Measurement",
    "RunFolder",
    "augmentation_draws",
    "check_output",
    "class_labels",
    "describe_environment",
    "end_of_name",
    "json_text",
    "measured",
    "misclassified_rows",
    "plot_attention",
    "plot_augmentations",
    "plot_boxes",
    "plot_confusion",
    "plot_epoch_curves",
    "plot_feature_maps",
    "plot_filters",
    "plot_forecast",
    "plot_gradient_flow",
    "plot_heat_maps",
    "plot_image_attention",
    "plot_image_rows",
    "plot_images",
    "plot_intervals",
    "plot_losses",
    "plot_misclassified",
    "plot_prediction",
    "plot_reliability",
    "plot_residuals",
    "plot_step_errors",
    "plot_threshold_curves",
    "prediction_table",
    "read_metrics",
    "record_result",
    "render_comparison",
    "render_report",
    "resume_hint",
    "save_figure",
    "save_thumbnails",
    "short_name",
    "to_plain",
    "write_comparison",
    "write_report",
    "write_table",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
