"""Residual networks, for ImageNet-sized and for small images."""

from typing import Literal

import flax.linen as nn
from jax import Array

from seqvision._checks import check_choice
from seqvision.conv import global_avg_pool, max_pool
from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.blocks.residual import BottleneckBlock, ResidualBlock, Shortcut
from seqvision.models.heads import ClassificationHead
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_pictures, check_same_number


class ResNet(nn.Module):
    """A residual network; `resnet18`, `resnet34`, `resnet50`, `cifar_resnet18` and `cifar_resnet20` are the known ones.

    Args:
      blocks: how many blocks each stage has; every stage but the first halves the picture.
      channels: of the blocks of each stage.
      block: "basic" (two 3x3 convolutions) or "bottleneck" (1x1, 3x3, 1x1, four times the channels).
      stem: "large" (7x7 of stride 2, max pool 3x3 of stride 2) or "small" (3x3).
      shortcut: "projection" or "zeros", see `ResidualBlock`.
      num_classes: logits.

    Source: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, 2015.

    >>> import jax, jax.numpy as jnp
    >>> model = ResNet((1, 1), (4, 8), stem="small", num_classes=3)
    >>> model.init_with_output(jax.random.key(0), jnp.ones((2, 8, 8, 1)))[0].shape
    (2, 3)
    """

    blocks: tuple[int, ...] = (2, 2, 2, 2)
    channels: tuple[int, ...] = (64, 128, 256, 512)
    block: Literal["basic", "bottleneck"] = "basic"
    stem: Literal["large", "small"] = "large"
    shortcut: Shortcut = "projection"
    num_classes: int = 1000

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        check_choice("block", self.block, ("basic", "bottleneck"), owner="ResNet")
        check_choice("stem", self.stem, ("large", "small"), owner="ResNet")
        check_same_number(self, "blocks", "channels")
        large = self.stem == "large"
        size, stride = (7, 2) if large else (3, 1)
        stem = ConvBlock(
            self.channels[0],
            (size, size),
            stride,
            size // 2,
            batch_norm=True,
            momentum=0.9,
            kernel_init=HE,
            name="stem",
        )
        x = stem(x, train=train)
        if large:
            x = max_pool(x, (3, 3), stride=2, padding=((1, 1), (1, 1)))
        kind = ResidualBlock if self.block == "basic" else BottleneckBlock
        for s, (count, features) in enumerate(zip(self.blocks, self.channels, strict=True)):
            for b in range(count):
                stride = 2 if s and not b else 1
                x = kind(features, stride, self.shortcut, name=f"stage{s + 1}_block{b + 1}")(x, train=train)
        return ClassificationHead(self.num_classes, name="head")(global_avg_pool(x))


def resnet18(num_classes: int = 1000) -> ResNet:
    """Return ResNet-18: 11,689,512 parameters with 1000 classes of RGB images.

    >>> resnet18().blocks
    (2, 2, 2, 2)
    """
    return ResNet(num_classes=num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    """Return ResNet-34: 21,797,672 parameters with 1000 classes of RGB images.

    >>> resnet34().blocks
    (3, 4, 6, 3)
    """
    return ResNet((3, 4, 6, 3), num_classes=num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    """Return ResNet-50: 25,557,032 parameters with 1000 classes of RGB images.

    >>> resnet50().block
    'bottleneck'
    """
    return ResNet((3, 4, 6, 3), block="bottleneck", num_classes=num_classes)


def cifar_resnet18(num_classes: int = 10) -> ResNet:
    """Return ResNet-18 with a 3x3 stem for images of 32 x 32: 11,173,962 parameters with 10 classes.

    >>> cifar_resnet18().stem
    'small'
    """
    return ResNet(stem="small", num_classes=num_classes)


def cifar_resnet20(num_classes: int = 10) -> ResNet:
    """Return the paper's 20-layer network for CIFAR-10, shortcuts of option A: 269,722 parameters.

    >>> cifar_resnet20().shortcut
    'zeros'
    """
    return ResNet((3, 3, 3), (16, 32, 64), stem="small", shortcut="zeros", num_classes=num_classes)
