"""VGG: nothing but 3x3 convolutions, max pools and three dense layers."""

import flax.linen as nn
from jax import Array

from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.heads import ClassificationHead
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_pictures, check_same_number


class VGG(nn.Module):
    """A VGG network; `vgg16` and `vgg19` are the known ones.

    Images of 224 x 224 come out of the convolutions as 7 x 7 x 512; smaller ones (each stage halves them) give a
    smaller first dense layer.

    Args:
      convolutions: how many each stage has; a max pool ends it.
      channels: of each stage.
      dense: units of the dense layers, with dropout after each.
      dropout: their rate.
      batch_norm: normalize each convolution.
      momentum: of the running statistics, that of the published weights, see `BatchNorm`.
      num_classes: logits.

    Source: Simonyan and Zisserman, arXiv:1409.1556, configurations D and E.

    >>> import jax, jax.numpy as jnp
    >>> model = VGG((1, 1), (4, 8), dense=(16,), num_classes=3)
    >>> model.init_with_output(jax.random.key(0), jnp.ones((2, 8, 8, 3)))[0].shape
    (2, 3)
    """

    convolutions: tuple[int, ...] = (2, 2, 3, 3, 3)
    channels: tuple[int, ...] = (64, 128, 256, 512, 512)
    dense: tuple[int, ...] = (4096, 4096)
    dropout: float = 0.5
    batch_norm: bool = False
    momentum: float = 0.9
    num_classes: int = 1000

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        check_same_number(self, "convolutions", "channels")
        stages = len(self.convolutions)
        if min(x.shape[1:3]) < 2**stages:
            raise ValueError(
                f"VGG: {stages} max pools need images of at least {2**stages} x {2**stages}, got {x.shape}: resize them"
            )
        for s, (count, features) in enumerate(zip(self.convolutions, self.channels, strict=True)):
            for c in range(count):
                block = ConvBlock(
                    features,
                    batch_norm=self.batch_norm,
                    momentum=self.momentum,
                    use_bias=True,  # as the published weights have it, normalized or not
                    pool=(2, 2) if c == count - 1 else None,
                    kernel_init=HE,
                    name=f"conv{s + 1}_{c + 1}",
                )
                x = block(x, train=train)
        x = x.reshape(x.shape[0], -1)
        for i, units in enumerate(self.dense):
            x = nn.relu(nn.Dense(units, kernel_init=HE, name=f"dense{i + 1}")(x))
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return ClassificationHead(self.num_classes, name="head")(x)


def vgg16(num_classes: int = 1000) -> VGG:
    """Return VGG-16: 138,357,544 parameters with 1000 classes of 224 x 224 RGB images.

    >>> sum(vgg16().convolutions) + 3
    16
    """
    return VGG(num_classes=num_classes)


def vgg19(num_classes: int = 1000) -> VGG:
    """Return VGG-19: 143,667,240 parameters with 1000 classes of 224 x 224 RGB images.

    >>> sum(vgg19().convolutions) + 3
    19
    """
    return VGG((2, 2, 4, 4, 4), num_classes=num_classes)
