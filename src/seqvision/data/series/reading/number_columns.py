"""Columns of a table as numbers: the decimal sign, units, words for what is missing."""

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from seqvision.data.series.reading.header import is_number
from seqvision.data.series.reading.number_text import decimal_sign, is_blank, parse_number, parse_numbers, unit_of
from seqvision.data.series.reading.table import Table

_SAMPLE = 200


class NumberColumns:
    """The columns of a table as numbers, each read when it is asked for.

    Args:
      table: the table.
      decimal: "." or ","; None finds it out from all columns.
      missing: numbers that stand for a blank.
      but: columns that hold none, such as the dates.
    """

    def __init__(self, table: Table, decimal: str | None, missing: Sequence[str | float], but: Sequence[int]):
        self.table = table
        self.notes: list[str] = []
        self._but = frozenset(but)
        self._missing = [float(number) for number in missing if not isinstance(number, str)]
        self._given = decimal
        self._read: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.units: dict[int, str] = {}

    @cached_property
    def decimal(self) -> str:
        """The decimal sign."""
        return self._find_decimal() if self._given is None else self._given

    def read(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (N,) values, NaN for blanks and what is no number, and the rows of the latter."""
        if column not in self._read:
            values, wrong = self._parse(column)
            for number in self._missing:
                values = np.where(values == number, np.nan, values)
            self._read[column] = values, wrong
        return self._read[column]

    def _parse(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        cells = self.table.cells[column]
        nothing = np.zeros(0, int)
        if cells.dtype.kind == "M":
            return np.full(len(cells), np.nan), np.arange(len(cells))
        if cells.dtype.kind == "S":
            cells = self.table.texts(column)
        elif cells.dtype.kind == "f" and self.decimal == "," and self.table.layout is not None:
            cells = self.table.written(column)  # where pandas has taken a point for the decimal sign
        if cells.dtype != object:
            sure = self.table.layout is not None  # of a text no infinite number comes
            return (cells if sure or np.isfinite(cells).all() else np.where(np.isfinite(cells), cells, np.nan)), nothing
        values, wrong = parse_numbers(cells, self.decimal)
        per_cent = sum("%" in cell for cell in cells)
        if 0 < per_cent < np.isfinite(values).sum():
            name = self.table.columns[column]
            self.notes.append(f"column {name!r} has numbers with and without %: those with it are divided by 100")
        first = next((cell.strip() for cell in cells if not is_blank(cell)), "")
        if ((len(wrong) or first[-1:] in ("m", "b", "t")) and first[-1:].isalpha()) or (
            len(wrong) and first[-1:] not in ")%"
        ):
            unit = unit_of(cells)
            if unit:
                bare = [cell.strip().removesuffix(unit).strip() for cell in cells]
                other = parse_numbers(bare, self.decimal)
                if not len(other[1]):
                    self.units[column] = unit
                    return other
        return values, wrong

    def why(self, row: int, column: int) -> str:
        """Say why a cell is no number, and what to do."""
        cell = self.table.cell(row, column)
        try:
            parse_number(cell, self.decimal)
        except ValueError as error:
            text = str(error)
        else:
            text = f"{cell!r} is not a number"
        if "too large" in text:
            return text
        if any(sign in cell for sign in ".,") and is_number(cell):
            return f"{text} with decimal={self.decimal!r} (decimal and separator say which signs part the digits)"
        if len(cell) <= 20:
            text += f": if it stands for a blank, say missing=[{cell!r}]"
        if row >= len(self.table) - 5 and self.table.layout is not None and len(self.table) > 5:
            text += f"; skip_footer={len(self.table) - row} leaves out the end of the file"
        return text

    def _find_decimal(self) -> str:
        found: dict[str, tuple[int, str]] = {}
        for k in range(len(self.table.columns)):
            if k not in self._but and self.table.cells[k].dtype == object:
                self._hear(k, found)
            elif k not in self._but and self.table.layout is not None and self.table.cells[k].dtype == np.float64:
                written = (row[k] for row in self.table.layout.sample[:_SAMPLE] if k < len(row))
                for cell in written:
                    sign = decimal_sign(cell)
                    if sign is not None:
                        found.setdefault(sign, (k, cell))
        places = {sign: f"{cell.strip()!r} in column {self.table.columns[k]!r}" for sign, (k, cell) in found.items()}
        layout = self.table.layout
        semicolon = layout is not None and layout.separator == ";"
        if "point" in found and "comma" in found:
            raise ValueError(
                f"{self.table.name} has {places['point']} with a decimal point and {places['comma']} with a decimal "
                "comma: say decimal='.' or decimal=','"
            )
        if "comma" in found:
            return ","
        if "point" not in found and "open comma" in found:
            if semicolon and "open point" not in found and self._doubtful(",") is None:
                self.notes.append(f"numbers such as {places['open comma']} are read with a decimal comma")
                return ","
            raise ValueError(
                f"{self.table.name}: the data do not show whether {places['open comma']} has a decimal comma or groups "
                "thousands: say decimal=',' or decimal='.'"
            )
        if "point" in found or (layout is not None and layout.separator == ","):
            return "."
        doubtful = self._doubtful(".")
        if doubtful is not None:
            raise ValueError(
                f"{self.table.name}: the data do not show whether {doubtful} has a decimal point or groups "
                "thousands: say decimal='.' or decimal=','"
            )
        if layout is not None and "open point" in found:
            self.notes.append(f"numbers such as {places['open point']} are read with a decimal point")
        return "."

    def _doubtful(self, sign: str) -> str | None:
        found = (self._may_group(k, sign) for k in range(len(self.table.columns)) if k not in self._but)
        return next(filter(None, found), None)

    def _may_group(self, column: int, sign: str) -> str | None:
        """Name a number of a column whose signs may group thousands: three digits follow each, the rest is short."""
        cells, layout = self.table.cells[column], self.table.layout
        if cells.dtype == np.float64 and layout is not None:
            known = cells[np.isfinite(cells)]
            thousands = 1000 * known
            if (abs(thousands) >= 1e6).any() or not np.allclose(thousands, np.rint(thousands), rtol=0, atol=1e-6):
                return None
            if not re.search(rb"[0-9]\.[0-9]{3}(?![0-9])", layout.data[layout.start : layout.stop]):
                return None
            cells = self.table.written(column)
        elif cells.dtype != object:
            return None
        short, pointed = False, None
        for cell in dict.fromkeys(cells):
            if is_blank(cell):
                continue
            if sign in cell:
                if decimal_sign(_without_unit(cell)) != ("open point" if sign == "." else "open comma"):
                    return None
                pointed = pointed or cell
            elif sum(map(str.isdigit, cell)) > 3 or not _could_be_number(cell):
                return None
            else:
                short = True
        if pointed is None or not short:
            return None
        return f"{pointed.strip()!r} in column {self.table.columns[column]!r}"

    def _hear(self, column: int, found: dict[str, tuple[int, str]]) -> None:
        """Add what a column of texts tells of the decimal sign."""
        cells = self.table.cells[column]
        sample = [cell for cell in dict.fromkeys(cells[:5000]) if not is_blank(cell)][:_SAMPLE]
        if not sample or sum(map(_could_be_number, sample)) < len(sample) / 2:
            return
        for cell in dict.fromkeys(cells):
            sign = decimal_sign(_without_unit(cell)) if "," in cell or "." in cell else None
            if sign is not None:
                found.setdefault(sign, (column, cell))


def _could_be_number(cell: str) -> bool:
    return is_number(_without_unit(cell))


def _without_unit(cell: str) -> str:
    unit = unit_of([cell])
    return cell.strip().removesuffix(unit) if unit else cell
