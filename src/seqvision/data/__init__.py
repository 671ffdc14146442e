"""Files and generators to arrays: series, images, splits, scalers and windows."""

from seqvision.data.batches import Arrays, Batch, Windows
from seqvision.data.bundled import load_goog
from seqvision.data.digit_strings import DIGIT_NAMES, digit_sums, reversed_digits
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
from seqvision.data.vocabulary import SequencePairs, Vocabulary, decoder_arrays

__all__ = [
    "DIGIT_CLASSES",
    "DIGIT_NAMES",
    "FASHION_CLASSES",
    "Arrays",
    "Batch",
    "ForecastSplit",
    "ImageData",
    "Scaler",
    "SequencePairs",
    "Series",
    "Split",
    "Vocabulary",
    "Windows",
    "chirp",
    "chronological_split",
    "decoder_arrays",
    "digit_sums",
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
    "reversed_digits",
    "sine",
    "stratified_split",
]
