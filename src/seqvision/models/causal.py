"""A causal convolutional network for series: what a step sees are the steps before it."""

import flax.linen as nn
from jax import Array

from seqvision._checks import check_count
from seqvision.activations import Activation, activation

from .blocks.convolution import ConvBlock
from .heads import RegressionHead
from .input_checks import check_axes


class TemporalConvNet(nn.Module):
    """Residual blocks of dilated causal convolutions, read at the last step, and a head.

    Block n has two convolutions whose steps are 2^n apart, so that the network sees
    1 + 2 (kernel_size - 1) (2^blocks - 1) steps back.

    Args:
      channels: output channels of each block.
      kernel_size: steps that a convolution sees.
      activation: name, see `seqvision.activations`, or a function.
      dropout: rate after each convolution.
      head: a module from features to outputs; None returns the features.

    Source: Bai, Kolter, Koltun, An empirical evaluation of generic convolutional and recurrent networks for sequence
    modeling, arXiv:1803.01271; without its weight normalization.

    >>> import jax, jax.numpy as jnp
    >>> y, _ = TemporalConvNet((8, 8)).init_with_output(jax.random.key(0), jnp.ones((2, 10, 3)))
    >>> y.shape
    (2, 1, 1)
    """

    channels: tuple[int, ...] = (16, 16)
    kernel_size: int = 3
    activation: Activation = "relu"
    dropout: float = 0.0
    head: nn.Module | None = RegressionHead()

    @property
    def least_axes(self) -> int:
        """How many axes a batch of series has."""
        return 3

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, T, C) to the head's outputs."""
        check_axes(self, x, 1)
        check_count("kernel_size", self.kernel_size, owner="TemporalConvNet")
        for n, features in enumerate(self.channels):
            y = x
            for _ in range(2):
                y = ConvBlock(
                    features,
                    (self.kernel_size,),
                    padding="causal",
                    dilation=2**n,
                    activation=self.activation,
                    dropout=self.dropout,
                )(y, train=train)
            if x.shape[-1] != features:
                x = ConvBlock(features, (1,), activation="linear")(x, train=train)
            x = activation(self.activation)(x + y)
        x = x[:, -1]
        return x if self.head is None else self.head(x)
