"""Synthetic series whose right answer is known."""

import numpy as np

from seqvision._checks import check_count
from seqvision.data.device_values import check_seed
from seqvision.data.series.series import Series


def sine(n: int = 200, *, noise: float = 0.1, frequency: float = 0.1, seed: int = 0) -> Series:
    """Make a noisy sine, sin(frequency t) + noise e_t with standard normal e_t.

    Without noise the next value is 2 cos(frequency) x_t - x_{t-1}: a linear model forecasts it exactly.

    Args:
      n: length.
      noise: standard deviation of the noise.
      frequency: radians a step.
      seed: of the noise.

    Returns:
      A series of one column "sine".

    >>> x = sine(3, noise=0.0).column("sine")
    >>> bool(np.isclose(x[2], 2 * np.cos(0.1) * x[1] - x[0]))
    True
    """
    return _series("sine", lambda t: np.sin(frequency * t), n, noise, seed)


def chirp(n: int = 400, *, frequency: float = 0.1, noise: float = 0.0, seed: int = 0) -> Series:
    """Make a sine that quickens, sin((frequency t)^2).

    Its frequency of frequency^2 t / pi cycles a step passes one half at t = pi / (2 frequency^2), 157 by default: from
    there on the samples alias, and the series seems to slow down.

    Args:
      n: length.
      frequency: as in the formula.
      noise: standard deviation of normal noise.
      seed: of the noise.

    Returns:
      A series of one column "chirp".

    >>> chirp(2).values.ravel().round(6).tolist()
    [0.0, 0.01]
    """
    return _series("chirp", lambda t: np.sin((frequency * t) ** 2), n, noise, seed)


def _series(name: str, clean, n: int, noise: float, seed: int) -> Series:
    values = clean(np.arange(check_count("n", n)))
    values = values + noise * np.random.default_rng(check_seed(seed)).standard_normal(n)
    return Series(values, (name,), target=name, name=name)
