"""Transposed convolutions, which make images larger."""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from seqvision.activations import Activation, activation
from seqvision.conv import TransposedPadding, conv_transpose, per_channel
from seqvision.models.initializers import GLOROT
from seqvision.models.input_checks import check_axes

from .normalization import BatchNorm


class ConvTransposeBlock(nn.Module):
    """Transposed convolution, batch norm, activation; parameters ``kernel`` (*kernel_size, C, features) and ``bias``.

    Args:
      features: output channels.
      kernel_size: one entry a spatial axis.
      stride: how many times larger the image becomes.
      padding: "same" (stride times the size), "valid", or what `seqvision.conv.conv_transpose` takes.
      activation: name, see `seqvision.activations`, or an elementwise function.
      batch_norm: normalize before the activation.
      use_bias: whether there is a bias; None: unless it would be normalized away.
      momentum: of the running statistics, see `BatchNorm`.
      kernel_init: of the kernel; None: Glorot's uniform one, as Keras.

    >>> import jax, jax.numpy as jnp
    >>> y, _ = ConvTransposeBlock(3).init_with_output(jax.random.key(0), jnp.ones((2, 7, 7, 4)))
    >>> y.shape
    (2, 14, 14, 3)
    """

    features: int
    kernel_size: tuple[int, ...] = (4, 4)
    stride: int | tuple[int, ...] = 2
    padding: TransposedPadding = "same"
    activation: Activation = "relu"
    batch_norm: bool = False
    use_bias: bool | None = None
    momentum: float = 0.99
    kernel_init: Callable[..., Any] | None = None

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, *spatial, C) to (B, *larger, features)."""
        check_axes(self, x)
        kernel = self.param("kernel", self.kernel_init or GLOROT, (*self.kernel_size, x.shape[-1], self.features))
        has_bias = not self.batch_norm if self.use_bias is None else self.use_bias
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,)) if has_bias else None
        if self.padding == "valid" and self.stride == 1 and math.prod(x.shape[1:-1]) == 1:
            # One pixel lights the whole kernel: a matrix product.
            turned = jnp.flip(kernel, tuple(range(len(self.kernel_size))))
            x = jnp.tensordot(x.reshape(x.shape[0], -1), turned, axes=(1, kernel.ndim - 2))
            x = x if bias is None else x + per_channel(bias, x.shape)
        else:
            x = conv_transpose(x, kernel, bias, stride=self.stride, padding=self.padding)
        if self.batch_norm:
            x = BatchNorm(not train, momentum=self.momentum, name="norm")(x)
        return activation(self.activation)(x)
