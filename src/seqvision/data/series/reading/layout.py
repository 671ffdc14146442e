"""What a table of text looks like: where it begins and ends, what parts its cells, what its columns are called."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seqvision.data.series.reading.file_text import FileText
from seqvision.data.series.reading.header import column_names, count_header_rows, is_value
from seqvision.data.series.reading.number_text import is_blank

_SEPARATORS = "\t;|,"  # in order of trust: a comma may also sit inside the numbers of a file separated by tabs
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?")
SAMPLE = 2000  # rows looked at to find out the rest
_SAMPLE_BYTES = 1 << 20
_FOOTER = 20  # lines at the end that may be none of the table


@dataclass(frozen=True)
class Layout:
    """A text, and where in it the rows of a table are."""

    name: str
    data: bytes | FileText  # UTF-8, lines end with "\n"; comments are blank lines
    start: int  # byte at which the rows begin
    stop: int
    separator: str
    header: int | None  # rows of names; None if the names stand in a comment
    columns: tuple[str, ...]  # unique names
    width: int  # cells in a row, blank ones beyond the columns included
    sample: list[list[str]]  # first rows
    whole: bool  # the sample is all there is
    notes: tuple[str, ...]

    @cached_property
    def is_quoted(self) -> bool:
        """Whether there are quotation marks."""
        return isinstance(self.data, bytes) and b'"' in self.data  # a large file with such is read at once

    @cached_property
    def says_truth(self) -> bool:
        """Whether the words true and false stand somewhere."""
        return any(word in self.data for word in (b"true", b"True", b"TRUE", b"false", b"False", b"FALSE"))

    @cached_property
    def separators(self) -> int:
        """How often the separator stands in the rows."""
        return self.data.count(self.separator.encode("utf-8"), self.start, self.stop)

    def rows(self) -> Iterator[tuple[list[str], int]]:
        """Yield every row that is not blank, with the line at which it ends, counted from 1."""
        before = self.data.count(b"\n", 0, self.start)
        return rows_of(self.name, self.data[self.start : self.stop], self.separator, before)


def rows_of(name: str, data: bytes, separator: str, lines_before: int = 0) -> Iterator[tuple[list[str], int]]:
    """Yield the rows of delimited text that are not blank, with the line at which each ends.

    Raises:
      ValueError: naming the line at which a quotation mark is missing, or a cell is too long.
    """
    source = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="\n")
    lines = (line.replace("\t", " ").strip() + "\n" for line in source) if separator == " " else source
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if "".join(row).strip():
                yield row, lines_before + reader.line_num
    except csv.Error as error:
        line = lines_before + reader.line_num
        raise ValueError(f"{name}, line {line}: {error} (is a quotation mark missing?)") from None


def find_layout(
    name: str,
    data: bytes | FileText,
    *,
    separator: str | None = None,
    header: bool | int | None = None,
    skip_rows: int = 0,
    skip_footer: int = 0,
    comment: str | None = None,
) -> Layout:
    """Find the table in a text.

    Args:
      name: of the file, for errors.
      data: UTF-8.
      separator: None finds out between tab, semicolon, comma, bar and blanks; " " is any run of blanks.
      header: how many rows hold names; None finds out. Without a header the names are "column 0", …
      skip_rows, skip_footer: lines at the beginning and the end that are none of the table.
      comment: the text from this sign to the end of a line is left out; None sees lines that begin with "#".

    Raises:
      ValueError: if there is no table, or an argument is none of these.
    """
    _check_signs(separator, comment)
    if isinstance(data, bytes) and b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    notes: list[str] = []
    start = _after_lines(data, skip_rows)
    data, remark = _without_comments(data, start, comment, notes)
    stop = _before_lines(data, skip_footer)
    told = re.match(rb"\s*\"?sep=([^\n\"])\"?[ ;,\t]*\n", data[start : start + 80], re.IGNORECASE)
    if told:
        start += told.end()
        separator = separator or told[1].decode("utf-8", "replace")
        notes.append(f"the line 'sep={separator}' is skipped")
    head, whole = _head(data, start, max(start, stop))
    separator = separator or _find_separator(head.decode("utf-8", "replace"))
    rows = _sample(name, head, separator, data.count(b"\n", 0, start), whole)
    if not rows:
        raise ValueError(f"{name} is empty")
    width, cells = _width([row for row, _ in rows])
    skipped = next((k for k, (row, _) in enumerate(rows) if _is_full(row, cells, width)), 0)
    if (
        skipped
        and header is None
        and separator != ","
        and _is_short_header(rows[skipped - 1][0], rows[skipped][0], cells)
    ):
        rows[skipped - 1][0].insert(0, "")
        skipped -= 1
        notes.append("the header has one name less than there are columns: the first column has none")
    if skipped:
        notes.append(f"before the table {_counted(skipped)} skipped: {_quote(rows[0][0])}")
    before = rows[skipped - 1][0]
    rows = rows[skipped:]
    texts = [row for row, _ in rows]
    count = count_header_rows(texts, cells) if header is None else int(header)
    if skipped and not count and separator == "," and header is None:
        line = rows[0][1]
        raise ValueError(
            f"{name}, row 0 (line {line}) has {len(texts[0])} cells, but the line before it, {_quote(before)}, has "
            f"{len(before)}: say separator=… or quote cells if commas are decimal signs, or skip_rows={line - 1} if "
            "that line is none of the table"
        )
    if count > len(rows):
        raise ValueError(f"{name} has {len(rows)} rows, fewer than the header={count} that are said to hold names")
    names = column_names(texts[:count], texts[count:], cells)
    given: int | None = count
    named = _names_in(remark, separator, cells) if not count and header is None and remark is not None else []
    if named:
        names, given = column_names([named], texts, cells), None
        notes.append("the names of the columns stand in a comment")
    if given == 0 and header is None:
        notes.append("no row of names was found: say header=True if the first row holds them")
    if count > 1 and header is None:
        notes.append(f"the header has {count} rows")
    lines = (rows[count - 1][1] if count else rows[0][1] - 1 - sum(map(_newlines, texts[0]))) if rows else 0
    start = _after_lines(data, lines)
    stop = _without_footer(data, start, stop, separator, texts[count:], cells, notes) if not skip_footer else stop
    texts = texts[count:]
    if whole and stop < len(data):
        texts = [row for row, _ in rows_of(name, data[start:stop], separator)][: len(texts)]
    if not texts:
        raise ValueError(f"{name} has a header but no rows")
    return Layout(name, data, start, stop, separator, given, names, width, texts, whole, tuple(notes))


def _check_signs(separator: Any, comment: Any) -> None:
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1 or separator in '"\n\r'):
        raise ValueError(f"separator must be one character (' ' for any run of blanks), but is {separator!r}")
    if comment is not None and (not isinstance(comment, str) or not comment or '"' in comment or "\n" in comment):
        raise ValueError(f"comment must be a sign such as '#', but is {comment!r}")


def _names_in(remark: str, separator: str, cells: int) -> list[str]:
    """Return the names of all columns that a comment gives, parted as the cells are or by blanks; else none."""
    parts = [part.strip() for part in (remark.split() if separator == " " else remark.split(separator))]
    if len(parts) != cells:
        parts = remark.split()
    return parts if len(parts) == cells and not any(map(is_value, parts)) else []


def _newlines(cell: str) -> int:
    return cell.count("\n")


def text_end(data: bytes | FileText, start: int, stop: int) -> int:
    """Return where the last line with some text ends."""
    while stop > start and data[stop - 1 : stop] in (b"\n", b" ", b"\t"):
        stop -= 1
    return stop


def _counted(lines: int) -> str:
    return f"{lines} line is" if lines == 1 else f"{lines} lines are"


def _quote(row: list[str]) -> str:
    text = " ".join(cell.strip() for cell in row if cell.strip())
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _after_lines(data: bytes | FileText, count: int) -> int:
    at = 0
    for _ in range(count):
        end = data.find(b"\n", at)
        if end < 0:
            return len(data)
        at = end + 1
    return at


def _before_lines(data: bytes | FileText, count: int) -> int:
    stop = len(data)
    for _ in range(count):
        stop = data.rfind(b"\n", 0, text_end(data, 0, stop)) + 1 if stop else 0
    return stop


def _without_comments(
    data: bytes | FileText, start: int, comment: str | None, notes: list[str]
) -> tuple[bytes | FileText, str | None]:
    """Blank comments out, so that lines keep their numbers; return the last one before the first row too."""
    if comment is not None:
        pattern = rb'("(?:[^"]|"")*")|' + re.escape(comment.encode("utf-8")) + rb"[^\n]*"
        return data[:start] + re.sub(pattern, lambda match: match[1] or b"", data[start:]), None
    first = re.match(rb"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*#([^\n]*)\n", data[start : start + _SAMPLE_BYTES])
    if first is None:
        return data, None
    body, count = re.subn(rb"(?m)^[ \t]*#[^\n]*", b"", data[start:])
    notes.append(f"{_counted(count)} skipped that begin with '#'")
    return data[:start] + body, first[1].decode("utf-8", "replace").strip()


def _head(data: bytes | FileText, start: int, stop: int) -> tuple[bytes, bool]:
    end = start + _SAMPLE_BYTES
    if end >= stop:
        return data[start:stop], True
    cut = data.rfind(b"\n", start, end) + 1
    cut = cut or data.find(b"\n", end) + 1 or stop
    return data[start:cut], cut >= stop


def _sample(name: str, head: bytes, separator: str, before: int, whole: bool) -> list[tuple[list[str], int]]:
    rows = []
    try:
        for row in rows_of(name, head, separator, before):
            rows.append(row)
            if len(rows) > SAMPLE:
                break
    except ValueError:
        if whole or not rows:
            raise
    return rows


def _find_separator(text: str) -> str:
    lines = [line for line in text.split("\n", SAMPLE)[:SAMPLE] if line.strip()][:500]
    best, agreement = " ", 0.5
    for separator in _SEPARATORS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if any(row))
        except csv.Error:
            continue
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1 and count / widths.total() > agreement:
            best, agreement = separator, count / widths.total()
    if best != " ":
        return best
    # A run of blanks separates only if it does so in every row: "closing price" over one column is a name.
    words = [len(line.split()) for line in lines]
    rest = words if len(words) < 3 else words[1:] if len(words) < 10 else words[len(words) // 5 :]
    if len(set(rest)) != 1 or rest[0] == 1:
        return ","
    if not all(_GROUPED.fullmatch(line.strip()) for line in lines[1:] or lines):
        return " "
    if words[0] == rest[0]:
        raise ValueError(
            f"the data do not show whether blanks part columns or group digits, as in {lines[-1].strip()!r}: "
            "say separator=' ' or separator=','"
        )
    return ";" if any("," in line for line in lines) else ","


def _width(rows: list[list[str]]) -> tuple[int, int]:
    """Return how many cells most rows have, and how many of them are ever used."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    full = [row for row in rows if len(row) >= width]
    used = width
    while used > 1 and not any(row[used - 1].strip() for row in full):
        used -= 1
    return max(len(row) for row in full), used


