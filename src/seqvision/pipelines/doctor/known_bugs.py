"""Programs that versions of jax are known to compile wrong, small enough to be run at any time."""

import jax
import jax.numpy as jnp
import numpy as np

# The smallest numbers of rows that go wrong on CPU in jaxlib 0.10.2 (jax#39103), by type.
ROWS = {"float32": 32_769, "float64": 16_385}


def largest_error_of_squares(dtype: str) -> float:
    """Return the largest relative error of a vmapped product that is followed by a reduction.

    Row i is (i, 0, 0), whose squares add up to i^2. In jaxlib 0.10.2 the last row comes out .8 % too small.

    Args:
      dtype: "float32" or "float64".

    >>> largest_error_of_squares("float32") < 1e-6
    True
    """
    i = np.arange(ROWS[dtype], dtype=dtype)
    x = np.stack([i, np.zeros_like(i), np.zeros_like(i)], axis=1)
    with jax.enable_x64(dtype == "float64"), jax.default_matmul_precision("highest"):
        identity = jnp.eye(3, dtype=dtype)
        squares = jax.jit(lambda x: jax.vmap(lambda row: jnp.sum((identity @ row) ** 2))(x))(x)
    ours, right = np.asarray(squares)[1:].astype(np.float64), i[1:].astype(np.float64) ** 2
    return float(np.max(np.abs(ours / right - 1)))
