"""The two networks of DCGAN: noise to images, and images to whether they are real."""

from functools import partial

import flax.linen as nn
import jax
from jax import Array

from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.blocks.transposed import ConvTransposeBlock
from seqvision.models.input_checks import check_pictures

_INIT = nn.initializers.normal(0.02)


def _leaky(x: Array) -> Array:
    return jax.nn.leaky_relu(x, 0.2)


class DCGANGenerator(nn.Module):
    """Make images in -1..1 from noise: transposed convolutions with batch norm, each doubling the image.

    The image's side is start * 2**len(channels): 64 by default, with 3,576,704 parameters for noise of 100 numbers;
    28 with start 7 and two entries in channels.

    Args:
      channels: of every picture before the last, the first of start x start.
      start: side of the first picture.
      outputs: channels of the image.

    Source: Radford, Metz, Chintala, Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks, arXiv:1511.06434, figure 1 (with half its channels).

    >>> import jax.numpy as jnp
    >>> shapes = jax.eval_shape(DCGANGenerator().init, jax.random.key(0), jnp.ones((1, 100)))
    >>> sum(p.size for p in jax.tree.leaves(shapes["params"]))
    3576704
    """

    channels: tuple[int, ...] = (512, 256, 128, 64)
    start: int = 4
    outputs: int = 3

    @nn.compact
    def __call__(self, z: Array, *, train: bool = False) -> Array:
        """Map noise z (B, Z) to images (B, side, side, outputs)."""
        if z.ndim != 2:
            raise ValueError(f"DCGANGenerator: noise must be (B, Z), got {z.shape}: one draw is z[None]")
        x = z[:, None, None, :]
        block = partial(ConvTransposeBlock, batch_norm=True, momentum=0.9, kernel_init=_INIT)
        first, *doubled = self.channels
        x = block(first, (self.start, self.start), 1, "valid")(x, train=train)
        for features in doubled:
            x = block(features, (4, 4), 2, "same")(x, train=train)
        return ConvTransposeBlock(self.outputs, activation="tanh", use_bias=False, kernel_init=_INIT, name="image")(x)


class DCGANDiscriminator(nn.Module):
    """Tell real images from made ones: strided convolutions, one number an image, positive for real.

    2,765,568 parameters on 64 x 64 x 3. Smaller images take fewer channels, each entry halving the image.

    Args:
      channels: of the 4x4 convolutions of stride 2, with batch norm but for the first.
      dropout: rate after each.

    Source: as `DCGANGenerator`.

    >>> import jax.numpy as jnp
    >>> shapes = jax.eval_shape(DCGANDiscriminator().init, jax.random.key(0), jnp.ones((1, 64, 64, 3)))
    >>> sum(p.size for p in jax.tree.leaves(shapes["params"]))
    2765568
    """

    channels: tuple[int, ...] = (64, 128, 256, 512)
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B,)."""
        check_pictures(self, x)
        for i, features in enumerate(self.channels):
            block = ConvBlock(
                features,
                (4, 4),
                2,
                1,
                activation=_leaky,
                batch_norm=i > 0,
                use_bias=False,
                dropout=self.dropout,
                momentum=0.9,
                kernel_init=_INIT,
            )
            x = block(x, train=train)
        x = ConvBlock(1, x.shape[1:3], padding="valid", activation="linear", use_bias=False, kernel_init=_INIT)(x)
        return x.reshape(x.shape[0])


def digit_gan(channels: tuple[int, int] = (64, 32), outputs: int = 1) -> tuple[DCGANGenerator, DCGANDiscriminator]:
    """Return a small generator and discriminator for images of 28 x 28, such as digits and clothes.

    >>> generator, discriminator = digit_gan()
    >>> generator.start, discriminator.channels
    (7, (32, 64))
    """
    return DCGANGenerator(channels, start=7, outputs=outputs), DCGANDiscriminator(channels[::-1])
