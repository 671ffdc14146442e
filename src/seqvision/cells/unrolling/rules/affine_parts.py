"""The products of many steps at once: x W_x + h W_h + b taken apart, and its gradients."""

from collections.abc import Callable, Sequence
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from ...affine import affine, check_features


def pre_activation(
    w_x: Array, w_h: Array, b: Array, *, join: bool = False, dtype: DTypeLike | None = None
) -> tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]:
    """Split x W_x + h W_h + b into what depends on the input alone and one product for each step.

    Args:
      w_x: (D, K).
      w_h: (H, K).
      b: (K,).
      join: False: the input's share is taken out of the loop, as one product over all steps. True: x and h go side by
        side through one product in the loop, so that nothing of the size (T, ..., K) is written before it.
      dtype: what the operands of the products are rounded to; None leaves them.

    Returns:
      ``share`` from x (..., D) to what a step takes of it, and ``product(share(x), h)`` (..., K).
    """
    if not join:
        return lambda x: affine(x, w_x, b, dtype), lambda a, h: a + affine(h, w_h, None, dtype)

    def share(x):
        check_features(x, w_x)
        return x

    if w_x.shape[0] == 1:
        return share, lambda x, h: affine(x, w_x, b, dtype) + affine(h, w_h, None, dtype)
    w = jnp.concatenate([w_x, w_h])  # here, once for all steps
    return share, lambda x, h: affine(jnp.concatenate([x, h], axis=-1), w, b, dtype)


def apart(hidden: int) -> bool:
    """Whether each gate's gradients are kept as an array of their own: on CPU measured to be faster from 128 units on.

    The product in the loop takes them side by side either way; what is spared is to store them side by side, and
    products over all steps read them in less time.
    """
    return jax.default_backend() == "cpu" and hidden >= 128


def weight_gradients(
    x: Array, h: Array, blocks: Sequence[Array], dtype: DTypeLike | None = None
) -> tuple[Array, Array, Array]:
    """Return the gradients of w_x (D, K), w_h (H, K) and b (K,) from those of x W_x + h W_h + b, blocks of columns.

    They are one product a block, [x, 1, h]^T d: the d (..., K') are the largest arrays of a backward pass, and each is
    read once.
    """
    D = x.shape[-1]
    rows = jnp.concatenate([x, jnp.ones_like(x, shape=(*x.shape[:-1], 1)), h], axis=-1)
    w = jnp.concatenate([_sum_of_products(rows, d, dtype) for d in blocks], axis=-1)
    return w[:D], w[D + 1 :], w[D]


def _sum_of_products(a, b, dtype):
    """Return a^T b, of a (..., M) and b (..., K), summed over all the axes before."""
    if a.ndim == 2:
        return affine(a.T, b, None, dtype)
    wide = jnp.result_type(a, b)
    a, b = (part if dtype is None else part.astype(dtype) for part in (a, b))
    axes = tuple(range(a.ndim - 1))
    return jax.lax.dot_general(a, b, ((axes, axes), ((), ())), preferred_element_type=wide)


def input_gradient(blocks: Sequence[Array], w_x: Array, dtype: DTypeLike | None = None) -> Array:
    """Return the gradient of x (..., D) from those of x W_x, blocks of columns (..., K')."""
    ends = np.cumsum([d.shape[-1] for d in blocks])
    weights = jnp.split(w_x, ends[:-1], axis=-1)
    return reduce(jnp.add, (affine(d, w.T, None, dtype) for d, w in zip(blocks, weights, strict=True)))