def _is_full(row: list[str], cells: int, width: int) -> bool:
    return cells <= len(row) <= width and not any(cell.strip() for cell in row[cells:])


def _is_short_header(row: list[str], below: list[str], cells: int) -> bool:
    return len(row) == cells - 1 and not any(map(is_value, row)) and any(map(is_value, below[1:cells]))


def _without_footer(
    data: bytes | FileText, start: int, stop: int, separator: str, sample: list[list[str]], cells: int, notes: list[str]
) -> int:
    """Return where the rows end, if remarks such as "Source: …" follow them."""
    begins = [is_value(row[0]) for row in sample[:30] if len(row) >= cells]
    if cells > 1 and sum(begins) <= len(begins) / 2:
        return stop  # rows begin with words
    end = stop
    skipped: list[list[str]] = []
    for _ in range(_FOOTER):
        line_start = data.rfind(b"\n", start, text_end(data, start, end)) + 1
        line_start = max(line_start, start)
        line = data[line_start:end].decode("utf-8", "replace").strip("\n")
        try:
            row = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True), [])
        except csv.Error:
            break
        words = [cell for cell in row if not is_blank(cell)]
        remark = words and not any(map(is_value, words)) and (len(row) < cells or cells == 1 or len(words) == 1)
        sentence = cells > 1 or " " in "".join(row).strip()  # a single word may stand for a blank
        if not row or not remark or not sentence or not re.match(r"\W*[^\W\d_]", row[0]) or line_start <= start:
            break
        end, skipped = line_start, [row, *skipped]
    if skipped:
        notes.append(f"after the table {_counted(len(skipped))} skipped: {_quote(skipped[0])}")
    return end
