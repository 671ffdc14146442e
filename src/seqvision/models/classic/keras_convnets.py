"""The convolutional networks of the Keras notebooks, for MNIST, Fashion-MNIST and CIFAR-10."""

from typing import Literal

import flax.linen as nn
from jax import Array

from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.heads import ClassificationHead
from seqvision.models.initializers import GLOROT
from seqvision.models.input_checks import check_pictures


class ConvNet(nn.Module):
    """A classifier in the style of the Keras notebooks: convolutions, then dense layers.

    The defaults are the Fashion-MNIST network: 3x3 convolutions of stride 2 with 32, 64 and 128 channels, dropout .2,
    a dense layer of 512, dropout .2, and 10 classes (360,458 parameters on 28x28x1 images). Its relatives are
    `mnist_convnet` and `cifar_convnet`.

    Args:
      channels: output channels of each convolution.
      kernel_size: of every convolution; one number, (3,), for series (B, T, D).
      stride: step of every convolution.
      padding: "valid" (Keras's default) or "same".
      pool: max pool after each convolution, or None.
      batch_norm: normalize in each block.
      momentum: of the running statistics, see `BatchNorm`.
      dropout: rate before the dense layers and after each of them; a pair for the two places.
      dense: units of the dense layers.
      head: a module from features to outputs; None returns the features.

    >>> import jax, jax.numpy as jnp
    >>> model = ConvNet()
    >>> logits, variables = model.init_with_output(jax.random.key(0), jnp.ones((2, 28, 28, 1)))
    >>> logits.shape, sum(p.size for p in jax.tree.leaves(variables))
    ((2, 10), 360458)
    """

    channels: tuple[int, ...] = (32, 64, 128)
    kernel_size: tuple[int, ...] = (3, 3)
    stride: int | tuple[int, ...] = 2
    padding: Literal["valid", "same"] = "valid"
    pool: tuple[int, ...] | None = None
    batch_norm: bool = False
    momentum: float = 0.99
    dropout: float | tuple[float, float] = 0.2
    dense: tuple[int, ...] = (512,)
    head: nn.Module | None = ClassificationHead(10)

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to the head's outputs."""
        check_pictures(self, x, None)
        for features in self.channels:
            block = ConvBlock(
                features,
                self.kernel_size,
                self.stride,
                self.padding,
                batch_norm=self.batch_norm,
                momentum=self.momentum,
                pool=self.pool,
            )
            x = block(x, train=train)
        before, after = self.dropout if isinstance(self.dropout, tuple) else (self.dropout, self.dropout)
        x = nn.Dropout(before, deterministic=not train)(x.reshape(x.shape[0], -1))
        for units in self.dense:
            x = nn.relu(nn.Dense(units, kernel_init=GLOROT)(x))
            x = nn.Dropout(after, deterministic=not train)(x)
        return x if self.head is None else self.head(x)


def mnist_convnet(num_classes: int = 10) -> ConvNet:
    """Return the Keras MNIST example: two 3x3 convolutions with max pools, dropout .5; 34,826 parameters.

    >>> mnist_convnet().channels
    (32, 64)
    """
    return ConvNet(
        (32, 64), stride=1, pool=(2, 2), dropout=0.5, dense=(), head=ClassificationHead(num_classes, name="head")
    )


def fashion_convnet(num_classes: int = 10) -> ConvNet:
    """Return three strided convolutions and a dense layer of 512 for 28 x 28 x 1: 360,458 parameters.

    >>> fashion_convnet().dense
    (512,)
    """
    return ConvNet(head=ClassificationHead(num_classes, name="head"))


def cifar_convnet(num_classes: int = 10) -> ConvNet:
    """Return three strided convolutions and a dense layer of 1024 for 32 x 32 x 3: 1,284,170 parameters.

    >>> cifar_convnet().dropout
    (0.5, 0.2)
    """
    return ConvNet(dropout=(0.5, 0.2), dense=(1024,), head=ClassificationHead(num_classes, name="head"))


class SixConvNet(nn.Module):
    """Three pairs of normalized 3x3 convolutions, each ended by a max pool, and a dense layer.

    On 32 x 32 x 3 it has 2,396,330 parameters, 896 running statistics, and a count of batches in each of 6 norms.

    Args:
      channels: of each pair.
      dense: units of the dense layer.
      dropout: rate before and after the dense layer.
      batch_norm: normalize after each activation; the form without has 2,395,434 parameters.
      momentum: of the running statistics, see `BatchNorm`.
      num_classes: logits.

    >>> import jax, jax.numpy as jnp
    >>> variables = jax.eval_shape(SixConvNet().init, jax.random.key(0), jnp.ones((1, 32, 32, 3)))
    >>> [sum(p.size for p in jax.tree.leaves(variables[part])) for part in ("params", "batch_stats")]
    [2396330, 902]
    """

    channels: tuple[int, ...] = (32, 64, 128)
    dense: int = 1024
    dropout: float = 0.2
    batch_norm: bool = True
    momentum: float = 0.99
    num_classes: int = 10

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        for s, features in enumerate(self.channels, start=1):
            for pool in (None, (2, 2)):
                block = ConvBlock(
                    features,
                    batch_norm=self.batch_norm,
                    norm_last=self.batch_norm,
                    momentum=self.momentum,
                    pool=pool,
                    epsilon=1e-3,
                    name=f"conv{s}_{2 if pool else 1}",
                )
                x = block(x, train=train)
        x = nn.Dropout(self.dropout, deterministic=not train)(x.reshape(x.shape[0], -1))
        x = nn.relu(nn.Dense(self.dense, kernel_init=GLOROT, name="dense")(x))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return ClassificationHead(self.num_classes, name="head")(x)
