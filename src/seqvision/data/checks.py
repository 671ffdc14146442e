"""Checks of what a user hands in, and its conversion to arrays that a device computes with."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

_CHUNK = 1 << 18  # elements looked at at once, so that a check of a large array needs little memory


def as_features(name: str, values) -> Array:
    """Convert inputs to finite numbers on the device.

    float64 becomes float32 (float64 under x64), and so do the integers of a series where that is exact; other integers
    (ids) become int32.
    """
    if isinstance(values, jax.core.Tracer):
        return values
    array = _numeric(name, values)
    if array.dtype.kind in "iu" and array.dtype.itemsize < 4:
        raise TypeError(
            f"{name} is {array.dtype}, whose arithmetic overflows: divide images by 255, or cast ids to int32"
        )
    return _to_device(name, array, integers_to_float=name == "series")


def as_labels(name: str, values) -> Array:
    """Convert targets: integers to int32, floats to float32 (64 bits under x64)."""
    if isinstance(values, jax.core.Tracer):
        return values
    return _to_device(name, _numeric(name, values), integers_to_float=False)


def check_count(name: str, value) -> int:
    """Return `value` as an int if it is a whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, but is {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, but is {value}")
    return int(value)


def check_finite(name: str, array) -> None:
    """Raise a ValueError that names row and column of the first NaN or infinity in a float array."""
    rows = max(1, _CHUNK // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, array.shape[0], rows):
        good = np.isfinite(np.asarray(array[start : start + rows]))
        if not good.all():
            where = np.argwhere(~good)[0]
            where[0] += start
            kind = "NaN" if np.isnan(float(array[tuple(where)])) else "infinite"
            raise ValueError(f"{name} is {kind} at {_place(where)}: fill or drop blanks before, or read with blanks=…")


def _numeric(name: str, values):
    array = values if isinstance(values, (np.ndarray, Array)) else np.asarray(values)
    if array.dtype.kind not in "fiub" and not jnp.issubdtype(array.dtype, jnp.floating):
        raise TypeError(f"{name} must hold real numbers, but its dtype is {array.dtype}")
    return array


def _to_device(name: str, array, integers_to_float: bool) -> Array:
    kind = array.dtype.kind
    if kind in "iub" and integers_to_float:
        dtype = jnp.result_type(float)
        _check_bound(name, array, 2**53 if dtype == jnp.float64 else 2**24, f"{dtype} cannot hold exactly")
    elif kind in "iu":
        dtype = jnp.result_type(int)
        _check_bound(name, array, int(np.iinfo(dtype).max), f"does not fit in {dtype}")
    elif kind == "b":
        dtype = array.dtype
    else:
        dtype = jnp.result_type(float) if array.dtype == np.float64 else array.dtype
        check_finite(name, array)
    if isinstance(array, Array):
        return array.astype(dtype)
    converted = _copy(array, dtype)
    if array.dtype != dtype and kind == "f":
        check_finite(f"{name}, as {dtype},", converted)
    return jax.device_put(converted)


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


def _check_bound(name: str, array, bound: int, problem: str) -> None:
    if array.size == 0 or array.dtype.kind == "b":
        return
    for pick in (np.argmax, np.argmin):
        where = np.unravel_index(int(pick(array)), array.shape)
        value = int(array[where])
        if abs(value) > bound:
            raise ValueError(f"{name} is {value} at {_place(where)}, which {problem}: scale it or give floats")


def _place(where) -> str:
    names = ("row", "column") if len(where) <= 2 else ("row", *("index" for _ in where[1:]))
    return ", ".join(f"{name} {int(k)}" for name, k in zip(names, where, strict=False))
