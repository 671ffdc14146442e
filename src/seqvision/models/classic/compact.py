"""A convolutional network of few parameters, for small images."""

from typing import Literal

import flax.linen as nn
from jax import Array

from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.blocks.normalization import BatchNorm
from seqvision.models.heads import ClassificationHead
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_pictures


class CompactNet(nn.Module):
    """3x3 convolutions and max pools in the order written, then one dense layer on all that is left.

    Batch norm and ReLU follow each convolution, after the pool where there is one: on a quarter of the pixels. The
    defaults have 98,666 parameters on 28 x 28 x 1, nearly all in convolutions of pooled pictures.

    Args:
      layers: output channels of a convolution, or "pool" (2 x 2) after it, one after another.
      dropout: rate before the dense layer.
      num_classes: logits.
      momentum: of the running statistics.

    >>> import jax, jax.numpy as jnp
    >>> variables = jax.eval_shape(CompactNet().init, jax.random.key(0), jnp.ones((1, 28, 28, 1)))
    >>> sum(p.size for p in jax.tree.leaves(variables["params"]))
    98666
    """

    layers: tuple[int | Literal["pool"], ...] = (32, "pool", 64, "pool", 64, 64, "pool")
    dropout: float = 0.2
    num_classes: int = 10
    momentum: float = 0.9

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        for n, (layer, after) in enumerate(zip(self.layers, (*self.layers[1:], None), strict=True), start=1):
            if layer != "pool":
                pool = (2, 2) if after == "pool" else None
                convolution = ConvBlock(
                    layer, activation="linear", use_bias=False, pool=pool, kernel_init=HE, name=f"conv{n}"
                )
                x = BatchNorm(not train, momentum=self.momentum, name=f"norm{n}")(convolution(x))
                x = nn.relu(x)
        x = nn.Dropout(self.dropout, deterministic=not train)(x.reshape(x.shape[0], -1))
        return ClassificationHead(self.num_classes, name="head")(x)
