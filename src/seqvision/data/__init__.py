"""Files and generators to arrays: series, images, splits, scalers and windows."""

from seqvision.data.batches import Arrays, Batch, Windows
from seqvision.data.bundled import load_goog
from seqvision.data.forecast import ForecastSplit, forecast_split
from seqvision.data.generators import chirp, sine
from seqvision.data.idx import read_idx
from seqvision.data.images import (
    DIGIT_CLASSES,
    FASHION_CLASSES,
    ImageData,
    load_digits,
    load_fashion_mnist,
    load_mnist,
)
from seqvision.data.reading import read_series
from seqvision.data.scalers import Scaler, fit_scaler
from seqvision.data.series import Series
from seqvision.data.splits import Split, chronological_split, stratified_split
from seqvision.data.store import fetch_file, find_file

__all__ = [
    "DIGIT_CLASSES",
    "FASHION_CLASSES",
    "Arrays",
    "Batch",
    "ForecastSplit",
    "ImageData",
    "Scaler",
    "Series",
    "Split",
    "Windows",
    "chirp",
    "chronological_split",
    "fetch_file",
    "find_file",
    "fit_scaler",
    "forecast_split",
    "load_digits",
    "load_fashion_mnist",
    "load_goog",
    "load_mnist",
    "read_idx",
    "read_series",
    "sine",
    "stratified_split",
]
