"""GoogLeNet without its auxiliary heads."""

from functools import partial

import flax.linen as nn
from jax import Array

from seqvision.conv import global_avg_pool, max_pool
from seqvision.models.blocks.inception import InceptionBlock, local_response_norm, normalized
from seqvision.models.heads import ClassificationHead
from seqvision.models.input_checks import check_pictures

# Channels of 1x1, reduction, 3x3, reduction, 5x5, after the pool (table 1 of the paper).
_STAGES = (
    ("3", ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64))),
    (
        "4",
        (
            (192, 96, 208, 16, 48, 64),
            (160, 112, 224, 24, 64, 64),
            (128, 128, 256, 24, 64, 64),
            (112, 144, 288, 32, 64, 64),
            (256, 160, 320, 32, 128, 128),
        ),
    ),
    ("5", ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128))),
)


class GoogLeNet(nn.Module):
    """GoogLeNet: a stem, nine inception blocks, global average pooling and one dense layer.

    Args:
      num_classes: logits.
      batch_norm: False is the paper's form, with biases, 5x5 kernels and response normalization (6,998,552 parameters
        with 1000 classes of RGB images); True that of the published weights, with batch norm, 3x3 kernels in their
        place (6,624,904).
      dropout: rate before the dense layer.

    Source: Szegedy et al., Going Deeper with Convolutions, arXiv:1409.4842.

    >>> import jax, jax.numpy as jnp
    >>> shapes = jax.eval_shape(GoogLeNet().init, jax.random.key(0), jnp.ones((1, 224, 224, 3)))
    >>> sum(p.size for p in jax.tree.leaves(shapes))
    6998552
    """

    num_classes: int = 1000
    batch_norm: bool = False
    dropout: float = 0.4

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        convolution = partial(normalized, batch_norm=self.batch_norm)
        halve = partial(max_pool, window=(3, 3), stride=2, padding="same")
        x = halve(convolution(64, (7, 7), 2, 3, name="conv1")(x, train=train))
        x = x if self.batch_norm else local_response_norm(x)
        x = convolution(64, (1, 1), name="conv2")(x, train=train)
        x = convolution(192, (3, 3), name="conv3")(x, train=train)
        x = halve(x if self.batch_norm else local_response_norm(x))
        for stage, blocks in _STAGES:
            for letter, channels in zip("abcde", blocks, strict=False):
                block = InceptionBlock(channels, 3 if self.batch_norm else 5, self.batch_norm, name=f"{stage}{letter}")
                x = block(x, train=train)
            if stage == "3":
                x = halve(x)
            elif stage == "4":
                x = max_pool(x, (2, 2), padding="same") if self.batch_norm else halve(x)
        x = nn.Dropout(self.dropout, deterministic=not train)(global_avg_pool(x))
        return ClassificationHead(self.num_classes, name="head")(x)
