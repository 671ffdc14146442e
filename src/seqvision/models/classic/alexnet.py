"""AlexNet in its one-tower form."""

import flax.linen as nn
from jax import Array

from seqvision.conv import max_pool
from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.heads import ClassificationHead
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_pictures


class AlexNet(nn.Module):
    """AlexNet: five convolutions, overlapping max pools, three dense layers; 61,100,840 parameters on 224 x 224 x 3.

    The form with one tower and without response normalization, which published weights have; images of at least
    63 x 63, smaller than 224 with a smaller first dense layer.

    Args:
      num_classes: logits.
      dense: units of the two dense layers, with dropout before each.
      dropout: its rate.

    Source: Krizhevsky, One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997; Krizhevsky,
    Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012.

    >>> import jax, jax.numpy as jnp
    >>> shapes = jax.eval_shape(AlexNet().init, jax.random.key(0), jnp.ones((1, 224, 224, 3)))
    >>> sum(p.size for p in jax.tree.leaves(shapes))
    61100840
    """

    num_classes: int = 1000
    dense: tuple[int, int] = (4096, 4096)
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        if min(x.shape[1:3]) < 63:
            raise ValueError(f"AlexNet: images must be at least 63 x 63, got {x.shape}: resize them")
        layers = [(64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1)]
        for i, (features, size, stride, padding) in enumerate(layers, start=1):
            block = ConvBlock(features, (size, size), stride, padding, kernel_init=HE, name=f"conv{i}")
            x = block(x, train=train)
            if i in (1, 2, 5):
                x = max_pool(x, (3, 3), stride=2)
        x = x.reshape(x.shape[0], -1)
        for i, units in enumerate(self.dense, start=1):
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
            x = nn.relu(nn.Dense(units, kernel_init=HE, name=f"dense{i}")(x))
        return ClassificationHead(self.num_classes, name="head")(x)
