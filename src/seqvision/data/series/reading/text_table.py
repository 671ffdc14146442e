"""Delimited text to columns of cells: encoding, separator and header are found out, every row must be whole."""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from seqvision.data.series.reading.date_text import looks_like_date
from seqvision.data.series.reading.number_text import is_blank, parse_numbers

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = "\t;,|"  # in order of trust: a comma may also sit inside the numbers of a file separated by tabs
_SAMPLE = 200  # rows looked at to find the separator


@dataclass(frozen=True)
class Table:
    """Cells of a file, column by column, all as text."""

    name: str
    columns: tuple[str, ...]  # unique names
    cells: tuple[tuple[str, ...], ...]  # one tuple of N texts a column
    lines: tuple[int, ...]  # (N,) where each row ends in the file, counted from 1
    notes: tuple[str, ...]

    def place(self, row: int, column: int) -> str:
        """Name a cell as a person finds it in the file."""
        return f"{self.name}, row {row} (line {self.lines[row]}), column {self.columns[column]!r}"


def read_table(source, *, encoding=None, separator=None, header=None, decimal: str = ".") -> Table:
    """Read delimited text.

    Args:
      source: a path, or an open file (bytes or text).
      encoding: None finds UTF-8, UTF-16 and UTF-32 by byte order mark or content, else takes Windows-1252.
      separator: None finds out between tab, semicolon, comma, bar and blanks; " " is any run of blanks.
      header: whether the first row holds names; None finds out. Without a header the names are "column 0", …
      decimal: the decimal sign, to tell numbers from names.

    Returns:
      The table.

    Raises:
      ValueError: if the file is not text, cannot be decoded, is empty, or has a row with more or fewer cells.
    """
    name, data = _read(source)
    text, notes = (data, []) if isinstance(data, str) else _decode(name, data, encoding)
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise ValueError(f"{name} is not text (it holds NUL bytes): save it as CSV")
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1 or separator in '"\n\r'):
        raise ValueError(f"separator must be one character (' ' for any run of blanks), but is {separator!r}")
    rows, lines = _rows(name, text, separator or _find_separator(text))
    if not rows:
        raise ValueError(f"{name} is empty")
    has_header = _has_header(rows, decimal) if header is None else header
    if has_header:
        head, rows, lines = rows[0], rows[1:], lines[1:]
        if not rows:
            raise ValueError(f"{name} has a header but no rows")
    else:
        head = [""] * Counter(map(len, rows)).most_common(1)[0][0]
    _check_widths(name, rows, lines, len(head))
    columns = tuple(zip(*rows, strict=False))[: len(head)]  # what some rows have beyond is blank
    return Table(name, _unique_names(head), columns, tuple(lines), tuple(notes))


def _read(source) -> tuple[str, bytes | str]:
    if hasattr(source, "read"):
        return Path(str(getattr(source, "name", "table"))).name, source.read()
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}" + (" (it is a folder)" if path.is_dir() else ""))
    return path.name, path.read_bytes()


def _decode(name: str, data: bytes, encoding: str | None) -> tuple[str, list[str]]:
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\x80\x04", b"\x80\x05", b"\xd0\xcf\x11\xe0", b"\x93NUMPY")):
        raise ValueError(f"{name} is a binary file (spreadsheet, archive or pickle), not text: save it as CSV")
    if encoding is None:
        encoding = next((known for bom, known in _BOMS if data.startswith(bom)), None) or _wide_encoding(data)
        if encoding is None:
            try:
                return data.decode("utf-8"), []
            except UnicodeDecodeError:
                return _decode_western(data), [
                    f"{name} is not UTF-8: read as Windows-1252 (say encoding=… if it is not)"
                ]
    try:
        return data.decode(encoding), []
    except LookupError:
        raise ValueError(f"encoding {encoding!r} is not known: try 'utf-8', 'utf-16' or 'cp1252'") from None
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = data.count(b"\n", 0, start) + 1
        column = start - data.rfind(b"\n", 0, start)
        raise ValueError(
            f"{name}, line {line}, byte {column}: not {encoding} text ({getattr(error, 'reason', error)}): "
            "leave encoding out to have it found, or name the right one"
        ) from None


def _wide_encoding(data: bytes) -> str | None:
    """Recognize UTF-16 without a byte order mark: every second byte of its western characters is zero."""
    sample = data[:1000]
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) > 0.4 * half:
        return "utf-16-le"
    return "utf-16-be" if sample[0::2].count(0) > 0.4 * half else None


def _decode_western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _find_separator(text: str) -> str:
    lines = io.StringIO(text, newline=None)
    sample = "".join(line for line, _ in zip(lines, range(_SAMPLE), strict=False))
    best, agreement = " ", 0.5
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(sample), delimiter=separator) if any(row))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1 and count / widths.total() > agreement:
            best, agreement = separator, count / widths.total()
    if best != " ":
        return best
    # A run of blanks separates only if it does so in every row: "closing price" over one column is a name.
    words = {len(line.split()) for line in sample.splitlines() if line.strip()}
    return " " if len(words) == 1 and words != {1} else ","


def _rows(name: str, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    source = io.StringIO(text, newline=None)
    if separator == " ":
        lines = (line.replace("\t", " ").strip() + "\n" for line in source)
        reader = csv.reader(lines, delimiter=" ", skipinitialspace=True, strict=True)
    else:
        reader = csv.reader(source, delimiter=separator, skipinitialspace=True, strict=True)
    rows, ends = [], []
    try:
        for row in reader:
            if "".join(row).strip():
                rows.append(row)
                ends.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{name}, line {reader.line_num}: {error} (is a quotation mark missing?)") from None
    return rows, ends


def _check_widths(name: str, rows, lines, width: int) -> None:
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width and (len(row) < width or any(cell.strip() for cell in row[width:])):
            raise ValueError(
                f"{name}, row {lines.index(line)} (line {line}) has {len(row)} cells, but there are {width} columns: "
                "complete the row, quote cells that hold the separator, or say separator=…"
            )


def _has_header(rows: list[list[str]], decimal: str) -> bool:
    """Names stand where values follow: a text over a number or date, or a first row without any value."""
    first = [_is_value(cell, decimal) for cell in rows[0]]
    if not any(first):
        return True
    second = [_is_value(cell, decimal) for cell in rows[1]] if len(rows) > 1 else []
    return any(
        below and not above and not is_blank(cell) for above, below, cell in zip(first, second, rows[0], strict=False)
    )


def _is_value(cell: str, decimal: str) -> bool:
    return not is_blank(cell) and (looks_like_date(cell) or parse_numbers([cell], decimal)[1].size == 0)


def _unique_names(head: list[str]) -> tuple[str, ...]:
    """Give unnamed columns their position as name, and add it to names that occur twice."""
    names = [cell.strip() for cell in head]
    counts = Counter(names)
    return tuple(
        f"column {k}" if not name else f"{name} (column {k})" if counts[name] > 1 else name
        for k, name in enumerate(names)
    )
