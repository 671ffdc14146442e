"""Convolution and pooling as pure functions, safe and fast inside `lax.scan` on CPU, GPU and TPU.

Arrays are channels-last, (..., *spatial, channels), with any number of batch axes.

On CPU, forward and gradients stay on fast code inside a compiled loop, where lax's own convolutions do not, and under
`vmap` over models; elsewhere lax's convolutions run. `conv_general_dilated` goes into flax's `nn.Conv`.
"""

from seqvision.activations import ACTIVATIONS, activation
from seqvision.conv.adaptive import adaptive_avg_pool, adaptive_max_pool
from seqvision.conv.block import conv_block
from seqvision.conv.channels import channel_sums, per_channel
from seqvision.conv.convolution import Padding, conv, conv_general_dilated
from seqvision.conv.normalization import batch_norm
from seqvision.conv.pooling import PoolPadding, avg_pool, global_avg_pool, global_max_pool, max_pool, sum_pool
from seqvision.conv.transposed import TransposedPadding, conv_transpose

__all__ = [
    "ACTIVATIONS",
    "Padding",
    "PoolPadding",
    "TransposedPadding",
    "activation",
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "avg_pool",
    "batch_norm",
    "channel_sums",
    "conv",
    "conv_block",
    "conv_general_dilated",
    "conv_transpose",
    "global_avg_pool",
    "global_max_pool",
    "max_pool",
    "per_channel",
    "sum_pool",
]
