"""Files with more than one series: below each other (long), or one a row (wide)."""

import re
from collections.abc import Sequence

import numpy as np

from seqvision.data.series.reading.date_text import looks_like_date
from seqvision.data.series.reading.header import is_number
from seqvision.data.series.reading.number_text import is_blank
from seqvision.data.series.reading.table import Table

_LISTED = 8
_WIDE = 8  # columns that are times
_OFTEN = 0.3  # rows whose date is there already


def select_series(table: Table, series_id: str | int, series: str | int | None) -> Table:
    """Return the rows of one series; of a wide table its row, turned into a column.

    Args:
      table: of a file.
      series_id: the column that says which series a row belongs to.
      series: the one wanted; None if there is only one.

    Raises:
      ValueError: listing the series, if it is not there or is not said.
    """
    rows = series_rows(table, series_id)
    column = table.columns[table.find(series_id)]
    if series is None and len(rows) > 1:
        where = f"{table.name} has {len(rows)} series by column {column!r}"
        raise ValueError(f"{where}: say series=… ({_list(list(rows))}), or use read_all_series")
    wanted = next(iter(rows)) if series is None else str(series).strip()
    if wanted not in rows:
        where = f"{table.name} has no series {series!r} in column {column!r}"
        raise ValueError(f"{where}: there are {_list(list(rows))}")
    return _one(table, rows[wanted], wide_columns(table), wanted)


def split_series(table: Table, series_id: str | int) -> dict[str, Table]:
    """Return the tables of all series, in the order of the file."""
    times = wide_columns(table)
    return {name: _one(table, rows, times, name) for name, rows in series_rows(table, series_id).items()}


def series_rows(table: Table, series_id: str | int) -> dict[str, np.ndarray]:
    """Return which rows each series has."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(table.texts(table.find(series_id))):
        rows.setdefault(text.strip(), []).append(row)
    return {name: np.array(some) for name, some in rows.items()}


def _one(table: Table, rows: np.ndarray, times: list[int], name: str) -> Table:
    part = table.take(rows)
    return _turned(part, times, name) if times and len(rows) == 1 else part


def wide_columns(table: Table) -> list[int]:
    """Return the columns of a wide table, which are times; none if the table is none.

    Its columns are named V2, V3, … or 1960, 1961, … or by dates, and the others tell which series a row is.
    """
    names = table.columns
    dates = [k for k, name in enumerate(names) if looks_like_date(name)]
    if len(dates) >= _WIDE and _are_others_texts(table, dates):
        return dates
    ends = [(k, re.fullmatch(r"(\D{0,20}?)([0-9]{1,5})", name.strip())) for k, name in enumerate(names)]
    best: list[int] = []
    run: list[int] = []
    before: tuple[str, int] | None = None
    for k, match in ends:
        if match is None:
            continue
        here = (match[1], int(match[2]))
        follows = before is not None and run and run[-1] == k - 1 and here == (before[0], before[1] + 1)
        run = [*run, k] if follows else [k]
        before = here
        best = max(best, run, key=len)
    if best and _is_word(table.texts(best[0], 1)[0]):
        best = best[1:]  # V1 names the series, V2 is its first value
    return best if len(best) >= _WIDE and best[0] > 0 and _are_others_texts(table, best) else []


def _are_others_texts(table: Table, times: list[int]) -> bool:
    others = sorted(set(range(len(table.columns))) - set(times))
    texts = [k for k in others if any(map(_is_word, table.texts(k, 50)))]
    return bool(texts) and others[0] in texts and all(map(is_number, _some_cells(table, times)))


def _is_word(cell: str) -> bool:
    return not is_blank(cell) and not is_number(cell) and not looks_like_date(cell)


def _some_cells(table: Table, times: list[int]) -> list[str]:
    return [cell for k in times[:5] for cell in table.texts(k, 50) if not is_blank(cell)]


def _turned(table: Table, times: list[int], name: str) -> Table:
    texts = [str(table.texts(k)[0]).strip() for k in times]
    last = max((k for k, text in enumerate(texts) if not is_blank(text)), default=-1) + 1
    if not last:
        raise ValueError(f"{table.name}: series {name!r} has no values")
    first = next(k for k, text in enumerate(texts) if not is_blank(text))
    names = [table.columns[k].strip() for k in times][first:last]
    cells = [np.array(names, object), np.array(texts[first:last], object)]
    columns: tuple[str, ...] = ("year" if all(re.fullmatch("[12][0-9]{3}", text) for text in names) else "date", name)
    note = f"the series is row {int(table.rows[0])}"
    if not looks_like_date(names[0]) and columns[0] != "year":
        cells, columns = cells[1:], columns[1:]
    return Table(table.name, columns, tuple(cells), np.arange(last - first), None, (*table.notes, note), table.keywords)


def refuse_wide(table: Table) -> None:
    """Refuse a table whose rows are series, and say how one of them is read."""
    times = wide_columns(table)
    if times:
        first = next(k for k in range(len(table.columns)) if k not in times)
        ids = [text.strip() for text in table.texts(first)]
        raise ValueError(
            f"each row of {table.name} seems to be a series (columns {table.columns[times[0]]!r} to "
            f"{table.columns[times[-1]]!r} are its times): say series_id={table.columns[first]!r} and series=… "
            f"({_list(ids)}), or date=False to read rows as times"
        )


def id_column(table: Table, dates: np.ndarray, but: Sequence[int]) -> int | None:
    """Return the column that tells series apart in a table where dates fall or repeat as it changes; None if none.

    Args:
      table: the table.
      dates: (N,) of its rows, in its order.
      but: columns that hold no ids, such as the dates.
    """
    known = dates[~blank] if (blank := np.isnat(dates)).any() else dates
    if (known[1:] > known[:-1]).all() or (known[1:] < known[:-1]).all():
        return None
    known = np.sort(known)
    again = int((known[1:] == known[:-1]).sum())
    if not again:
        return None
    best: tuple[int, int] | None = None
    for k in range(len(table.columns)):
        if k in but or table.cells[k].dtype.kind == "M":
            continue
        if table.cells[k].dtype.kind not in "OS" and again < _OFTEN * len(known):
            continue  # numbers differ between two rows of one date without telling series apart
        if table.cells[k].dtype == object:
            _, codes = np.unique(table.cells[k].astype(np.str_), return_inverse=True)
        else:
            _, codes = np.unique(table.cells[k], return_inverse=True)
        kinds = int(codes.max()) + 1
        if kinds < 2 or kinds > len(table) / 2:
            continue
        order = np.lexsort((dates, codes))
        same = (np.diff(codes[order]) == 0) & (np.diff(dates[order]) == np.timedelta64(0))
        if not same.any() and (best is None or kinds < best[0]):
            best = (kinds, k)
    return None if best is None else best[1]


def refuse_long(table: Table, column: int) -> None:
    """Refuse a table of several series, and say how one of them is read."""
    ids = list(dict.fromkeys(text.strip() for text in table.texts(column)))
    if all(re.fullmatch(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AP]M)?", text, re.IGNORECASE) for text in ids):
        raise ValueError(
            f"{table.name}: dates repeat, and column {table.columns[column]!r} holds the times of day: say date=… with "
            "both columns, that of the days first"
        )
    raise ValueError(
        f"{table.name} seems to hold {len(ids)} series below each other (dates repeat where column "
        f"{table.columns[column]!r} changes): say series_id={table.columns[column]!r} and series=… ({_list(ids)}), "
        "or use read_all_series"
    )


def _list(ids: list[str]) -> str:
    return ", ".join(map(repr, ids[:_LISTED])) + (", …" if len(ids) > _LISTED else "")
