"""Charts of a page: lines, points and bands as JSON that the page's own script draws."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqvision.scorecards import format_number

Floats = NDArray[np.float64]

MOST_NUMBERS = 30_000  # of one chart; what is longer is drawn in groups of rows


@dataclass(frozen=True, eq=False)
class Line:
    """A line or, with ``points``, marks."""

    name: str
    values: ArrayLike  # (N,); NaN is a gap
    color: int | str = 0  # a place in the palette, "truth" or "naive"
    dash: int = 0  # 0 is a full line
    shown: bool = True  # until the reader says otherwise
    anchor: bool = False  # the picture is at most three times as high as what this spans
    points: bool = False


@dataclass(frozen=True, eq=False)
class Band:
    """The area between two lines."""

    name: str
    low: ArrayLike  # (N,)
    high: ArrayLike  # (N,)
    color: int | str = 0
    shown: bool = True
    group: str = ""  # bands of one group are switched on and off together, under this name


@dataclass(frozen=True, eq=False)
class Chart:
    """What is drawn over one x axis.

    Attributes:
      x: (N,) numbers, datetime64, or names of categories.
      lines: drawn in this order, over the bands.
      note: what else to know, below the chart.
      log: whether y is logarithmic; then what is not positive is left out.
      legend: whether the lines are named above the chart; what the cursor is at is always named.
    """

    title: str
    x: Any
    lines: Sequence[Line]
    bands: Sequence[Band] = ()
    x_label: str = ""
    y_label: str = ""
    note: str = ""
    log: bool = False
    legend: bool = True
    block = "chart"

    def data(self) -> dict[str, Any]:
        """Return what the script draws.

        Where that would be more than `MOST_NUMBERS`, rows are taken in groups of neighbors, and each line goes from the
        lowest to the highest value of its group: no peak is lost.

        >>> chart = Chart("loss", [1, 2, 3], [Line("lstm", [0.5, np.nan, 0.25])])
        >>> chart.data()["series"][0]["y"]
        [0.5, None, 0.25]
        """
        x = np.asarray(self.x)
        kind = "date" if x.dtype.kind == "M" else "number" if x.dtype.kind in "iufb" else "name"
        group = self._group()
        starts = np.arange(0, len(x), group)
        series: list[dict[str, Any]] = []
        for band in self.bands:
            low, high = _floats(band.low), _floats(band.high)
            if group > 1:
                low, high = np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)
            series.append(_named(band, self.log, lo=low, hi=high) | {"band": True, "group": band.group or band.name})
        for line in self.lines:
            y = _floats(line.values)
            values = {"lo": np.fmin.reduceat(y, starts), "hi": np.fmax.reduceat(y, starts)} if group > 1 else {"y": y}
            more = {"dash": line.dash, "anchor": line.anchor, "points": line.points}
            series.append(_named(line, self.log, **values) | {key: value for key, value in more.items() if value})
        places: list[Any] = list(range(len(x)))
        if kind == "date":
            places = x[starts].astype("datetime64[ms]").astype(np.int64).tolist()
        elif kind == "number":
            places = _rounded(np.asarray(x[starts], np.float64), 12)
        labels = {"names": [str(name) for name in x]} if kind == "name" else {}
        axes = {"xLabel": self.x_label, "yLabel": self.y_label, "log": self.log, "group": group, "legend": self.legend}
        return {"kind": kind, "x": places, **labels, "title": self.title, **axes, "series": series}

    def description(self) -> str:
        """Return the chart in words, for who cannot see it.

        >>> Chart("loss", [1, 2], [Line("lstm", [0.5, 0.25])], x_label="epoch").description()
        'loss. Over epoch 1 to 2: lstm from 0.5000 to 0.2500, lowest 0.2500, highest 0.5000'
        """
        x = np.asarray(self.x)
        if x.dtype.kind in "UO":
            over = ", ".join(str(name) for name in x[:6])
        else:
            ends = [str(value)[:19].removesuffix("T00:00:00") for value in (x[0], x[-1])] if len(x) else ["nothing"] * 2
            over = f"{self.x_label} {ends[0]} to {ends[1]}".strip()
        told = []
        for line in [line for line in self.lines if line.shown][:6]:
            y = _floats(line.values)
            y = y[np.isfinite(y)]
            if len(y):
                first, last, low, high = (format_number(float(v)) for v in (y[0], y[-1], y.min(), y.max()))
                told.append(f"{line.name} from {first} to {last}, lowest {low}, highest {high}")
        return f"{self.title}. Over {over}: " + "; ".join(told)

    def drawn(self) -> str:
        """Return what to say below: the note, and how many rows are drawn together."""
        group = self._group()
        together = f"{len(np.asarray(self.x)):,} rows are drawn in groups of {group}, each from its lowest to its "
        return " ".join(filter(None, (self.note, f"{together}highest value." if group > 1 else "")))

    def _group(self) -> int:
        """Return how many rows are drawn together; a line then has two numbers a group, as a band always has."""
        x, lines, bands = np.asarray(self.x), len(self.lines), len(self.bands)
        if x.dtype.kind in "UO" or len(x) * (lines + 2 * bands) <= MOST_NUMBERS:
            return 1
        return -(-2 * len(x) * (lines + bands) // MOST_NUMBERS)


def script_json(value: Any) -> str:
    """Return JSON that can stand in a script element of a page, whatever texts it holds.

    >>> script_json({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _named(item: Line | Band, log: bool, **values: Floats) -> dict[str, Any]:
    kept = {key: _rounded(np.where(y > 0, y, np.nan) if log else y) for key, y in values.items()}
    return {"name": item.name, "color": item.color, "shown": item.shown, **kept}


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, np.float64)


def _rounded(values: Floats, digits: int = 6) -> list[Any]:
    """Return numbers of so many significant digits; None for what is not finite."""
    found: list[Any] = []
    for value in values.tolist():
        number = float(f"{value:.{digits}g}")
        finite = abs(number) < np.inf
        found.append((int(number) if number.is_integer() and abs(number) < 1e15 else number) if finite else None)
    return found
