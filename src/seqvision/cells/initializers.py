"""How recurrent weights start: Glorot input kernels, orthogonal recurrent blocks, one gate at a time."""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike


def input_kernel(key: Array, in_features: int, hidden: int, gates: int, dtype: DTypeLike = jnp.float32) -> Array:
    """Draw (D, gates * H) Glorot-uniform input weights, each gate's (D, H) block by itself.

    Glorot and Bengio 2010, with the fans of one gate; Keras takes those of all gates together.

    >>> input_kernel(jax.random.key(0), 3, 5, gates=4).shape
    (3, 20)
    """
    limit = math.sqrt(6 / (in_features + hidden))
    return jax.random.uniform(key, (in_features, gates * hidden), dtype, -limit, limit)


def recurrent_kernel(key: Array, hidden: int, gates: int, dtype: DTypeLike = jnp.float32) -> Array:
    """Draw (H, gates * H) recurrent weights, each gate's (H, H) block orthogonal (Saxe et al. 2013).

    >>> w = recurrent_kernel(jax.random.key(0), 5, gates=3)[:, 5:10]
    >>> bool(jnp.allclose(w.T @ w, jnp.eye(5), atol=1e-5))
    True
    """
    q, r = jnp.linalg.qr(jax.random.normal(key, (gates, hidden, hidden)))
    q = q * jnp.sign(jnp.diagonal(r, axis1=-2, axis2=-1))[:, None, :]  # makes the draw uniform over rotations
    return jnp.moveaxis(q, 0, 1).reshape(hidden, gates * hidden).astype(dtype)
