"""A trained model's outputs on many rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import lru_cache, partial
from types import MethodType
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
from .state import Static, TrainState, call_model

View = Callable[[Array], Array]
FEW = 16  # rows at once where there are few, so that one program serves any number of them


def predict(
    state: TrainState, data: Any, *, batch_size: int = 1024, views: Sequence[View] = (), compilation_cache: bool = True
) -> np.ndarray:
    """Return the model's outputs at inference (N, ...), rows in order.

    Args:
      state: what `fit` returns.
      data: a data set with ``gather`` (`Windows`, `Arrays`), a `Stream`, or inputs (N, ...): an array, a pair
        (x, mask), or a dict of "x" and "mask".
      batch_size: rows at once; 16 where there are at most half as many. The last ones are filled up, so that other
        numbers of rows need no other program.
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
    size = batch_size if rows > batch_size // 2 else min(batch_size, FEW)
    state, data = on_mesh((state, data), place)
    take = _take_on_host if place is None and not is_data_set(data) else partial(_take_on_device, cache, place)
    program = _program(*_by_value(state.apply_fn), tuple(views), place)
    parts = []
    with around(place):
        for start in range(0, rows, size):
            x = take(data, rows, start, size)
            parts.append(program.call(partial(_compiling, state, x, cache), _variables(state), x))
    return np.concatenate([_fetched(part) for part in parts])[:rows]


def _take_on_host(data: Any, rows: int, start: int, size: int) -> Any:
    """Return so many rows of arrays, the last one again where there are no more."""
    at = np.minimum(np.arange(start, start + size), rows - 1)
    return jax.tree.map(lambda part: np.asarray(part)[at], data)


def _take_on_device(
    cache: Callable[[], AbstractContextManager],
    place: NamedSharding | None,
    data: Any,
    rows: int,
    start: int,
    size: int,
) -> Any:
    """Return so many inputs of a data set, or of arrays that lie over several devices."""
    return _taking(size, rows, place).call(cache, data, np.int32(start))


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
    parts, program = [], _program(*_by_value(state.apply_fn), views, None)
    with closing(data.read(None, data.own_batch_size or batch_size)) as batches:
        for _, batch in batches:
            compiling = partial(_compiling, state, batch.x, cache)
            parts.append(np.asarray(program.call(compiling, _variables(state), batch.x)))
    return np.concatenate(parts)


def _by_value(apply: Callable) -> tuple[Static | None, Callable]:
    """Take a method apart, so that those of equal models are equal."""
    method: Any = apply
    return (Static(method.__self__), method.__func__) if hasattr(method, "__func__") else (None, apply)


@lru_cache(maxsize=64)
def _program(
    static: Static | None, function: Callable, views: tuple[View, ...], place: NamedSharding | None
) -> Program:
    apply = function if static is None else MethodType(function, static.model)
    return Program(lambda variables, x: _seen(apply, variables, lay_batch(x, place), views))


@lru_cache(maxsize=64)
def _taking(size: int, rows: int, place: NamedSharding | None) -> Program:
    def take(data: Any, start: Array) -> Any:
        return lay_batch(_gather(data, jnp.minimum(start + jnp.arange(size), rows - 1)), place)

    return Program(take)


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


def _as_input(part: Any) -> Any:
    part = part if isinstance(part, Array) else as_array("predict: data", part)
    if not any(jnp.issubdtype(part.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
        raise TypeError(f"predict: data must hold real numbers, but its dtype is {part.dtype}: convert it to float32")
    if not isinstance(part, Array):  # jnp.asarray would compile a program for each number of rows
        part = np.asarray(part, jax.dtypes.canonicalize_dtype(part.dtype))
    if part.dtype in (jnp.uint8, jnp.int8, jnp.uint16, jnp.int16):
        raise TypeError(
            f"predict: data is {part.dtype}: scale images as the training images were, e.g. divide by 255; "
            "a mask is bool, mask.astype(bool)"
        )
    return part


@contextmanager
def _compiling(state: TrainState, x: Any, cache: Callable[[], AbstractContextManager]) -> Iterator[None]:
    """Refuse inputs without their batch axis before they are compiled for; then compile with the cache."""
    x = jax.tree.map(lambda part: jax.ShapeDtypeStruct(part.shape, part.dtype), x)
    if state.input_axes is not None:
        state.input_axes.check(x, "predict")
    check_inputs(state, x, "predict")
    with cache():
        yield
