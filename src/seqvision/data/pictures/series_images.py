"""Windows of a series drawn as images: price bars as in a chart, and Gramian angular fields."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision._checks import check_choice, check_count

Images = NDArray[np.float32]


def gramian_angular_field(windows: ArrayLike, kind: Literal["summation", "difference"] = "summation") -> Images:
    """Draw each window as the matrix of its pairs of steps.

    A window is scaled to [-1, 1] by its own least and largest value, x_t = cos(phi_t), and pixel (s, t) is
    cos(phi_s + phi_t) for the summation field, sin(phi_s - phi_t) for the difference field. Wang and Oates, "Imaging
    time-series to improve classification and imputation", IJCAI 2015.

    Args:
      windows: (..., T), T >= 2. A window that is constant counts as 0 everywhere.
      kind: "summation", symmetric, or "difference", antisymmetric.

    Returns:
      (..., T, T, 1) in [-1, 1].

    Raises:
      ValueError: if a value is not finite or the kind is unknown.

    >>> gramian_angular_field([0.0, 1.0, 2.0])[..., 0].astype(int)
    array([[ 1,  0, -1],
           [ 0, -1,  0],
           [-1,  0,  1]])
    """
    check_choice("kind", kind, ("summation", "difference"))
    y = _windows("windows", windows)
    low, high = y.min(axis=-1, keepdims=True), y.max(axis=-1, keepdims=True)
    span = high - low
    x = np.where(span > 0, (2 * y - high - low) / np.where(span > 0, span, 1.0), 0.0).clip(-1.0, 1.0)
    sine = np.sqrt(1.0 - x**2)  # phi is in [0, pi]
    rows, columns = x[..., :, None], x[..., None, :]
    sine_rows, sine_columns = sine[..., :, None], sine[..., None, :]
    if kind == "summation":
        field = rows * columns - sine_rows * sine_columns
    else:
        field = sine_rows * columns - rows * sine_columns
    return field[..., None].astype(np.float32)


def bar_chart_images(
    opening: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    *,
    height: int = 60,
    volume: ArrayLike | None = None,
) -> Images:
    """Draw each window of prices as a chart of bars, black and white, three columns of pixels a step.

    The middle column holds a line from the highest to the lowest price, the left one a mark at the opening, the right
    one a mark at the close. Each window is scaled by its own prices, the largest in the top row and the least in the
    bottom row; volumes, if given, fill the lowest fifth of the image below a blank row, scaled by their largest. Jiang,
    Kelly, Xiu, "(Re-)Imag(in)ing price trends", Journal of Finance 78 (2023), without their moving average.

    Args:
      opening, high, low, close: (..., T) prices, high >= low.
      height: rows of pixels, at least 5.
      volume: (..., T), >= 0.

    Returns:
      (..., height, 3 T, 1), 1 where something is drawn, else 0.

    Raises:
      ValueError: if shapes differ, a value is not finite, a high is below its low or a volume below 0.

    >>> bars = bar_chart_images([1.0, 5.0], [5.0, 5.0], [1.0, 4.0], [3.0, 4.0], height=5)[..., 0]
    >>> for row in bars.astype(int): print(*row)
    0 1 0 1 1 0
    0 1 0 0 1 1
    0 1 1 0 0 0
    0 1 0 0 0 0
    1 1 0 0 0 0
    """
    prices = {"opening": opening, "high": high, "low": low, "close": close}
    o, h, lo, c = (_windows(name, values) for name, values in prices.items())
    if not o.shape == h.shape == lo.shape == c.shape:
        raise ValueError(f"opening, high, low and close differ in shape: {o.shape}, {h.shape}, {lo.shape}, {c.shape}")
    if (h < lo).any():
        place = tuple(int(i) for i in np.argwhere(h < lo)[0])
        raise ValueError(f"high is below low at {place}: {h[place]} < {lo[place]}; are the columns in order?")
    height = check_count("height", height, least=5)
    below = 0 if volume is None else height // 5 + 1  # rows of volumes and the blank row above them
    rows = height - below
    top, bottom = (f(f([o, h, lo, c], axis=0), axis=-1, keepdims=True) for f in (np.max, np.min))
    images = np.zeros((*o.shape[:-1], height, 3 * o.shape[-1]), np.float32)
    line = np.arange(rows)[:, None]

    def row_of(price: NDArray) -> NDArray:
        span = np.where(top > bottom, top - bottom, 1.0)
        place = np.where(top > bottom, (top - price) / span, 0.5) * (rows - 1)
        return np.floor(place + 0.5).astype(int)[..., None, :]

    chart = images[..., :rows, :]
    chart[..., 0::3] = line == row_of(o)
    chart[..., 1::3] = (line >= row_of(h)) & (line <= row_of(lo))
    chart[..., 2::3] = line == row_of(c)
    if volume is not None:
        images[..., rows + 1 :, 1::3] = _volume_bars(_windows("volume", volume), o.shape, below - 1)
    return images[..., None]


def _volume_bars(volume: NDArray, shape: tuple[int, ...], rows: int) -> NDArray:
    if volume.shape != shape or volume.min() < 0:
        raise ValueError(f"volume must be >= 0 and of shape {shape}, got shape {volume.shape}, least {volume.min()}")
    most = volume.max(axis=-1, keepdims=True)
    filled = np.floor(rows * volume / np.where(most > 0, most, 1.0) + 0.5).astype(int)
    return np.arange(rows)[:, None] >= rows - filled[..., None, :]


def _windows(name: str, values: ArrayLike) -> NDArray[np.float64]:
    y = np.asarray(values, np.float64)
    if y.ndim < 1 or y.shape[-1] < 2:
        raise ValueError(f"{name} must be (..., T) with T >= 2 steps, got shape {y.shape}")
    if not np.isfinite(y).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
        raise ValueError(f"{name} is {y[place]} at {place}: repair or drop these rows first")
    return y
