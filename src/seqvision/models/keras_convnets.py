"""The convolutional networks of the Keras notebooks, for MNIST, Fashion-MNIST and CIFAR-10."""

import flax.linen as nn
from jax import Array

from .checks import check_pictures
from .convolutional import ConvBlock, ConvNet
from .heads import GLOROT, ClassificationHead


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

    On 32 x 32 x 3 it has 2,397,226 numbers, of which 2,396,330 are trained and 896 are running statistics.

    Args:
      channels: of each pair.
      dense: units of the dense layer.
      dropout: rate before and after the dense layer.
      batch_norm: normalize after each activation; the form without has 2,395,434 parameters.
      num_classes: logits.

    >>> import jax, jax.numpy as jnp
    >>> variables = jax.eval_shape(SixConvNet().init, jax.random.key(0), jnp.ones((1, 32, 32, 3)))
    >>> [sum(p.size for p in jax.tree.leaves(variables[part])) for part in ("params", "batch_stats")]
    [2396330, 896]
    """

    channels: tuple[int, ...] = (32, 64, 128)
    dense: int = 1024
    dropout: float = 0.2
    batch_norm: bool = True
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
                    pool=pool,
                    epsilon=1e-3,
                    name=f"conv{s}_{2 if pool else 1}",
                )
                x = block(x, train=train)
        x = nn.Dropout(self.dropout, deterministic=not train)(x.reshape(x.shape[0], -1))
        x = nn.relu(nn.Dense(self.dense, kernel_init=GLOROT, name="dense")(x))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return ClassificationHead(self.num_classes, name="head")(x)
