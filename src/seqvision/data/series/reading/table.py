"""A table: columns of cells, numbers or texts, and where each of them stands in its source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from seqvision.data.series.reading.encodings import decode, encode
from seqvision.data.series.reading.file_text import FileText
from seqvision.data.series.reading.header import unique_names
from seqvision.data.series.reading.layout import Layout, find_layout, text_end
from seqvision.data.series.reading.parsing import parse, without
from seqvision.data.series.reading.sources import frame_columns, open_source
from seqvision.data.series.series import find_column


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
    columns, rows = parse(layout, words, as_text)
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
    cells = tuple(without(words, cells) if cells.dtype == object else cells for _, cells in columns)
    return Table(
        name, unique_names([title.strip() for title, _ in columns]), cells, np.arange(len(frame)), None, tuple(notes)
    )


def _blank_lines(layout: Layout, rows: int) -> int:
    """Count the lines between the rows that hold nothing; comments count among the notes."""
    if layout.is_quoted or any("'#'" in note for note in layout.notes):
        return 0
    end = text_end(layout.data, layout.start, layout.stop)
    return max(0, layout.data.count(b"\n", layout.start, end) + 1 - rows)
