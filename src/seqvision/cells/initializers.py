"""How recurrent weights start: Glorot input kernels, orthogonal recurrent blocks, one gate at a time."""

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
    draw = jax.nn.initializers.glorot_uniform()
    return _by_gate(key, gates, lambda k: draw(k, (in_features, hidden), dtype))


def recurrent_kernel(key: Array, hidden: int, gates: int, dtype: DTypeLike = jnp.float32) -> Array:
    """Draw (H, gates * H) recurrent weights, each gate's (H, H) block orthogonal (Saxe et al. 2013).

    >>> w = recurrent_kernel(jax.random.key(0), 5, gates=3)[:, 5:10]
    >>> bool(jnp.allclose(w.T @ w, jnp.eye(5), atol=1e-5))
    True
    """
    draw = jax.nn.initializers.orthogonal()
    return _by_gate(key, gates, lambda k: draw(k, (hidden, hidden), jnp.float32)).astype(dtype)


def _by_gate(key: Array, gates: int, draw) -> Array:
    blocks = jax.vmap(draw)(jax.random.split(key, gates))  # (gates, rows, H)
    return jnp.moveaxis(blocks, 0, 1).reshape(blocks.shape[1], gates * blocks.shape[2])
