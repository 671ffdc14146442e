"""Columns of cells: pandas parses numbers, what is none stays text."""

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from seqvision.data.series.reading.date_text import looks_like_date
from seqvision.data.series.reading.date_words import is_date_name
from seqvision.data.series.reading.encodings import decode, encode
from seqvision.data.series.reading.file_text import FileText, Piece
from seqvision.data.series.reading.header import unique_names
from seqvision.data.series.reading.layout import Layout, find_layout, text_end
from seqvision.data.series.reading.layouts import LONGEST
from seqvision.data.series.reading.number_text import BLANKS, PLAIN, is_blank
from seqvision.data.series.reading.sources import frame_columns, open_source
from seqvision.data.series.series import find_column

_BLOCK = 1 << 15  # rows parsed at a time


@dataclass(frozen=True, eq=False)
class Table:
    """A table, column by column."""

    name: str
    columns: tuple[str, ...]  # unique names
    cells: tuple[np.ndarray, ...]  # one a column: (N,) float64, datetime64, or texts (objects, or bytes of ASCII)
    rows: np.ndarray  # (N,) which row of the source each is
    layout: Layout | None = None  # of a text
    notes: tuple[str, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()  # arguments that read it so again

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, column: str | int) -> int:
        """Return the position of a column by name or position."""
        return find_column(self.columns, column, self.name)

    def take(self, rows: np.ndarray) -> "Table":
        """Return some rows of the table."""
        return replace(self, cells=tuple(column[rows] for column in self.cells), rows=self.rows[rows])

    @cached_property
    def _source(self) -> list[tuple[list[str], int]]:
        return [] if self.layout is None else list(self.layout.rows())

    def place(self, row: int, column: int | None = None) -> str:
        """Name a row, or a cell, as a person finds it."""
        at = int(self.rows[row]) if len(self.rows) else 0
        line = f" (line {self.line(row)})" if self.layout is not None else ""
        return f"{self.name}, row {at}{line}" + ("" if column is None else f", column {self.columns[column]!r}")

    def line(self, row: int) -> int:
        """Return the line of the file at which a row ends, counted from 1; the row, for a table in memory."""
        at = int(self.rows[row]) if len(self.rows) else 0
        return self._source[at][1] if at < len(self._source) else at

    def cell(self, row: int, column: int) -> str:
        """Return a cell as it is written."""
        at = int(self.rows[row])
        if at < len(self._source):
            return self._source[at][0][column].strip() if column < len(self._source[at][0]) else ""
        return str(self.cells[column][row])

    def written(self, column: int) -> np.ndarray:
        """Return the cells of a column of a text as they are written."""
        cells = np.empty(len(self.rows), object)
        cells[:] = [self._source[row][0][column] for row in self.rows]
        return cells

    def texts(self, column: int, most: int | None = None) -> np.ndarray:
        """Return the cells of a column as texts, at most so many; whole numbers are written without a point."""
        cells = self.cells[column][:most]
        if cells.dtype == object:
            return cells
        if cells.dtype.kind == "S":
            return cells.astype(np.str_).astype(object)
        texts = np.empty(len(cells), object)
        if cells.dtype.kind == "M":
            texts[:] = ["" if text == "NaT" else text for text in cells.astype(np.str_)]
        else:
            whole = np.isfinite(cells) & (cells == np.rint(cells)) & (np.abs(cells) < 2**63)
            texts[:] = [
                "" if np.isnan(v) else str(int(v)) if w else repr(float(v)) for v, w in zip(cells, whole, strict=True)
            ]
        return texts


def read_table(
    source: Any,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    header: bool | int | None = None,
    skip_rows: int = 0,
    skip_footer: int = 0,
    comment: str | None = None,
    missing: Sequence[str | float] = (),
    texts: Sequence[str | int] = (),
) -> Table:
    """Read a table.

    Args:
      source: as `open_source` takes it.
      encoding: of a file of bytes; None finds it out.
      separator, header, skip_rows, skip_footer, comment: as `find_layout` takes them.
      missing: further words that stand for a blank.
      texts: columns whose cells are wanted as they are written.

    Raises:
      FileNotFoundError: if there is no such file.
      ValueError: if it is no text, cannot be decoded, is empty, or has a row with more or fewer cells.
    """
    name, content, notes = open_source(source)
    keywords: list[tuple[str, Any]] = []
    if isinstance(content, FileText):
        if encoding is None and content.is_plain():
            keywords = [("encoding", "utf-8")]
        else:
            content = content.read()
    if isinstance(content, bytes):
        content, encoding, said = decode(name, content, encoding)
        notes, keywords = notes + said, [("encoding", encoding)]
        content = content.decode("utf-8") if content.startswith(b"\xef\xbb\xbf") or b"\0" in content else content
    if isinstance(content, str):
        content = encode(name, content)
    if not isinstance(content, bytes | FileText):
        return _from_frame(name, content, notes, missing)
    layout = find_layout(
        name,
        content,
        separator=separator,
        header=header,
        skip_rows=skip_rows,
        skip_footer=skip_footer,
        comment=comment,
    )
    content = content if isinstance(content, FileText) else None
    words = {str(word).strip().casefold() for word in missing if isinstance(word, str)}
    as_text = {find_column(layout.columns, column, name) for column in texts}
    columns, rows = _parse(layout, words, as_text)
    if isinstance(content, FileText):
        content.check()
    blank = _blank_lines(layout, len(rows))
    if blank:
        notes.append(f"{blank} blank line{'s are' if blank > 1 else ' is'} left out")
    keywords += [("separator", layout.separator)]
    keywords += [("header", layout.header)] if layout.header is not None else []
    return Table(name, layout.columns, tuple(columns), rows, layout, (*notes, *layout.notes), tuple(keywords))


