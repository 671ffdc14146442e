"""Inception blocks and the response normalization of their first network."""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax

from seqvision.conv import max_pool
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_axes

from .convolution import ConvBlock


class InceptionBlock(nn.Module):
    """Four branches side by side: 1x1; 1x1 and 3x3; 1x1 and a wide one; 3x3 max pool and 1x1.

    Args:
      channels: of the six convolutions in that order: 1x1, reduction, 3x3, reduction, wide, after the pool.
      wide: side of the kernel of the third branch: 5 in the paper, 3 in the published weights with batch norm.
      batch_norm: normalize each convolution, which then has no bias.

    Source: Szegedy et al., Going Deeper with Convolutions, arXiv:1409.4842, figure 2b.

    >>> import jax
    >>> block = InceptionBlock((4, 2, 4, 2, 3, 3))
    >>> block.init_with_output(jax.random.key(0), jnp.ones((2, 6, 6, 5)))[0].shape
    (2, 6, 6, 14)
    """

    channels: tuple[int, int, int, int, int, int]
    wide: int = 5
    batch_norm: bool = False

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map x (B, H, W, C) to (B, H, W, sum of the branches' channels)."""
        check_axes(self, x, 2)

        def block(name: str, features: int, size: int, x: Array) -> Array:
            convolution = normalized(features, (size, size), batch_norm=self.batch_norm, name=name)
            return convolution(x, train=train)

        one, three_in, three, wide_in, wide, pooled = self.channels
        branches = (
            block("one", one, 1, x),
            block("three", three, 3, block("three_in", three_in, 1, x)),
            block("wide", wide, self.wide, block("wide_in", wide_in, 1, x)),
            block("pooled", pooled, 1, max_pool(x, (3, 3), stride=1, padding="same")),
        )
        return jnp.concatenate(branches, axis=-1)


normalized = partial(ConvBlock, momentum=0.9, epsilon=1e-3, kernel_init=HE)


def local_response_norm(
    x: Array, size: int = 5, *, alpha: float = 1e-4, beta: float = 0.75, offset: float = 2.0
) -> Array:
    """Divide every value by (offset + alpha * sum of squares over ``size`` neighboring channels) ** beta.

    Args:
      x: (..., C).
      size: channels in the sum, centered, an odd number.
      alpha, beta, offset: AlexNet's settings are the default.

    Source: Krizhevsky, Sutskever, Hinton 2012, section 3.3.

    >>> local_response_norm(jnp.ones((1, 3)), 3, alpha=1.0, beta=1.0, offset=0.0).round(3).tolist()
    [[0.5, 0.333..., 0.5]]
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"local_response_norm: size must be odd and >= 1, got {size}")
    ends = [(0, 0)] * (x.ndim - 1) + [(size // 2, size // 2)]
    squares = jnp.pad(jnp.square(x), ends)
    total = sum(lax.slice_in_dim(squares, k, k + x.shape[-1], axis=x.ndim - 1) for k in range(size))
    return x / (offset + alpha * total) ** beta
