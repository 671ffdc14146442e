"""Numbers that a user hands in: finite, within 32 bits, and converted to arrays that a device computes with."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from seqvision._arrays import check_unmasked, own_parts
from seqvision._checks import check_count

Rows = Sequence[int] | np.ndarray  # numbers of rows

_CHUNK = 1 << 18  # elements looked at at once, so that a check of a large array needs little memory


def to_device(name: str, values, *, integers_to_float: bool = False, small_integers: bool = True):
    """Convert an array of a user's to finite numbers on the device.

    float64 becomes float32 and int64 int32, unless x64 is enabled. What a trace passes in goes through unchecked.

    Args:
      name: what to call it in errors.
      values: (N, ...) numbers.
      integers_to_float: make integers float32 (float64 under x64) if it holds them exactly.
      small_integers: accept integers of fewer than 32 bits, and widen them.

    Returns:
      A jax array of the same shape.

    Raises:
      ValueError: naming row and column of a value that is not finite or does not fit.
      TypeError: if the values are not real numbers, or small integers are not accepted.
    """
    if isinstance(values, jax.core.Tracer):
        return values
    check_unmasked(name, values)
    array = values if isinstance(values, (np.ndarray, Array)) else np.asarray(values)
    dtype = device_dtype(name, array.dtype, integers_to_float=integers_to_float, small_integers=small_integers)
    if isinstance(array, Array):
        _check_values(name, array, dtype)
        return array.astype(dtype)
    return jax.device_put(converted(name, array, dtype))


def stack_lists(name: str, tree: Any) -> Any:
    """Turn every list of a tree into one array: a list holds examples, several inputs are a tuple or a dict.

    Raises:
      ValueError: for entries of different shapes, or none, and masked arrays.

    >>> stack_lists("x", {"image": [np.zeros((8, 8)), np.zeros((8, 8))]})["image"].shape
    (2, 8, 8)
    """

    def stacked(path: Any, leaf: Any) -> Any:
        label = name + jax.tree_util.keystr(path)
        check_unmasked(label, leaf)
        if not isinstance(leaf, list):
            return leaf
        if not leaf:
            raise ValueError(f"{label} is an empty list: give at least one example")
        if any(isinstance(part, Array) for part in leaf):
            shapes = [jnp.shape(part) for part in leaf]
            _check_equal(label, shapes)
            return jnp.stack(leaf)
        if all(np.isscalar(part) for part in leaf):
            return np.array(leaf)
        parts = [np.asarray(stack_lists(f"{label}[{row}]", part)) for row, part in enumerate(leaf)]
        _check_equal(label, [part.shape for part in parts])
        return np.stack(parts)

    return jax.tree_util.tree_map_with_path(stacked, tree, is_leaf=lambda part: isinstance(part, list))


def device_dtype(name: str, dtype: Any, *, integers_to_float: bool = False, small_integers: bool = True) -> Any:
    """Return the type that numbers of another type get on the device; see `to_device`."""
    kind = number_kind(dtype)
    if kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, but its dtype is {dtype}")
    if kind in "iu" and dtype.itemsize < 4 and not small_integers:
        raise TypeError(
            f"{name} is {dtype}, whose arithmetic overflows: divide images by 255, or cast ids to int32 "
            "and a mask to bool"
        )
    if kind == "f":
        return jnp.result_type(float) if dtype == np.float64 else dtype
    if integers_to_float:
        return jnp.result_type(float)
    return jnp.result_type(int) if kind in "iu" else dtype


def converted(name: str, array: np.ndarray, dtype: Any, rows: Rows | None = None) -> np.ndarray:
    """Check and copy numbers to another type, in memory of our own.

    Args:
      name: what to call them in errors.
      array: (N, ...).
      dtype: what `device_dtype` gave.
      rows: (N,) numbers of the rows, for errors.
    """
    _check_values(name, array, dtype, rows)
    copied = _copy(array, dtype)
    if array.dtype != dtype and number_kind(array.dtype) == "f":
        check_finite(f"{name}, as {dtype},", copied, rows)
    return copied


def check_seed(seed) -> int:
    """Return `seed` as an int if it is in [0, 2^32), where seeds give different keys."""
    number = check_count("seed", seed, least=0)
    if number >= 2**32:
        raise ValueError(f"seed must be an int < 2**32, got {seed}")
    return number


def check_finite(name: str, array, rows: Rows | None = None) -> None:
    """Raise a ValueError that names row and column of the first NaN or infinity in a float array."""
    some = max(1, _CHUNK // max(1, int(np.prod(array.shape[1:]))))
    for begin, part in own_parts(array):
        for start in range(0, part.shape[0], some):
            block = np.asarray(part[start : start + some])
            good = np.isfinite(block)
            if not good.all():
                where = np.argwhere(~good)[0]
                kind = "NaN" if np.isnan(float(block[tuple(where)])) else "infinite"
                where += [begin[0] + start, *begin[1:]]
                raise ValueError(
                    f"{name} is {kind} at {_place(where, rows)}: fill or drop blanks before, or read with blanks=…"
                )


def _check_equal(name: str, shapes: list[tuple[int, ...]]) -> None:
    """Refuse entries of different shapes, naming the first two."""
    for row, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{name} is a list, whose entries need one shape, but entry 0 is {shapes[0]} and entry {row} is "
                f"{shape}: pad or resize them; several inputs are a tuple or a dict"
            )


def _copy(array: np.ndarray, dtype) -> np.ndarray:
    """Copy to memory of our own, since device_put may take it over or read it later.

    Aligned as XLA wants it, so that on CPU it does take it over and a large data set is not held twice.
    """
    size = array.size * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copied = memory[start : start + size].view(dtype).reshape(array.shape)
    with np.errstate(over="ignore"):
        copied[...] = array
    return copied


def _check_values(name: str, array, dtype, rows: Rows | None = None) -> None:
    if number_kind(array.dtype) == "f":
        check_finite(name, array, rows)
    elif number_kind(array.dtype) in "iu" and array.size:
        if number_kind(dtype) == "f":
            most, problem = 2**53 if dtype == jnp.float64 else 2**24, f"{dtype} cannot hold exactly"
            least = -most
        else:
            least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
            problem = f"does not fit in {dtype}"
        for pick in (np.argmax, np.argmin):
            where = np.unravel_index(int(pick(array)), array.shape)
            value = int(array[where])
            if not least <= value <= most:
                raise ValueError(
                    f"{name} is {value} at {_place(where, rows)}, which {problem}: scale it or give floats"
                )


def number_kind(dtype: Any) -> str:
    """Return NumPy's letter of a kind of numbers, "f" for bfloat16 too."""
    return "f" if jnp.issubdtype(dtype, jnp.floating) else np.dtype(dtype).kind


def _place(where, rows: Rows | None = None) -> str:
    row, *rest = (int(k) for k in where)
    row = row if rows is None else int(rows[row])
    if not rest:
        return f"row {row}"
    return f"row {row}, column {rest[0]}" if len(rest) == 1 else f"row {row}, position {tuple(rest)}"
