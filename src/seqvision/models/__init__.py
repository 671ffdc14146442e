"""Ordinary flax.linen modules over the pure cells and convolutions: layers, models and heads.

How the five shapes of input and output are spelled, one-to-one to sequences of unequal length, stands at the top of
`seqvision.models.encoder_decoder`.
"""

from .convolutional import ConvBlock, ConvNet
from .encoder_decoder import EncoderDecoder, ImageEncoder, SequenceEncoder
from .heads import Anchored, ClassificationHead, RegressionHead
from .mlp import MLP
from .recurrent import Recurrent, RecurrentLayer

__all__ = [
    "MLP",
    "Anchored",
    "ClassificationHead",
    "ConvBlock",
    "ConvNet",
    "EncoderDecoder",
    "ImageEncoder",
    "Recurrent",
    "RecurrentLayer",
    "RegressionHead",
    "SequenceEncoder",
]
