"""What every metric refuses: unequal shapes, empty arrays, values that are not finite numbers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return ``values`` as float64; refuse what is empty, not numeric or not finite.

    >>> as_numbers("truth", [1, 2])
    array([1., 2.])
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}: convert it to float first")
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}): there is nothing to score")
    array = array.astype(np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0]) if array.ndim else ()
        raise ValueError(
            f"{name} holds {int((~finite).sum())} values that are not finite, the first at {first}: "
            f"repair or drop these rows in truth and forecast alike"
        )
    return array


def as_pair(truth: ArrayLike, forecast: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float64 after checking that they have one shape: (B,) against (B, 1) is refused.

    >>> as_pair([1.0, 2.0], [[1.0], [2.0]])
    Traceback (most recent call last):
    ValueError: truth has shape (2,) but forecast (2, 1): give both one shape, nothing is broadcast
    """
    y, f = as_numbers("truth", truth), as_numbers("forecast", forecast)
    check_same_shape("truth", y.shape, "forecast", f.shape)
    return y, f


def check_same_shape(name: str, shape: tuple[int, ...], other_name: str, other: tuple[int, ...]) -> None:
    """Refuse two shapes that differ in any way."""
    if shape != other:
        raise ValueError(
            f"{name} has shape {shape} but {other_name} {other}: give both one shape, nothing is broadcast"
        )


def as_series(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return one series (N,) as float64, time first."""
    array = as_numbers(name, values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one series (N,), got shape {array.shape}: score one column at a time")
    return array


def check_positive(name: str, value: int) -> None:
    """Refuse anything but an int >= 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be an int >= 1, got {value!r}")
