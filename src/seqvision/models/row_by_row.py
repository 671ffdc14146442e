"""Images for sequence models: one row of pixels a time step."""

import flax.linen as nn
import jax


class RowByRow(nn.Module):
    """Show a sequence model an image as the sequence of its rows.

    Args:
      model: any module that takes sequences (B, T, D) and ``train=``.

    >>> from seqvision.cells import GRU
    >>> from seqvision.models import Recurrent
    >>> y, _ = RowByRow(Recurrent((GRU(4),))).init_with_output(jax.random.key(0), jax.numpy.ones((2, 8, 8, 1)))
    >>> y.shape
    (2, 1, 1)
    """

    model: nn.Module

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Map images x (B, H, W, C) to what the model makes of (B, H, W C)."""
        return self.model(x.reshape(*x.shape[:2], -1), train=train)
