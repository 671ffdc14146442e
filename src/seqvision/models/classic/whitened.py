"""The network of the CIFAR-10 speed records: a fixed whitening layer, then three groups of two convolutions."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.blocks.normalization import BatchNorm
from seqvision.models.input_checks import check_pictures

UNIFORM = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")  # +-1 / sqrt(fan_in)


def whitening_kernel(images: ArrayLike, size: int = 2, epsilon: float = 5e-4) -> np.ndarray:
    """Return filters whose answers on patches of these images are uncorrelated and of variance 1, and their negatives.

    The filters are the eigenvectors of E[p p^T] over all patches p, the largest eigenvalue first, each divided by the
    square root of its eigenvalue.

    Args:
      images: (N, H, W, C), scaled as the network gets them.
      size: side of a patch.
      epsilon: added to the eigenvalues, so that faint patterns, mostly noise, are not blown up.

    Returns:
      float32 (size, size, C, 2 * size * size * C).

    Raises:
      ValueError: if the images are no batch, or smaller than a patch.

    Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024 (https://arxiv.org/abs/2404.00498).

    >>> whitening_kernel(np.random.default_rng(0).normal(size=(10, 8, 8, 3))).shape
    (2, 2, 3, 24)
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or not len(images) or min(images.shape[1:3]) < size:
        raise ValueError(
            f"whitening_kernel: images must be (N, H, W, C), at least {size} x {size} pixels, got shape {images.shape}"
        )
    patches = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))  # (N, h, w, C, size, size)
    rows = np.moveaxis(patches, 3, -1).reshape(-1, size * size * images.shape[-1]).astype(np.float64)
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    filters = (vectors / np.sqrt(values + epsilon))[:, ::-1]
    kernel = np.concatenate([filters, -filters], axis=1)
    return kernel.reshape(size, size, images.shape[-1], -1).astype(np.float32)


def start_from_identity(key: Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> Array:
    """Draw a kernel (h, w, C_in, C_out) whose first C_in outputs are the inputs themselves, the others random.

    >>> import jax
    >>> start_from_identity(jax.random.key(0), (3, 3, 2, 4))[1, 1, :, :2].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    h, w, c_in, c_out = shape
    same = min(c_in, c_out)
    kernel = UNIFORM(key, shape, dtype).at[..., :same].set(0)
    return kernel.at[h // 2, w // 2, jnp.arange(same), jnp.arange(same)].set(1)


class WhitenedConvNet(nn.Module):
    """A 2 x 2 whitening convolution, three groups of two 3 x 3 convolutions, the maximum over what is left, one layer.

    A group: convolution, max pool 2, batch norm, GELU, convolution, batch norm, GELU. Convolutions have no bias and
    start from the identity; the logits are multiplied by ``scale``. The defaults have 1,972,792 parameters on
    32 x 32 x 3, of which the 288 of the whitening kernel and the 1,152 scales of the norms are meant to stay as they
    are: set the one to `whitening_kernel` of training images, and leave both to `optax.set_to_zero`.

    Args:
      channels: of each group.
      num_classes: logits.
      scale: of the logits.
      momentum: of the running statistics.

    Source: Jordan 2024 (https://arxiv.org/abs/2404.00498), after the earlier records of Page and Balsam.

    >>> import jax
    >>> variables = jax.eval_shape(WhitenedConvNet().init, jax.random.key(0), jnp.ones((1, 32, 32, 3)))
    >>> sum(p.size for p in jax.tree.leaves(variables["params"]))
    1972792
    """

    channels: tuple[int, ...] = (64, 256, 256)
    num_classes: int = 10
    scale: float = 1 / 9
    momentum: float = 0.6

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to logits (B, num_classes)."""
        check_pictures(self, x)
        x = ConvBlock(8 * x.shape[-1], (2, 2), padding="valid", activation="gelu", name="whiten")(x)
        for n, features in enumerate(self.channels, start=1):
            for m, pool in ((1, (2, 2)), (2, None)):
                block = ConvBlock(
                    features,
                    activation="linear",
                    use_bias=False,
                    pool=pool,
                    kernel_init=start_from_identity,
                    name=f"conv{n}_{m}",
                )
                x = nn.gelu(BatchNorm(not train, momentum=self.momentum, name=f"norm{n}_{m}")(block(x)))
        head = nn.Dense(self.num_classes, use_bias=False, kernel_init=UNIFORM, name="head")
        return self.scale * head(x.max(axis=(1, 2)))
