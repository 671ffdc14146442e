"""A convolutional layer with what surrounds it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
from jax import Array

from seqvision.activations import Activation, activation
from seqvision.conv import Padding, conv_block, max_pool
from seqvision.models.initializers import GLOROT
from seqvision.models.input_checks import check_axes

from .normalization import BatchNorm


class ConvBlock(nn.Module):
    """Convolution, batch norm, activation, max pool and dropout, as far as wanted; parameters ``kernel`` and ``bias``.

    Args:
      features: output channels.
      kernel_size: one entry a spatial axis (1 to 3).
      stride: step of the kernel, one number or one an axis.
      padding: "same", "valid", or what `seqvision.conv.conv` takes.
      dilation: spread of the kernel.
      groups: channel groups.
      activation: name, see `seqvision.activations`, or an elementwise function.
      batch_norm: normalize between convolution and activation.
      norm_last: with ``batch_norm``, normalize after the activation (as the Keras notebooks do).
      use_bias: whether there is a bias; None: unless it would be normalized away.
      pool: window of a max pool after all that, or None.
      dropout: rate at the end, of pixels and channels one by one.
      momentum: of the running statistics, see `BatchNorm`.
      epsilon: added to the variance.
      kernel_init: of the kernel; None: Glorot's uniform one, as Keras.

    >>> import jax, jax.numpy as jnp
    >>> block = ConvBlock(16, (3, 3), pool=(2, 2))
    >>> y, _ = block.init_with_output(jax.random.key(0), jnp.ones((5, 8, 8, 1)))
    >>> y.shape
    (5, 4, 4, 16)
    """

    features: int
    kernel_size: tuple[int, ...] = (3, 3)
    stride: int | tuple[int, ...] = 1
    padding: Padding = "same"
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    activation: Activation = "relu"
    batch_norm: bool = False
    norm_last: bool = False
    use_bias: bool | None = None
    pool: tuple[int, ...] | None = None
    dropout: float = 0.0
    momentum: float = 0.99
    epsilon: float = 1e-5
    kernel_init: Callable[..., Any] | None = None

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, *spatial, C) to (B, *spatial', features)."""
        check_axes(self, x, more=True)
        if self.groups < 1 or x.shape[-1] % self.groups or self.features % self.groups:
            raise ValueError(
                f"ConvBlock: groups must divide the {x.shape[-1]} input channels and the {self.features} features, "
                f"got {self.groups}"
            )
        if self.norm_last and not self.batch_norm:
            raise ValueError("ConvBlock: norm_last says where to normalize, but batch_norm is False: set it to True")
        shape = (*self.kernel_size, x.shape[-1] // self.groups, self.features)
        kernel = self.param("kernel", self.kernel_init or GLOROT, shape)
        norm_first = self.batch_norm and not self.norm_last
        has_bias = not norm_first if self.use_bias is None else self.use_bias
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,)) if has_bias else None
        convolve = partial(
            conv_block, stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups
        )
        function = activation(self.activation)
        if self.batch_norm:
            norm = BatchNorm(not train, momentum=self.momentum, epsilon=self.epsilon, name="norm")
            x = convolve(x, kernel, bias, activation=None)
            x = function(norm(x)) if norm_first else norm(function(x))
            x = x if self.pool is None else max_pool(x, self.pool)
        else:
            plain = None if self.activation == "linear" else function
            x = convolve(x, kernel, bias, activation=plain, pool=self.pool)
        return nn.Dropout(self.dropout, deterministic=not train)(x) if self.dropout else x
