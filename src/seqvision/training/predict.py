"""A trained model's outputs on many rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import NamedSharding

from seqvision._arrays import as_array
from seqvision._checks import check_count, check_flag
from seqvision._compilation import Program, kept_on_disk
from seqvision.data import Stream

from .arguments import is_data_set
from .checks import check_inputs
from .placement import around, batch_sharding, lay_batch, on_mesh
from .state import TrainState, call_model

View = Callable[[Array], Array]


def predict(
    state: TrainState, data: Any, *, batch_size: int = 1024, views: Sequence[View] = (), compilation_cache: bool = True
) -> np.ndarray:
    """Return the model's outputs at inference (N, ...), rows in order.

    Args:
      state: what `fit` returns.
      data: a data set with ``gather`` (`Windows`, `Arrays`), a `Stream`, or inputs (N, ...): an array, a pair
        (x, mask), or a dict of "x" and "mask".
      batch_size: rows at once.
      views: test-time augmentation: functions from inputs (B, ...) to inputs, such as `as_it_is` and `mirrored`, over
        which the outputs are averaged; give the same function objects again to reuse the compiled program.
      compilation_cache: keep the compiled program on disk for the next process, as `fit` does.

    Raises:
      ValueError: for no rows, or inputs without their batch axis.
      TypeError: for an array of small integers, such as images that are not scaled yet.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(0), jnp.ones((1, 3)))
    >>> predict(state, np.ones((10, 3), np.float32), batch_size=4).shape
    (10, 2)
    """
    check_count("batch_size", batch_size)
    check_flag("compilation_cache", compilation_cache, owner="predict")
    cache = kept_on_disk if compilation_cache else nullcontext
    if isinstance(data, Stream):
        return _predict_stream(state, data, batch_size, tuple(views), cache)
    if not is_data_set(data):
        data = jax.tree.map(_as_input, data, is_leaf=lambda part: isinstance(part, list))
    rows, place = _rows(data), batch_sharding(data)
    size = min(batch_size, rows)
    state, data = on_mesh((state, data), place)
    program = _program(state.apply_fn, size, tuple(views), place)
    compiling = partial(_compiling, state, data, size, cache)
    with around(place):
        parts = [program.call(compiling, _variables(state), data, np.int32(start)) for start in range(0, rows, size)]
    fetched = [_fetched(part) for part in parts]
    rest = rows % size
    if rest:
        fetched[-1] = fetched[-1][size - rest :]
    return np.concatenate(fetched)


def _fetched(part: Array) -> np.ndarray:
    """Return an array of which other processes may have parts; every process gets the whole."""
    if part.is_fully_addressable or part.is_fully_replicated:
        return np.asarray(part)
    from jax.experimental.multihost_utils import process_allgather

    return np.asarray(process_allgather(part, tiled=True))


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
    parts, program = [], _stream_program(state.apply_fn, views)
    with closing(data.read(None, data.own_batch_size or batch_size)) as batches:
        for rows, batch in batches:
            compiling = partial(_compiling, state, batch.x, len(rows), cache)
            parts.append(np.asarray(program.call(compiling, _variables(state), batch.x)))
    return np.concatenate(parts)


@lru_cache(maxsize=64)
def _program(apply: Callable, size: int, views: tuple[View, ...], place: NamedSharding | None) -> Program:
    def run(variables: Any, data: Any, start: Array) -> Any:
        """Run rows start..start+size; the last block ends at the end of the data, overlapping the one before."""
        x = _gather(data, jnp.minimum(start, _rows(data) - size) + jnp.arange(size))
        return _seen(apply, variables, lay_batch(x, place), views)

    return Program(run)


@lru_cache(maxsize=64)
def _stream_program(apply: Callable, views: tuple[View, ...]) -> Program:
    return Program(lambda variables, x: _seen(apply, variables, x, views))


def _seen(apply: Callable, variables: Any, x: Any, views: tuple[View, ...]) -> Any:
    """Average the outputs over the views of inputs."""
    outputs = [call_model(apply, variables, view(x), train=False) for view in views or (as_it_is,)]
    return jax.tree.map(lambda *each: sum(each) / len(each), *outputs)


def _variables(state: TrainState) -> dict[str, Any]:
    return {"params": state.params} | ({"batch_stats": state.batch_stats} if state.batch_stats else {})


def _gather(data: Any, rows: Array) -> Any:
    return data.gather(rows).x if is_data_set(data) else jax.tree.map(lambda part: part[rows], data)


def _rows(data: Any) -> int:
    if is_data_set(data):
        sizes = {len(data)}
    else:
        sizes = {part.shape[0] if part.ndim else 0 for part in jax.tree.leaves(data)}
    if len(sizes) != 1 or 0 in sizes:
        wrong = "has no rows" if sizes <= {0} else f"has inputs of different numbers of rows, {sorted(sizes)}"
        raise ValueError(f"predict: data {wrong}: give inputs (N, ...)")
    return sizes.pop()


def _as_input(part: Any) -> Array:
    part = part if isinstance(part, Array) else as_array("predict: data", part)
    if not any(jnp.issubdtype(part.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
        raise TypeError(f"predict: data must hold real numbers, but its dtype is {part.dtype}: convert it to float32")
    part = jnp.asarray(part)
    if part.dtype in (jnp.uint8, jnp.int8, jnp.uint16, jnp.int16):
        raise TypeError(
            f"predict: data is {part.dtype}: scale images as the training images were, e.g. divide by 255; "
            "a mask is bool, mask.astype(bool)"
        )
    return part


@contextmanager
def _compiling(state: TrainState, data: Any, size: int, cache: Callable[[], AbstractContextManager]) -> Iterator[None]:
    """Refuse inputs without their batch axis before they are compiled for; then compile with the cache."""
    x = jax.eval_shape(lambda data: _gather(data, jnp.arange(size)), data)
    if state.input_axes is not None:
        state.input_axes.check(x, "predict")
    check_inputs(state, x, "predict")
    with cache():
        yield
