"""Numbers as people and exports write them: thousands commas, K/M/B/T and % suffixes, blanks."""

import re
from functools import cache

import numpy as np

from seqvision._checks import check_choice

BLANKS = frozenset(
    ["", "-", "--", "–", "—", ".", "?", "n/a", "na", "#n/a", "nan", "null", "none", "inf", "+inf", "-inf", "infinity"]
)
_PLAIN = frozenset("0123456789+-.eE")
_SHIFT = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12, "%": -2}


def is_blank(cell: str) -> bool:
    """Say whether a cell holds no value: empty, a dash, n/a, nan, null, inf …

    >>> is_blank(" - "), is_blank("0")
    (True, False)
    """
    return cell.strip().casefold() in BLANKS


def parse_number(cell: str, decimal: str = ".") -> float:
    """Read one number.

    Thousands may be grouped in threes by commas (by points if the decimal sign is a comma), spaces or apostrophes; a
    suffix K, M, B or T multiplies by 10^3, 10^6, 10^9 or 10^12 and % divides by 100; a currency sign is ignored. The
    result is the float nearest to the decimal number that is written.

    Args:
      cell: the text.
      decimal: "." or ",", the decimal sign.

    Returns:
      The number, NaN for a blank.

    Raises:
      ValueError: if the text is no number.

    >>> [parse_number(text) for text in ("1,285.45", "5.63K", "1.05M", "-0.72%", "-")]
    [1285.45, 5630.0, 1050000.0, -0.0072, nan]
    """
    text = cell.strip().replace("\N{MINUS SIGN}", "-")
    if text.casefold() in BLANKS:
        return float("nan")
    match = _pattern(decimal).fullmatch(text)
    if match is None or not (match["whole"] or match["fraction"]):
        raise ValueError(f"{cell!r} is not a number")
    whole = re.sub(r"\D", "", match["whole"] or "0")
    exponent = int(match["exponent"] or 0) + _SHIFT[match["suffix"].casefold()]
    return float(f"{match['sign']}{whole}.{match['fraction'] or '0'}e{exponent}")


def parse_numbers(cells, decimal: str = ".") -> tuple[np.ndarray, np.ndarray]:
    """Read a column of numbers.

    Args:
      cells: N texts.
      decimal: "." or ",", the decimal sign.

    Returns:
      values: (N,) float64, NaN where a cell is blank or wrong.
      wrong: (k,) positions of the cells that are neither a number nor blank.

    >>> values, wrong = parse_numbers(["1", "", "SBUX"])
    >>> values.tolist(), wrong.tolist()
    ([1.0, nan, nan], [2])
    """
    if decimal == "." and set("".join(cells)) <= _PLAIN:
        try:
            return np.array(list(map(float, cells)), dtype=np.float64), np.zeros(0, int)
        except ValueError:
            pass  # a blank, or something like a date: look at each cell
    values, wrong = np.full(len(cells), np.nan), []
    for i, cell in enumerate(cells):
        try:
            values[i] = parse_number(cell, decimal)
        except ValueError:
            wrong.append(i)
    return values, np.array(wrong, int)


@cache
def _pattern(decimal: str) -> re.Pattern:
    check_choice("decimal", decimal, (".", ","))
    group = f"[{'.' if decimal == ',' else ','}'\u00a0\u202f\u2009 ]"
    return re.compile(
        rf"(?P<sign>[+-]?)[$€£¥₫]?(?P<whole>\d{{1,3}}(?:{group}\d{{3}})+|\d*)(?:{re.escape(decimal)}(?P<fraction>\d*))?"
        r"(?:e(?P<exponent>[+-]?\d{1,4}))?\s?(?P<suffix>[KMBT%]?)",
        re.IGNORECASE | re.ASCII,
    )
