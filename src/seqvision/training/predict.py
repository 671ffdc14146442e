"""A trained model's outputs on many rows."""

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from seqvision._checks import check_count
from seqvision.data import Stream

from .compilation import kept_on_disk
from .state import TrainState
from .step import forward

View = Callable[[Array], Array]


def predict(
    state: TrainState, data: Any, *, batch_size: int = 1024, views: Sequence[View] = (), compilation_cache: bool = True
) -> np.ndarray:
    """Return the model's outputs at inference (N, ...), rows in order.

    Args:
      state: what `fit` returns.
      data: a data set with ``gather`` (`Windows`, `Arrays`), a `Stream`, or an array of inputs (N, ...).
      batch_size: rows at once.
      views: test-time augmentation: functions from inputs (B, ...) to inputs, such as `as_it_is` and `mirrored`, over
        which the outputs are averaged; give the same function objects again to reuse the compiled program.
      compilation_cache: keep the compiled program on disk for the next process, as `fit` does.

    Raises:
      TypeError: for an array of small integers, such as images that are not scaled yet.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> predict(state, np.ones((10, 3), np.float32), batch_size=4).shape
    (10, 2)
    """
    check_count("batch_size", batch_size)
    cache = kept_on_disk if compilation_cache else nullcontext
    if isinstance(data, Stream):
        return _predict_stream(state, data, batch_size, tuple(views), cache)
    if not hasattr(data, "gather"):
        data = jnp.asarray(data)
        if data.dtype in (jnp.uint8, jnp.int8, jnp.uint16, jnp.int16):
            raise TypeError(
                f"predict: data is {data.dtype}: scale images as the training images were, e.g. divide by 255"
            )
    size = min(batch_size, len(data))
    with cache():
        parts = [_outputs(state, data, start, size, tuple(views)) for start in range(0, len(data), max(size, 1))]
    if not parts:
        raise ValueError("predict: data has no rows")
    rest = len(data) % size
    if rest:
        parts[-1] = parts[-1][size - rest :]
    return np.concatenate([np.asarray(part) for part in parts])


def as_it_is(images: Array) -> Array:
    """Return images as they are: the first view of test-time augmentation."""
    return images


def mirrored(images: Array) -> Array:
    """Return images (B, H, W, C) with left and right swapped.

    >>> mirrored(jnp.array([[[[1.0], [2.0]]]])).ravel().tolist()
    [2.0, 1.0]
    """
    return jnp.flip(images, axis=2)


def _predict_stream(state, data, batch_size, views, cache):
    parts, sizes = [], set()
    with closing(data.read(None, data.own_batch_size or batch_size)) as batches:
        for rows, batch in batches:
            with nullcontext() if len(rows) in sizes else cache():  # the first of a size compiles
                parts.append(np.asarray(_seen(state, batch.x, views)))
            sizes.add(len(rows))
    return np.concatenate(parts)


@partial(jax.jit, static_argnums=(3, 4))
def _outputs(state, data, start, size, views):
    """Run rows start..start+size; the last block ends at the end of the data, overlapping the one before."""
    rows = jnp.minimum(start, len(data) - size) + jnp.arange(size)
    return _seen(state, data.gather(rows).x if hasattr(data, "gather") else data[rows], views)


@partial(jax.jit, static_argnums=2)
def _seen(state, x, views):
    """Average the outputs over the views of inputs."""
    outputs = [forward(state, view(x)) for view in views or (as_it_is,)]
    return jax.tree.map(lambda *each: sum(each) / len(each), *outputs)
