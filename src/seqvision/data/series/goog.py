"""A real series that needs no download."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from seqvision.data.series.series import Series


def load_goog() -> Series:
    """Load the daily prices of one stock, Google, 2004-08-19 to 2008-10-14, from matplotlib's sample data.

    Returns:
      A series of 1047 rows with the columns "open", "high", "low", "close", "volume" and "adj_close"; the target is
      "close".

    >>> goog = load_goog()
    >>> len(goog), goog.target, goog.column("close")[:2].tolist()
    (1047, 'close', [100.34, 108.31])
    """
    package = find_spec("matplotlib")  # not imported, which would take longer than training on it
    assert package is not None
    assert package.origin is not None
    with np.load(Path(package.origin).parent / "mpl-data" / "sample_data" / "goog.npz", allow_pickle=False) as file:
        table = file["price_data"]
    columns = ("open", "high", "low", "close", "volume", "adj_close")
    values = np.stack([table[name].astype(np.float64) for name in columns], axis=1)
    return Series(values, columns, dates=table["date"], target="close", name="GOOG")
