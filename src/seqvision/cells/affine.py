"""The products of a step: x W + b, and x W_x + h W_h + b as one."""

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike


def affine(x: Array, w: Array, b: Array | None = None, dtype: DTypeLike | None = None) -> Array:
    """Compute x W + b for x (..., D), w (D, K), b (K,); one feature is a product, not a matrix product.

    With a ``dtype`` the product's operands are rounded to it, and its sums are kept in the type of x and w.
    """
    check_features(x, w)
    if w.shape[0] == 1:
        a = x * rows(w[0], x.ndim)
    elif dtype is None:
        a = x @ w
    else:
        a = jnp.matmul(x.astype(dtype), w.astype(dtype), preferred_element_type=jnp.result_type(x, w))
    return a if b is None else a + rows(b, a.ndim)


def affine_pair(x: Array, w_x: Array, h: Array, w_h: Array, b: Array, dtype: DTypeLike | None = None) -> Array:
    """Compute x W_x + h W_h + b as one product of x (..., D) and h (..., H) side by side; one feature is by itself."""
    check_features(x, w_x)
    if w_x.shape[0] == 1:
        return affine(x, w_x, b, dtype) + affine(h, w_h, None, dtype)
    return affine(jnp.concatenate([x, h], axis=-1), jnp.concatenate([w_x, w_h]), b, dtype)


def check_features(x: Array, w: Array) -> None:
    """Refuse x (..., D) where w is not (D, K)."""
    if x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"x has {x.shape[-1]} features (shape {x.shape}), but the parameters were made for {w.shape[0]}: "
            f"init the cell with in_features={x.shape[-1]}, or pass x of shape (..., {w.shape[0]})"
        )


def rows(vector: Array, ndim: int) -> Array:
    """Return a vector (K,) as (1, ..., 1, K) of ``ndim`` axes: arrays of different ranks are never mixed silently."""
    return vector.reshape((1,) * (ndim - 1) + vector.shape)