def _from_frame(name: str, frame: Any, notes: list[str], missing: Sequence[str | float]) -> Table:
    columns = frame_columns(frame)
    if not columns or not len(frame):
        raise ValueError(f"{name} has no {'rows' if columns else 'columns'}")
    words = {str(word).strip().casefold() for word in missing if isinstance(word, str)}
    cells = tuple(_without(words, cells) if cells.dtype == object else cells for _, cells in columns)
    return Table(
        name, unique_names([title.strip() for title, _ in columns]), cells, np.arange(len(frame)), None, tuple(notes)
    )


def _blank_lines(layout: Layout, rows: int) -> int:
    """Count the lines between the rows that hold nothing; comments count among the notes."""
    if layout.is_quoted or any("'#'" in note for note in layout.notes):
        return 0
    end = text_end(layout.data, layout.start, layout.stop)
    return max(0, layout.data.count(b"\n", layout.start, end) + 1 - rows)


def _without(words: set[str], cells: np.ndarray) -> np.ndarray:
    if not words:
        return cells
    blank = np.fromiter((cell.strip().casefold() in words for cell in cells), bool, len(cells))
    return np.where(blank, "", cells)


def _parse(layout: Layout, words: set[str], as_text: set[int]) -> tuple[list[np.ndarray], np.ndarray]:
    """Parse by pandas, or, where the text is not as plain as its beginning, cell by cell."""
    columns = range(len(layout.columns))
    kinds: dict[int, Any] = {k: np.float64 for k in columns if k not in as_text and _is_plain(layout, k, words)}
    kinds |= {k: f"S{width}" for k in columns if k not in kinds and not words and (width := _date_width(layout, k))}
    for some in (kinds, {}) if kinds else ({},):
        parsed = _parse_fast(layout, words, some)
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
    known = [cell for cell in cells if cell and not is_blank(cell) and cell.casefold() not in words]
    if not known or not all(map(PLAIN.fullmatch, known)):
        return False
    if all(map(str.isdigit, known)):
        lengths = set(map(len, known))
        padded = any(len(cell) > 1 and cell[0] == "0" for cell in known)
        return not (padded or lengths <= {8, 12, 14} or is_date_name(layout.columns[column]))
    return not is_date_name(layout.columns[column])


def _parse_fast(layout: Layout, words: set[str], kinds: dict[int, Any]) -> list[np.ndarray] | None:
    """Let pandas parse; None if what it makes of the text could differ from what stands there."""
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
        "na_values": {k: _spellings(words) for k in kinds if kinds[k] is np.float64},
        "keep_default_na": False,
        "skipinitialspace": True,
        "encoding": "utf-8",
    }
    if pd.__version__ < "3.1":  # where the default is not exact
        options["float_precision"] = "round_trip"
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
            if blank.dtype != bool or (kind == "f" and not _is_sound(values, layout)) or (kind == "S" and _is_cut(values)):
                return None
            empty &= blank
            if k >= cells and not blank.all():
                return None
            if k == cells - 1:
                short = blank
            if k in texts:
                texts[k].append(_without(words, values))
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
    if np.isinf(values).any():
        return False
    maybe = ((values == 0) | (values == 1)).any()
    return not (maybe and layout.says_truth)


def _is_cut(values: np.ndarray) -> bool:
    """Whether a text of bytes has lost its end, or holds more than ASCII."""
    ends = values.view(np.uint8).reshape(len(values), -1)[:, -1]
    return bool(ends.any()) or bool((values.view(np.uint8) > 127).any())


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
        columns.append(_without(words, column))
    return columns, np.arange(len(rows))
