"""The rows of a text to columns: pandas parses numbers, what is none stays text."""

import io
import re
import warnings
from typing import Any

import numpy as np

from seqvision.data.series.reading.date_text import looks_like_date
from seqvision.data.series.reading.date_words import is_date_name
from seqvision.data.series.reading.file_text import FileText, Piece
from seqvision.data.series.reading.layout import Layout, text_end
from seqvision.data.series.reading.layouts import LONGEST
from seqvision.data.series.reading.number_text import BLANKS, PLAIN, is_blank

_BLOCK = 1 << 15  # rows parsed at a time
_KEPT = 1 << 24  # bytes


def parse(layout: Layout, words: set[str], as_text: set[int]) -> tuple[list[np.ndarray], np.ndarray]:
    """Parse by pandas, or, where the text is not as plain as its beginning, cell by cell.

    Args:
      layout: of the text.
      words: further words that stand for a blank, in small letters.
      as_text: columns whose cells are wanted as they are written.

    Returns:
      One array a column, (N,) float64, texts as objects or as bytes of ASCII; and the numbers of the rows (N,).

    Raises:
      ValueError: naming the row that has more or fewer cells.
    """
    columns = range(len(layout.columns))
    kinds: dict[int, Any] = {k: np.float64 for k in columns if k not in as_text and _is_plain(layout, k, words)}
    kinds |= {k: f"S{width}" for k in columns if k not in kinds and not words and (width := _date_width(layout, k))}
    plainly = [(kinds, True)] if len(kinds) == layout.width and not words and not layout.is_quoted else []
    for some, bare in [*plainly, *([(kinds, False)] if kinds else []), ({}, False)]:
        parsed = _parse_fast(layout, words, some, bare=bare)
        if parsed is not None:
            return parsed, np.arange(len(parsed[0]))
    return _parse_slowly(layout, words)


def _date_width(layout: Layout, column: int) -> int:
    """Return a width in bytes for a column of dates, one more than any is long; 0 if it holds none, or other signs."""
    cells = [row[column].strip() for row in layout.sample if column < len(row)]
    known = [cell for cell in cells if cell]
    dates = known and all(cell.isascii() and cell[:1].isdigit() for cell in known) and looks_like_date(known[0])
    width = max(map(len, known)) + 1 if dates else 0
    return width if width < LONGEST else 0


def _is_plain(layout: Layout, column: int, words: set[str]) -> bool:
    """Whether the first cells of a column are numbers that need no thought, and cannot be dates."""
    cells = [row[column].strip() for row in layout.sample if column < len(row)]
    numbers = [cell for cell in cells if PLAIN.fullmatch(cell)]
    known = [cell for cell in numbers if cell.casefold() not in words] if words else numbers
    others = len(numbers) < len(cells) and [cell for cell in cells if not PLAIN.fullmatch(cell)]
    if not known or (others and not all(is_blank(cell) or cell.casefold() in words for cell in others)):
        return False
    if all(map(str.isdigit, known)):
        lengths = set(map(len, known))
        padded = any(len(cell) > 1 and cell[0] == "0" for cell in known)
        return not (padded or lengths <= {8, 12, 14} or is_date_name(layout.columns[column]))
    return not is_date_name(layout.columns[column])


def _parse_fast(
    layout: Layout, words: set[str], kinds: dict[int, Any], *, bare: bool = False
) -> list[np.ndarray] | None:
    """Let pandas parse; None if what it makes of the text could differ from what stands there.

    If `bare`, there may be numbers, dates and nothing else, not even blanks before a date, which takes less time.
    """
    import pandas as pd

    sign = layout.separator
    if layout.is_quoted and _is_torn(layout):
        return None
    options: dict[str, Any] = {
        "sep": r"\s+" if sign == " " else sign,
        "header": None,
        "names": list(range(layout.width)),
        "index_col": False if layout.width == 1 else None,
        "dtype": {k: kinds.get(k, object) for k in range(layout.width)},
        "na_values": {k: [""] if bare else _spellings(words) for k in kinds if kinds[k] is np.float64},
        "keep_default_na": False,
        "skipinitialspace": not bare,
        "encoding": "utf-8",
    }
    if pd.__version__ < "3.1":  # where the default is not exact
        options["float_precision"] = "round_trip"
    if layout.stop - layout.start > _KEPT:
        # glibc gives the memory of every block of rows back to the system, to ask for it again, until the first time
        # that an array as large as this is freed; from then on it keeps so much: a fifth of the time of reading.
        np.empty(_KEPT, np.uint8)
    try:
        with warnings.catch_warnings(), _opened(layout) as source:
            warnings.simplefilter("error")
            with pd.read_csv(source, chunksize=_BLOCK, low_memory=False, **options) as frames:  # type: ignore[call-overload]
                return _gather(layout, words, kinds, frames)
    except (ValueError, Warning, OverflowError, MemoryError):
        return None


