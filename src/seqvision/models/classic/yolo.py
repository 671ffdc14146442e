"""Networks that look once: an image in, for every cell of a grid some boxes and class scores out."""

import flax.linen as nn
import jax
from jax import Array

from seqvision.conv import max_pool
from seqvision.models.blocks.convolution import ConvBlock
from seqvision.models.initializers import HE
from seqvision.models.input_checks import check_pictures

# (channels, kernel size, stride) of each convolution, "pool" for a max pool of 2 x 2 (figure 3 of the paper).
_LAYERS: tuple[tuple[int, int, int] | str, ...] = (
    (64, 7, 2),
    "pool",
    (192, 3, 1),
    "pool",
    *((128, 1, 1), (256, 3, 1), (256, 1, 1), (512, 3, 1)),
    "pool",
    *((256, 1, 1), (512, 3, 1)) * 4,
    *((512, 1, 1), (1024, 3, 1)),
    "pool",
    *((512, 1, 1), (1024, 3, 1)) * 2,
    *((1024, 3, 1), (1024, 3, 2)),
    *((1024, 3, 1), (1024, 3, 1)),
)


def leaky(x: Array) -> Array:
    """Leaky ReLU with the slope .1 of the YOLO papers.

    >>> import jax.numpy as jnp
    >>> leaky(jnp.array([-1.0, 2.0])).tolist()
    [-0.1..., 2.0]
    """
    return jax.nn.leaky_relu(x, 0.1)


class YOLOv1(nn.Module):
    """YOLO's first version: 24 convolutions, two dense layers, a grid of predictions.

    On 448 x 448 x 3 the grid is 7 x 7 and there are 271,703,550 parameters; an image of (64 h, 64 w) gives (h, w)
    cells. What the outputs mean is said in `seqvision.models.boxes`.

    Args:
      num_classes: classes C.
      boxes: boxes a cell, B.
      dense: units of the first dense layer.
      dropout: rate after it.

    Source: Redmon, Divvala, Girshick, Farhadi, You Only Look Once, arXiv:1506.02640.

    >>> import jax.numpy as jnp
    >>> shapes = jax.eval_shape(YOLOv1().init, jax.random.key(0), jnp.ones((1, 448, 448, 3)))
    >>> sum(p.size for p in jax.tree.leaves(shapes))
    271703550
    """

    num_classes: int = 20
    boxes: int = 2
    dense: int = 4096
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, 64 h, 64 w, C) to predictions (B, h, w, 5 * boxes + num_classes)."""
        check_pictures(self, x)
        if any(size % 64 or size < 64 for size in x.shape[1:3]):
            raise ValueError(
                f"YOLOv1: the sides of the images must be multiples of 64 pixels, got {x.shape}: resize them"
            )
        count = 0
        for layer in _LAYERS:
            if isinstance(layer, str):
                x = max_pool(x, (2, 2))
                continue
            features, size, stride = layer
            count += 1
            block = ConvBlock(
                features, (size, size), stride, size // 2, activation=leaky, kernel_init=HE, name=f"conv{count}"
            )
            x = block(x)
        rows, columns = x.shape[1:3]
        x = leaky(nn.Dense(self.dense, kernel_init=HE, name="dense")(x.reshape(x.shape[0], -1)))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        depth = 5 * self.boxes + self.num_classes
        return nn.Dense(rows * columns * depth, name="head")(x).reshape(-1, rows, columns, depth)


class GridDetector(nn.Module):
    """A small detector of the same kind without dense layers: convolutions that halve the image, then 1x1 to the grid.

    An image of (H, W) gives H / 2**len(channels) x W / 2**len(channels) cells. A cell sees only its neighborhood,
    so that objects should not be much larger than three cells.

    Args:
      channels: of the convolutions of stride 2, each with batch norm.
      context: channels of a further 3x3 convolution on the grid.
      num_classes: classes C.
      boxes: boxes a cell.

    >>> import jax.numpy as jnp
    >>> model = GridDetector((8, 8), num_classes=3)
    >>> model.init_with_output(jax.random.key(0), jnp.ones((2, 16, 16, 1)))[0].shape
    (2, 4, 4, 13)
    """

    channels: tuple[int, ...] = (16, 32, 64)
    context: int = 64
    num_classes: int = 10
    boxes: int = 2

    @nn.compact
    def __call__(self, x: Array, *, train: bool = False) -> Array:
        """Map images x (B, H, W, C) to predictions (B, h, w, 5 * boxes + num_classes)."""
        check_pictures(self, x)
        cell = 2 ** len(self.channels)
        if any(size % cell for size in x.shape[1:3]):
            raise ValueError(
                f"GridDetector: the sides of the images must be multiples of {cell}, got {x.shape}: pad them"
            )
        for features in self.channels:
            block = ConvBlock(features, stride=2, activation=leaky, batch_norm=True, momentum=0.9, kernel_init=HE)
            x = block(x, train=train)
        x = ConvBlock(self.context, activation=leaky, batch_norm=True, momentum=0.9, kernel_init=HE, name="context")(
            x, train=train
        )
        depth = 5 * self.boxes + self.num_classes
        return ConvBlock(depth, (1, 1), activation="linear", name="head")(x)
