"""Files and generators to arrays: series, images, splits, scalers and windows."""

from seqvision.data.batches import Arrays, Batch, Windows
from seqvision.data.forecast import ForecastSplit, forecast_split
from seqvision.data.generators import chirp, sine
from seqvision.data.scalers import Scaler, fit_scaler
from seqvision.data.series import Series, read_series
from seqvision.data.splits import Split, chronological_split, stratified_split

__all__ = [
    "Arrays",
    "Batch",
    "ForecastSplit",
    "Scaler",
    "Series",
    "Split",
    "Windows",
    "chirp",
    "chronological_split",
    "fit_scaler",
    "forecast_split",
    "read_series",
    "sine",
    "stratified_split",
]
