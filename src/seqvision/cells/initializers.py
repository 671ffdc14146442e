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
    blocks = jax.lax.map(_rotation, jax.random.normal(key, (gates, hidden, hidden)))
    return jnp.moveaxis(blocks, 0, 1).reshape(hidden, gates * hidden).astype(dtype)


@jax.custom_batching.sequential_vmap
def _rotation(normal: Array) -> Array:
    """Turn a square matrix of normal numbers into a rotation, uniform over all of them.

    One matrix at a time, whatever loops and vmaps are around: LAPACK's QR of a batch waits, inside the few threads that
    XLA has on a CPU, for others of the same threads, and two of them at once on two cores wait for ever.
    """
    q, r = jnp.linalg.qr(normal)
    return q * jnp.sign(jnp.diagonal(r))[None, :]
