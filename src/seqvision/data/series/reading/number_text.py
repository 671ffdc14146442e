"""Numbers as people and exports write them: grouped digits, currencies, suffixes, per cent, blanks."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal

import numpy as np

from seqvision._checks import check_choice

_NO_VALUE = """
- -- – — . .. ... … : ? n/a n.a. na #n/a <na> nan nat null none #null! #value! #div/0! #ref! #num! #name?
inf +inf -inf infinity +infinity -infinity
"""
BLANKS = frozenset(["", "#n/a n/a", *_NO_VALUE.split()])
PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_PLAIN_SIGNS = frozenset("0123456789+-.eE")
_SHIFT = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12, "mio": 6, "mn": 6, "mrd": 9, "bn": 9, "tn": 12, "cr": 7, "lakh": 5}
_SHIFT |= {"万": 4, "萬": 4, "亿": 8, "億": 8, "만": 4, "억": 8}
_SUFFIXES = "|".join(sorted((re.escape(suffix) for suffix in _SHIFT if suffix), key=len, reverse=True))
_CURRENCY = r"(?:US\$|R\$|[$€£¥₫₹₩₽₺₪฿]|Rs\.?|USD|EUR|GBP|INR|CHF|JPY|CNY|VND)"
_GROUPS = "'’\u00a0\u202f\u2009 "  # signs beside the point and the comma that group digits
_UNIT = re.compile(
    r"(?P<number>.*[0-9.,])[ \u00a0\u202f]?(?P<unit>[^\W\d_°][^\d]{0,11}|°[^\d]{0,4}|[µ℃℉].{0,4})", re.DOTALL
)


def is_blank(cell: str) -> bool:
    """Say whether a cell holds no value: empty, a dash, n/a, nan, null, inf, a mistake of a spreadsheet …

    >>> is_blank(" - "), is_blank("0")
    (True, False)
    """
    return cell.strip().casefold() in BLANKS


def parse_number(cell: str, decimal: str = ".") -> float:
    """Read one number.

    Thousands may be grouped in threes (in the Indian way too) by commas, or by points if the decimal sign is a comma,
    or by spaces or apostrophes; a suffix K, M, B or T multiplies by 10^3, 10^6, 10^9 or 10^12 and % divides by 100; a
    currency is left out, and a number in parentheses is negative. The result is the float nearest to the decimal number
    that is written.

    Args:
      cell: the text.
      decimal: "." or ",", the decimal sign.

    Returns:
      The number, NaN for a blank.

    Raises:
      ValueError: if the text is no number, or one beyond the range of floats.

    >>> [parse_number(text) for text in ("1,285.45", "5.63K", "1.05M", "-0.72%", "(5.2)", "₹1,23,456", "-")]
    [1285.45, 5630.0, 1050000.0, -0.0072, -5.2, 123456.0, nan]
    """
    text = cell.strip().replace("\N{MINUS SIGN}", "-")
    if text.casefold() in BLANKS:
        return float("nan")
    match = _pattern(decimal).fullmatch(text)
    if match is None or not (match["whole"] or match["fraction"]):
        raise ValueError(f"{cell!r} is not a number")
    per_cent = (match["before"] or "") + (match["after"] or "")
    signs = match["sign"] + (match["sign2"] or "")
    if len(per_cent) > 1 or len(signs) + bool(match["open"]) > 1 or bool(match["open"]) != bool(match["close"]):
        raise ValueError(f"{cell!r} is not a number")
    if match["lone"] and match["suffix"] in ("k", "m", "b", "t"):  # a space and a small letter: a flag or a unit
        raise ValueError(f"{cell!r} is not a number")
    whole = re.sub(r"\D", "", match["whole"] or "0")
    exponent = int(match["exponent"] or 0) + _SHIFT[match["suffix"].casefold()] - 2 * len(per_cent)
    number = float(f"{'-' if match['open'] else signs}{whole}.{match['fraction'] or '0'}e{exponent}")
    if np.isinf(number):
        raise ValueError(f"{cell!r} is too large for a number (float64 ends at 1.8e308)")
    return number


def parse_numbers(cells: Sequence[str] | np.ndarray, decimal: str = ".") -> tuple[np.ndarray, np.ndarray]:
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
    if decimal == "." and set().union(*map(set, cells[:1000])) <= _PLAIN_SIGNS:
        try:
            values = np.array(list(map(float, cells)), dtype=np.float64)
            if np.isfinite(values).all() and "_" not in "".join(cells):
                return values, np.zeros(0, int)
        except ValueError:
            pass  # a blank, or something like a date: look at each cell
    known: dict[str, float | None] = {}
    for cell in set(cells):
        try:
            known[cell] = parse_number(cell, decimal)
        except ValueError:
            known[cell] = None
    found = [known[cell] for cell in cells]
    wrong = np.array([i for i, value in enumerate(found) if value is None], int)
    return np.array([np.nan if value is None else value for value in found], np.float64), wrong


def unit_of(cells: Iterable[str]) -> str:
    """Return the unit that follows every number of a column, or "" if there is none.

    >>> unit_of(["5 kWh", "6.5 kWh", ""]), unit_of(["5 kWh", "6"]), unit_of(["5K", "6K"]), unit_of(["5 m", "6 m"])
    ('kWh', '', '', 'm')
    """
    unit = ""
    for cell in cells:
        if is_blank(cell):
            continue
        match = _UNIT.fullmatch(cell.strip())
        if match is None or (unit and match["unit"] != unit):
            return ""
        unit = match["unit"]
    shift = unit.casefold() in _SHIFT and not (len(unit) == 1 and unit in "mbt")
    return "" if shift or re.fullmatch(f"{_CURRENCY}|[eE]", unit) else unit


Sign = Literal["point", "comma", "open point", "open comma"]


def decimal_sign(cell: str) -> Sign | None:
    """Say what a number tells of the decimal sign; "open" where three digits follow, which may be thousands.

    >>> [decimal_sign(cell) for cell in ("1.5", "1,5", "1.234,5", "1,234,567", "1,899", "1.899", "17", "x")]
    ['point', 'comma', 'comma', 'point', 'open comma', 'open point', None, None]
    """
    text = cell.strip().replace("\N{MINUS SIGN}", "-")
    readable = {decimal: bool(_pattern(decimal).fullmatch(text)) for decimal in (".", ",")}
    body = re.search(rf"[0-9.,{_GROUPS}]*[0-9][0-9.,{_GROUPS}]*", text)
    if body is None or not any(readable.values()) or not re.search("[.,]", body[0]):
        return None
    if readable["."] != readable[","]:
        return "point" if readable["."] else "comma"
    return "open comma" if "," in body[0] else "open point"


@cache
def _pattern(decimal: str) -> re.Pattern:
    check_choice("decimal", decimal, (".", ","))
    other = re.escape("." if decimal == "," else ",")
    groups = rf"[1-9]\d{{0,2}}(?P<group>[{other}{_GROUPS}])\d{{3}}(?:(?P=group)\d{{3}})*"
    indian = rf"\d{{1,2}}(?:{other}\d{{2}})+{other}\d{{3}}"
    return re.compile(
        rf"(?P<open>\()?(?P<sign>[+-]?){_CURRENCY}?[ ]?(?P<sign2>[+-]?)(?P<before>%?)(?P<whole>{groups}|{indian}|\d*)"
        rf"(?:{re.escape(decimal)}(?P<fraction>\d*))?(?:e(?P<exponent>[+-]?\d{{1,4}}))?"
        rf"(?P<lone>\s?)(?P<suffix>(?:{_SUFFIXES})?)\s?(?P<after>%?)\s?{_CURRENCY}?(?P<close>\))?",
        re.IGNORECASE | re.ASCII,
    )
