"""Gradients of a batch: at once, or over smaller parts of it one after another; in single or mixed precision."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

Parts = Callable[[Any, Array], Any]  # (part of a batch, key) -> pytree of means over the part's examples


def over_parts(gradients: Parts, batch: Any, key: Array, micro_batch: int | None) -> Any:
    """Return the mean over a batch's examples of what ``gradients`` returns, computed part by part.

    The parts are as equal as can be, and weigh by their examples, so that a smaller last part, or batch, counts no
    more than it has.

    Args:
      gradients: (part, key) -> pytree of float arrays, each a mean over the part.
      batch: pytree of arrays (B, ...).
      key: of the batch; each part has its own.
      micro_batch: examples at once at most; None takes the batch as one part.
    """
    examples = jax.tree.leaves(batch)[0].shape[0]
    if micro_batch is None or examples <= micro_batch:
        return gradients(batch, key)
    size = -(-examples // -(-examples // micro_batch))
    full, rest = divmod(examples, size)
    parts = jax.tree.map(lambda a: a[: full * size].reshape(full, size, *a.shape[1:]), batch)
    last = jax.tree.map(lambda a: a[full * size :], batch)

    def add(total: Any, part: Any, number: Any, count: int) -> Any:
        values = gradients(part, jax.random.fold_in(key, number))
        return jax.tree.map(lambda t, v: t + v * jnp.asarray(count / examples, v.dtype), total, values)

    shapes = jax.eval_shape(gradients, jax.tree.map(lambda a: a[0], parts), key)
    total = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    total, _ = jax.lax.scan(lambda t, part: (add(t, part[0], part[1], size), None), total, (parts, jnp.arange(full)))
    return add(total, last, full, rest) if rest else total


def check_micro_batch(micro_batch: int | None) -> None:
    """Refuse what is neither None nor a whole number of at least 1."""
    if micro_batch is not None and (
        isinstance(micro_batch, bool) or not isinstance(micro_batch, int) or micro_batch < 1
    ):
        raise ValueError(f"micro_batch must be an int >= 1 or None, got {micro_batch!r}")


def compute_type(name: str | None) -> Any:
    """Return the type to compute in, None for that of the parameters.

    >>> compute_type("bfloat16")
    dtype(bfloat16)
    """
    if name is None:
        return None
    if name not in ("bfloat16", "float32"):
        raise ValueError(
            f'compute_dtype must be "bfloat16", "float32" or None, got {name!r}; float16 would need its loss scaled'
        )
    return jnp.dtype(name)


def cast_floats(tree: Any, dtype: Any) -> Any:
    """Return a tree whose float arrays have another type; None leaves all as they are."""
    if dtype is None:
        return tree
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, tree)


def cast_like(tree: Any, like: Any) -> Any:
    """Return a tree whose arrays have the types of another's."""
    return jax.tree.map(lambda a, b: a.astype(b.dtype), tree, like)
