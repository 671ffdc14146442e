"""A trained model's outputs on many rows."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .run import check_positive
from .state import TrainState
from .step import forward


def predict(state: TrainState, data: Any, *, batch_size: int = 1024) -> np.ndarray:
    """Return the model's outputs at inference (N, ...), rows in order.

    Args:
      state: what `fit` returns.
      data: a data set with ``gather`` (`Windows`, `Arrays`), or an array of inputs (N, ...).
      batch_size: rows at once.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> predict(state, np.ones((10, 3), np.float32), batch_size=4).shape
    (10, 2)
    """
    check_positive("batch_size", batch_size)
    if not hasattr(data, "gather"):
        data = jnp.asarray(data)
    size = min(batch_size, len(data))
    parts = [_outputs(state, data, start, size) for start in range(0, len(data), max(size, 1))]
    if not parts:
        raise ValueError("predict: data has no rows")
    rest = len(data) % size
    if rest:
        parts[-1] = parts[-1][size - rest :]
    return np.concatenate([np.asarray(part) for part in parts])


@partial(jax.jit, static_argnums=3)
def _outputs(state, data, start, size):
    """Run rows start..start+size; the last block ends at the end of the data, overlapping the one before."""
    rows = jnp.minimum(start, len(data) - size) + jnp.arange(size)
    return forward(state, data.gather(rows).x if hasattr(data, "gather") else data[rows])
