from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data.series.reading.number_text import decimal_sign, is_blank, parse_number, parse_numbers

FLOATS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
UNITS = {"": 0, "K": 3, "k": 3, "M": 6, "B": 9, "T": 12, "%": -2}


@given(FLOATS)
def test_plain_floats_come_back_exactly(x):
    assert parse_number(repr(x)) == x


@given(st.integers(-(10**12), 10**12), st.integers(0, 4), st.sampled_from(list(UNITS)))
def test_grouped_digits_with_a_suffix_are_rounded_once(units, places, suffix):
    exact = Decimal(units).scaleb(-places)
    text = f"{exact:,.{places}f}{suffix}"
    want = float(exact.scaleb(UNITS[suffix]))
    assert parse_number(text) == want
    swapped = text.replace(",", "_").replace(".", ",").replace("_", ".")
    assert parse_number(swapped, decimal=",") == want


@given(st.lists(st.one_of(FLOATS.map(repr), st.text(max_size=6), st.sampled_from(["1,000", "5K", "-", ""]))))
def test_a_column_is_its_cells_one_by_one(cells):
    values, wrong = parse_numbers(cells)
    for i, cell in enumerate(cells):
        try:
            want = parse_number(cell)
        except ValueError:
            assert i in wrong
            continue
        assert i not in wrong
        np.testing.assert_array_equal(values[i], want)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5.63K", 5630.0),
        ("1.05M", 1050000.0),
        ("4.35K", 4350.0),  # 4.35 * 1000 is 4349.999…
        ("-0.72%", -0.0072),
        (" 1,285.45 ", 1285.45),
        ("$1,234.50", 1234.5),
        ("\N{MINUS SIGN}3", -3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1\u202f234", 1234.0),
        ("2 B", 2e9),
        ("1,23,45,678.90", 12345678.9),
        ("₹1,234.90", 1234.9),
        ("1.5 €", 1.5),
        ("EUR 1.5", 1.5),
        ("(5.2)", -5.2),
        ("($1,234)", -1234.0),
        ("$-1.5", -1.5),
        ("-$1.5", -1.5),
        ("%5", 0.05),
        ("5 %", 0.05),
        ("1.2万", 12000.0),
        ("1.5 Mio", 1.5e6),
        ("1'234.5", 1234.5),
    ],
)
def test_spellings(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "1,5",
        "1,234,56",
        "(-5)",
        "-$-1",
        "5%%",
        "12.3 b",
        "1e400",
        "abc",
        "1.2.3",
        "5KK",
        "K",
        "--5",
        "0x10",
        "1_000",
        "e5",
        "+",
        "１",
    ],
)
def test_not_numbers(text):
    with pytest.raises(ValueError, match=r"not a number|too large for a number \(float64 ends at"):
        parse_number(text)


def test_blanks():
    for text in ["", "  ", "-", "n/a", "NaN", "null", "None", "#N/A", ".", "inf", "-inf"]:
        assert is_blank(text)
        assert np.isnan(parse_number(text))
    assert not is_blank("0")
    values, wrong = parse_numbers(["1", "2e999", ":", "..", "#NULL!"])
    np.testing.assert_array_equal(values, [1.0, np.nan, np.nan, np.nan, np.nan])
    assert wrong.tolist() == [1]


def test_decimal_sign():
    assert parse_number("1.234,5", decimal=",") == 1234.5
    with pytest.raises(ValueError, match="decimal must be"):
        parse_number("1", decimal="·")


@given(st.integers(0, 10**9), st.integers(0, 5), st.sampled_from([".", ","]), st.booleans())
def test_a_sign_is_never_taken_for_the_other(whole, places, decimal, grouped):
    """What a number tells of the decimal sign is so, however it was written."""
    number = Decimal(whole).scaleb(-places)
    text = f"{number:,.{places}f}" if grouped else f"{number:.{places}f}"
    text = text if decimal == "." else text.translate(str.maketrans(".,", ",."))
    told = decimal_sign(text)
    assert told in (None, "open point", "open comma", {".": "point", ",": "comma"}[decimal])
    assert told or not set(".,") & set(text)