def _opened(layout: Layout) -> Piece:
    if isinstance(layout.data, FileText):
        return layout.data.open(layout.start, layout.stop)
    source = io.BytesIO(layout.data)
    source.seek(layout.start)
    return Piece(source, layout.stop - layout.start)


def _gather(layout: Layout, words: set[str], kinds: dict[int, Any], frames: Any) -> list[np.ndarray] | None:
    """Put the columns of all frames together, the numbers side by side; None if they could differ from the text."""
    import pandas as pd

    cells, at, gaps = len(layout.columns), 0, False
    lines = layout.data.count(b"\n", layout.start, text_end(layout.data, layout.start, layout.stop)) + 1
    numbers = [k for k in range(cells) if kinds.get(k) is np.float64]
    block = np.empty((lines, len(numbers)))
    dates = {k: np.empty(lines, kinds[k]) for k in range(cells) if k in kinds and k not in numbers}
    texts: dict[int, list[np.ndarray]] = {k: [] for k in range(cells) if k not in kinds}
    for frame in frames:
        if not isinstance(frame.index, pd.RangeIndex):
            return None
        empty = np.ones(len(frame), bool)  # rows without any cell
        short = empty  # rows that may lack their last cell
        rows = slice(at, at := at + len(frame))
        for k in range(layout.width):
            values = frame[k].to_numpy()
            kind = values.dtype.kind
            blank = _blank(values)
            if (
                blank.dtype != bool
                or (kind == "f" and not _is_sound(values, layout))
                or (kind == "S" and _is_cut(values))
            ):
                return None
            empty &= blank
            if k >= cells and not blank.all():
                return None
            if k == cells - 1:
                short = blank
            if k in texts:
                texts[k].append(without(words, values))
            elif k in dates:
                dates[k][rows] = values
            elif k < cells:
                block[rows, numbers.index(k)] = values
        if empty.any() or (short.any() and (layout.is_quoted or layout.separator == " ")):
            return None
        gaps |= bool(short.any())
    if not at or (gaps and layout.separators != at * (layout.width - 1)):
        return None
    found = {k: np.concatenate(parts) for k, parts in texts.items()} | {k: column[:at] for k, column in dates.items()}
    found |= {k: block[:at, place] for place, k in enumerate(numbers)}
    return [found[k] for k in range(cells)]


def _blank(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "S":
        return values.view(np.uint8)[:: values.dtype.itemsize] == 0
    return values == ""


def _is_sound(values: np.ndarray, layout: Layout) -> bool:
    """Whether numbers are what stands there: pandas takes "true" for 1, and what is too large for infinite."""
    with np.errstate(all="ignore"):
        own_squares = values[values * values == values]  # 0, 1 and infinity
    return not len(own_squares) or not (np.isinf(own_squares).any() or layout.says_truth)


def _is_cut(values: np.ndarray) -> bool:
    """Whether a text of bytes has lost its end, begins with a blank, or holds more than ASCII."""
    signs = values.view(np.uint8).reshape(len(values), -1)
    return (
        bool(signs[:, -1].any())
        or bool(((signs[:, 0] == 32) | (signs[:, 0] == 9)).any())
        or bool(values.view(np.uint8).max(initial=0) > 127)
    )


def _spellings(words: set[str]) -> list[str]:
    known = BLANKS | words
    return sorted(known | {word.upper() for word in known} | {word.title() for word in known} | {"NaN", "N/a", "NaT"})


def _is_torn(layout: Layout) -> bool:
    """Whether a quotation mark stands neither at the beginning nor at the end of a cell."""
    sign = re.escape(layout.separator.encode("utf-8"))
    torn = rb'[^\n" \t' + sign + rb']"[^\n" ' + sign + rb"]"
    data = layout.data[:]
    return re.search(torn, data) is not None or layout.separator == " " or b'" ' in data


def _parse_slowly(layout: Layout, words: set[str]) -> tuple[list[np.ndarray], np.ndarray]:
    """Take every cell as text; say which row is not whole."""
    cells = len(layout.columns)
    rows: list[list[str]] = []
    for row, line in layout.rows():
        if len(row) != cells and (len(row) < cells or any(cell.strip() for cell in row[cells:])):
            raise ValueError(
                f"{layout.name}, row {len(rows)} (line {line}) has {len(row)} cells, but there are {cells} columns: "
                "complete the row, quote cells that hold the separator, or say separator=… (skip_rows=…, skip_footer=…)"
            )
        rows.append(row)
    columns = []
    for k in range(cells):
        column = np.empty(len(rows), object)
        column[:] = [row[k] for row in rows]
        columns.append(without(words, column))
    return columns, np.arange(len(rows))


def without(words: set[str], cells: np.ndarray) -> np.ndarray:
    """Return texts in which those that stand for a blank are empty."""
    if not words:
        return cells
    blank = np.fromiter((cell.strip().casefold() in words for cell in cells), bool, len(cells))
    return np.where(blank, "", cells)
