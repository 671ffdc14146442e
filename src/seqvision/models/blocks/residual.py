"""Residual blocks: two or three normalized convolutions, added to what came in."""

from functools import partial
from typing import Literal, get_args

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from seqvision._checks import check_choice
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_axes

from .convolution import ConvBlock

Shortcut = Literal["projection", "zeros"]

_Norm = partial(ConvBlock, batch_norm=True, momentum=0.9, kernel_init=HE)


class ResidualBlock(nn.Module):
    """The basic block: relu(conv 3x3(relu(conv 3x3(x))) + x), each convolution with batch norm.

    Args:
      features: output channels.
      stride: step of the first convolution.
      shortcut: where the shape changes, what is added instead of x: its "projection" by a strided 1x1 convolution
        with batch norm (option B), or every stride-th pixel of it with "zeros" as its new channels (option A, which
        has no parameters).

    Source: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, 2015, figures 3 and 5.

    >>> import jax
    >>> block = ResidualBlock(8, stride=2, shortcut="zeros")
    >>> y, _ = block.init_with_output(jax.random.key(0), jnp.ones((2, 6, 6, 4)))
    >>> y.shape
    (2, 3, 3, 8)
    """

    features: int
    stride: int = 1
    shortcut: Shortcut = "projection"

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, H, W, C) to (B, ceil(H / stride), ceil(W / stride), features)."""
        check_axes(self, x, 2)
        y = _Norm(self.features, (3, 3), self.stride, 1, name="conv1")(x, train=train)
        y = _Norm(self.features, (3, 3), 1, 1, activation="linear", name="conv2")(y, train=train)
        return nn.relu(y + _shortcut(x, self.features, self.stride, self.shortcut, train))


class BottleneckBlock(nn.Module):
    """The block of deep networks: convolutions 1x1, 3x3 and 1x1 with four times the channels, added to x.

    The stride sits in the 3x3 convolution, as in all published weights.

    Args:
      features: channels inside; 4 * features come out.
      stride: step of the 3x3 convolution.
      shortcut: as in `ResidualBlock`.

    Source: as `ResidualBlock`.

    >>> import jax
    >>> y, _ = BottleneckBlock(4).init_with_output(jax.random.key(0), jnp.ones((2, 6, 6, 4)))
    >>> y.shape
    (2, 6, 6, 16)
    """

    features: int
    stride: int = 1
    shortcut: Shortcut = "projection"

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, H, W, C) to (B, ceil(H / stride), ceil(W / stride), 4 * features)."""
        check_axes(self, x, 2)
        y = _Norm(self.features, (1, 1), name="conv1")(x, train=train)
        y = _Norm(self.features, (3, 3), self.stride, 1, name="conv2")(y, train=train)
        y = _Norm(4 * self.features, (1, 1), activation="linear", name="conv3")(y, train=train)
        return nn.relu(y + _shortcut(x, 4 * self.features, self.stride, self.shortcut, train))


def _shortcut(x: Array, features: int, stride: int, kind: Shortcut, train: bool) -> Array:
    """What a block adds to its convolutions' output; called inside the block's compact call."""
    check_choice("shortcut", kind, get_args(Shortcut))
    if stride == 1 and x.shape[-1] == features:
        return x
    if kind == "projection":
        return _Norm(features, (1, 1), stride, "valid", activation="linear", name="shortcut")(x, train=train)
    if x.shape[-1] > features:
        raise ValueError(
            f'shortcut "zeros" adds channels, but {x.shape[-1]} come in and {features} go out: use "projection"'
        )
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, features - x.shape[-1])))
