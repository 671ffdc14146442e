"""Rows of names above a table: how many there are, and what the columns are called."""

from collections import Counter
from itertools import pairwise

from seqvision.data.series.reading.date_text import looks_like_date
from seqvision.data.series.reading.date_words import is_date_name
from seqvision.data.series.reading.number_text import is_blank, parse_number

_MOST = 6  # rows of names


def is_number(cell: str) -> bool:
    """Whether a cell is a number, with either decimal sign; a blank is none."""
    if is_blank(cell):
        return False
    for decimal in (".", ","):
        try:
            parse_number(cell, decimal)
        except ValueError:
            continue
        return True
    return False


def is_value(cell: str) -> bool:
    """Whether a cell is a number or a date.

    >>> is_value("1,5"), is_value("2020-01-31"), is_value("price"), is_value("-")
    (True, True, False, False)
    """
    return is_number(cell) or looks_like_date(cell)


def count_header_rows(rows: list[list[str]], cells: int) -> int:
    """Say how many of the first rows hold names: texts over numbers or dates, or a first row without any value.

    Args:
      rows: the first rows of a table.
      cells: how many columns it has.

    >>> count_header_rows([["date", "0"], ["2020-01-01", "5"]], 2), count_header_rows([["1", "2"], ["3", "4"]], 2)
    (1, 0)
    """
    body = rows[len(rows) // 2 :][:30] if len(rows) > 1 else []
    valued = [k for k in range(cells) if _share([row[k] for row in body if len(row) > k]) > 0.5]
    if not any(map(is_value, rows[0][:cells])):
        count = 1
    else:
        count = int(len(rows) > 1 and _is_header(rows[0], rows[1:], valued, cells))
    while 0 < count < min(_MOST, len(rows) - 1):
        row, below = rows[count], rows[count + 1]
        named = _names_first_column(row, below, cells)
        next_named = count + 2 < len(rows) and _names_first_column(below, rows[count + 2], cells)
        if not named and not (_is_further_header(row, valued, next_named)):
            break
        count += 1
        if named:
            break
    return count


def _share(cells: list[str]) -> float:
    known = [cell for cell in cells if not is_blank(cell)]
    return sum(map(is_value, known)) / len(known) if known else 0.0


def _is_header(first: list[str], below: list[list[str]], valued: list[int], cells: int) -> bool:
    """Judge a first row that holds some values."""
    second = below[0]
    if any(
        looks_like_date(first[k]) and looks_like_date(second[k]) for k in valued if k < min(len(first), len(second))
    ):
        return False
    numbers = [first[k].strip() for k in valued if k < len(first) and is_value(first[k])]
    if any(is_number(text) and not text.isdigit() for text in numbers):
        return False
    over = [k for k in valued if k < len(first) and not is_blank(first[k]) and not is_value(first[k])]
    if any(is_value(row[k]) for k in over for row in below[:3] if k < len(row)):
        return True
    if (
        not first[0].strip()
        and cells > 1
        and len(set(first[1:cells])) == cells - 1
        and all(map(str.strip, first[1:cells]))
    ):
        index = [row[0].strip() for row in below[:50]]
        if index == [str(k) for k in range(len(index))] or all(map(looks_like_date, index)):
            return True
    steps = {int(b) - int(a) for a, b in pairwise(numbers) if a.isdigit() and b.isdigit()}
    run = len(numbers) >= 3 and all(map(str.isdigit, numbers)) and steps == {1}
    texts = [k for k in range(min(cells, len(first))) if k not in valued]
    return run and bool(texts) and all(not is_value(first[k]) for k in texts)


def _is_further_header(row: list[str], valued: list[int], next_named: bool) -> bool:
    texts = [row[k] for k in valued if k < len(row) and (k or row[0].strip())]
    words = all(not is_blank(text) and not is_value(text) for text in texts)
    return bool(texts) and words and (next_named or len(set(texts)) > 1)


def _names_first_column(row: list[str], below: list[str], cells: int) -> bool:
    """Whether a row names the index alone, as pandas writes it below the names of the columns."""
    alone = bool(row[0].strip()) and not any(cell.strip() for cell in row[1:cells])
    return alone and cells > 1 and is_date_name(row[0]) and looks_like_date(below[0])


def column_names(header: list[list[str]], body: list[list[str]], cells: int) -> tuple[str, ...]:
    """Join rows of names; unnamed columns get their position as name, and names that occur twice get it added.

    >>> column_names([["Price", "Close", "Open"], ["Ticker", "AAPL", "AAPL"], ["Date", "", ""]], [["2020-01-01"]], 3)
    ('Date', 'Close', 'Open')
    """
    rows = [[cell.strip() for cell in row[:cells]] + [""] * (cells - len(row)) for row in header]
    names = [""] * cells
    if len(rows) > 1 and body and _names_first_column(header[-1], body[0], cells):
        last = rows.pop()
        telling = [row for row in rows if len(set(row[1:])) > 1] or rows[:1]
        names = [last[0], *(_join(row[k] for row in telling) for k in range(1, cells))]
    elif rows:
        telling = [row for row in rows if len(rows) == 1 or len(set(row[1:])) > 1] or rows[:1]
        names = [_join(row[k] for row in telling) for k in range(cells)]
    return unique_names(names)


def unique_names(names: list[str]) -> tuple[str, ...]:
    """Give unnamed columns their position as name, and add it to names that occur twice.

    >>> unique_names(["a", "", "a"])
    ('a (column 0)', 'column 1', 'a (column 2)')
    """
    counts = Counter(names)
    unique = [
        f"column {k}" if not name else f"{name} (column {k})" if counts[name] > 1 else name
        for k, name in enumerate(names)
    ]
    return unique_names(unique) if len(set(unique)) < len(unique) else tuple(unique)


def _join(parts) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))
