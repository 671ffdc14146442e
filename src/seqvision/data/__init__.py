"""Files and generators to arrays: series, images, splits, scalers and windows."""

from seqvision.data.batches import Arrays, Batch, Windows

__all__ = ["Arrays", "Batch", "Windows"]
