"""What an array of numbers may be, said once, where nothing may be broadcast, dropped or filled in silence."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST = 1e60  # whose cube times itself is a number still: products and squares do not overflow


def as_array(name: str, values: Any) -> NDArray[Any]:
    """Return ``values`` as an array; refuse what is none, and masks, which would be lost.

    >>> as_array("truth", [[1, 2], [3]])
    Traceback (most recent call last):
    ValueError: truth is no array: ...
    """
    check_unmasked(name, values)
    try:
        return np.asarray(values)
    except Exception as error:
        raise ValueError(f"{name} is no array: its rows differ in length or kind ({error})") from None


def check_unmasked(name: str, values: Any) -> None:
    """Refuse a masked array of NumPy with anything masked, and lists that hold one.

    >>> check_unmasked("x", np.ma.masked_equal([1, -999], -999))
    Traceback (most recent call last):
    ValueError: x has a mask, which would be lost: fill it or drop these rows first
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        raise ValueError(f"{name} has a mask, which would be lost: fill it or drop these rows first")
    if isinstance(values, list | tuple):
        for part in values:
            if isinstance(part, list | tuple | np.ma.MaskedArray):
                check_unmasked(name, part)


def as_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return ``values`` as float64; refuse what is empty, not numeric, not finite or beyond 1e60.

    >>> as_numbers("truth", [1, 2])
    array([1., 2.])
    """
    array = as_array(name, values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}: convert it to float first")
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}): there is nothing to score")
    with np.errstate(over="ignore"):
        array = array.astype(np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0]) if array.ndim else ()
        raise ValueError(
            f"{name} holds {int((~finite).sum())} values that are not finite, the first at {first}: "
            f"repair or drop these rows in truth and forecast alike"
        )
    if np.abs(array).max() > _MOST:
        raise ValueError(f"{name} holds {np.abs(array).max():.3g}, beyond {_MOST:.0g}: use another unit")
    return array


def as_series(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return one series (N,) as float64, time first."""
    array = as_numbers(name, values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one series (N,), got shape {array.shape}: score one column at a time")
    return array


def check_times(times: ArrayLike, rows: int) -> NDArray[np.int64]:
    """Return when each row is, in steps of time (N,), N >= rows: whole numbers that never fall.

    >>> check_times([0, 2, 1], 2)
    Traceback (most recent call last):
    ValueError: times must be whole numbers (N,) that never fall, one for each of the 2 rows, got int64 of shape (3,)
    """
    array = np.asarray(times)
    if array.ndim != 1 or array.dtype.kind not in "iu" or len(array) < rows or (array[1:] < array[:-1]).any():
        raise ValueError(
            f"times must be whole numbers (N,) that never fall, one for each of the {rows} rows, "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int64)


def check_same_shape(name: str, shape: tuple[int, ...], other_name: str, other: tuple[int, ...]) -> None:
    """Refuse two shapes that differ in any way.

    >>> check_same_shape("truth", (2,), "forecast", (2, 1))
    Traceback (most recent call last):
    ValueError: truth has shape (2,) but forecast (2, 1): give both one shape, nothing is broadcast
    """
    if shape != other:
        raise ValueError(
            f"{name} has shape {shape} but {other_name} {other}: give both one shape, nothing is broadcast"
        )


def own_parts(array: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the parts of an array that this process holds, each with the place of its first entry.

    One of numpy, and of jax where no other process has a part, is whole.

    >>> [(begin, part.shape) for begin, part in own_parts(np.ones((3, 2)))]
    [((0, 0), (3, 2))]
    """
    if getattr(array, "is_fully_addressable", True):
        yield (0,) * array.ndim, array
        return
    for shard in array.addressable_shards:
        yield tuple(axis.start or 0 for axis in shard.index), shard.data
