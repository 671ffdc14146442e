"""Cheap convolutions: depthwise-separable ones, and squeeze-and-excitation between them."""

from functools import partial

import flax.linen as nn
from jax import Array

from seqvision._checks import check_count
from seqvision.activations import Activation
from seqvision.conv import global_avg_pool
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_axes

from .convolution import ConvBlock


class SeparableBlock(nn.Module):
    """A depthwise convolution, one kernel a channel, then a 1x1 convolution that mixes channels.

    Args:
      features: output channels.
      kernel_size: of the depthwise convolution.
      stride: its step.
      activation: after each of the two.
      batch_norm: normalize before each activation.
      momentum: of the running statistics, see `BatchNorm`.

    Source: Howard et al., MobileNets, arXiv:1704.04861.

    >>> import jax, jax.numpy as jnp
    >>> y, variables = SeparableBlock(16, batch_norm=False).init_with_output(jax.random.key(0), jnp.ones((2, 6, 6, 8)))
    >>> y.shape, sum(p.size for p in jax.tree.leaves(variables)) == (9 * 8 + 8) + (8 * 16 + 16)
    ((2, 6, 6, 16), True)
    """

    features: int
    kernel_size: tuple[int, ...] = (3, 3)
    stride: int | tuple[int, ...] = 1
    activation: Activation = "relu"
    batch_norm: bool = True
    momentum: float = 0.99

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, *spatial, C) to (B, *spatial', features)."""
        check_axes(self, x, more=True)
        channels = x.shape[-1]
        normalized = partial(ConvBlock, batch_norm=self.batch_norm, momentum=self.momentum)
        block = partial(normalized, activation=self.activation, kernel_init=HE)
        x = block(channels, self.kernel_size, self.stride, groups=channels, name="depthwise")(x, train=train)
        return block(self.features, (1,) * len(self.kernel_size), name="pointwise")(x, train=train)


class SqueezeExcitation(nn.Module):
    """Scale every channel by a gate in 0..1 that two dense layers read from the channels' means.

    Args:
      ratio: the hidden layer has C // ratio units, at least one.

    Source: Hu, Shen, Albanie, Sun, Wu, Squeeze-and-Excitation Networks, arXiv:1709.01507.

    >>> import jax, jax.numpy as jnp
    >>> y, variables = SqueezeExcitation(4).init_with_output(jax.random.key(0), jnp.ones((2, 6, 6, 8)))
    >>> y.shape, variables["params"]["squeeze"]["kernel"].shape
    ((2, 6, 6, 8), (8, 2))
    """

    ratio: int = 16

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Map x (B, *spatial, C) to the same shape."""
        check_axes(self, x, max(1, x.ndim - 2))
        check_count("ratio", self.ratio, owner="SqueezeExcitation")
        channels = x.shape[-1]
        means = global_avg_pool(x, x.ndim - 2)
        hidden = nn.relu(nn.Dense(max(1, channels // self.ratio), kernel_init=HE, name="squeeze")(means))
        gate = nn.sigmoid(nn.Dense(channels, name="excite")(hidden))
        return x * gate.reshape(x.shape[0], *(1,) * (x.ndim - 2), channels)
