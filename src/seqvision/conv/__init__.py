"""Convolution and pooling as pure functions, safe and fast inside `lax.scan` on CPU, GPU and TPU.

Arrays are channels-last, (..., *spatial, channels), with any number of batch axes.
"""

from seqvision.conv.block import conv_block
from seqvision.conv.convolution import conv, conv_general_dilated
from seqvision.conv.normalization import batch_norm, channel_sums, per_channel
from seqvision.conv.pooling import avg_pool, global_avg_pool, global_max_pool, max_pool, sum_pool

__all__ = [
    "avg_pool",
    "batch_norm",
    "channel_sums",
    "conv",
    "conv_block",
    "conv_general_dilated",
    "global_avg_pool",
    "global_max_pool",
    "max_pool",
    "per_channel",
    "sum_pool",
]
