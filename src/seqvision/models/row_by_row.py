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
    def __call__(self, x: jax.Array, *, mask: jax.Array | None = None, train: bool = False) -> jax.Array:
        """Map images x (B, H, W, C), or (B, H, W), with a mask (B, H) of rows, to what the model makes of them."""
        if x.ndim not in (3, 4):
            raise ValueError(f"RowByRow: x must be (B, H, W, C), got {x.shape}: one image is x[None]")
        options = {} if mask is None else {"mask": mask}
        return self.model(x.reshape(*x.shape[:2], -1), train=train, **options)
