"""Large files are read from the disk, block by block, and give what the same text in memory gives."""

import io
import random

import numpy as np
import pytest

from seqvision.data import read_series
from seqvision.data.series.reading import file_text, parsing, sources, table
from seqvision.data.series.reading.file_text import FileText


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(sources, "LARGE", 0)
    monkeypatch.setattr(file_text, "_PIECE", 16)
    monkeypatch.setattr(parsing, "_BLOCK", 4)


def test_a_file_has_the_methods_of_its_bytes(tmp_path, small_blocks):
    draw = random.Random(0)
    path = tmp_path / "text"
    for size in (0, 1, 15, 16, 17, 100, 333):
        data = bytes(draw.choices(b"ab\n,", k=size))
        path.write_bytes(data)
        text = FileText(path)
        assert text.is_plain()
        assert text.read() == data
        assert len(text) == size
        for _ in range(50):
            start, stop = sorted(draw.choices(range(size + 3), k=2))
            word = bytes(draw.choices(b"ab\n,", k=draw.randint(1, 4)))
            assert text[start:stop] == data[start:stop]
            assert text.find(word, start, stop) == data.find(word, start, stop)
            assert text.rfind(word, start, stop) == data.rfind(word, start, stop)
            assert text.count(word[:1], start, stop) == data.count(word[:1], start, stop)
            assert text.count(b"\n", start, stop) == data.count(b"\n", start, stop)
            assert (word in text) == (word in data)
            assert b"".join(text.pieces(start, stop)) == data[start:stop]


@pytest.mark.parametrize("bad", [b"\xe9", b"\r", b'"', b"\0", b"\xff\xfe", b"\xe2\x82"])
@pytest.mark.parametrize("at", [0, 15, 16, 40])
def test_what_needs_thought_is_not_plain(tmp_path, small_blocks, bad, at):
    path = tmp_path / "text"
    path.write_bytes(b"a" * at + bad + b"a" * (50 - at))
    assert not FileText(path).is_plain()


def test_letters_beyond_ascii_are_plain_wherever_a_block_ends(tmp_path, small_blocks):
    path = tmp_path / "text"
    for at in range(20):
        path.write_bytes(b"a" * at + "é€😀".encode())
        assert FileText(path).is_plain()
    path.write_bytes(b"a" * 40 + "€".encode()[:2])
    assert not FileText(path).is_plain()
    path.write_bytes("\ufeffa".encode())
    assert not FileText(path).is_plain()


HOURS = [str(hour).replace("T", " ") for hour in np.datetime64("2000-01-30T22:00:00") + 3600 * np.arange(30)]
ROWS = [f"{hour},{k}.25,{k * k}" for k, hour in enumerate(HOURS)]
TEXTS = {
    "plain": ["date,a,b", *ROWS],
    "blank lines": ["date,a,b", *ROWS[:7], "", *ROWS[7:], "", ""],
    "comments": ["# one", "date,a,b", *ROWS[:9], "# two", *ROWS[9:]],
    "remarks": ["date,a,b", *ROWS, "Source: the office"],
    "texts": ["date,a,b,c", *(f"{row},word {k}" for k, row in enumerate(ROWS))],
    "not sorted": ["date,a,b", *reversed(ROWS)],
    "accents": ["date,é,b", *ROWS],
    "quoted": ["date,a,b", *(row.replace(".25", '.25"').replace(",", ',"', 1) for row in ROWS)],
    "tabs": ["date\ta\tb", *(row.replace(",", "\t") for row in ROWS)],
    "semicolons": ["date;a;b", *(row.replace(",", ";").replace(".25", ",25") for row in ROWS)],
    "widths differ": ["date,a,b", *(row.replace("2000-0", "2000-") for row in ROWS)],
    "blanks before cells": ["date,a,b", *(row.replace(",", ",  ") for row in ROWS)],
    "blanks before dates": ["date,a,b", *(f" {row}" for row in ROWS)],
    "blanks at last": ["date,a,b", *ROWS[:25], ", ".join(ROWS[25].split(",")), f" {ROWS[26]}", f"\t{ROWS[27]}"],
    "later a text": ["date,a,b", *ROWS[:20], ROWS[20].rsplit(",", 1)[0] + ",1 000", *ROWS[21:]],
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_gives_what_its_text_gives(tmp_path, monkeypatch, name, end):
    text = end.join(TEXTS[name]) + end
    expected = read_series(io.StringIO(text), columns="all")
    monkeypatch.setattr(sources, "LARGE", 0)
    monkeypatch.setattr(file_text, "_PIECE", 16)
    for block in (7, 10, 30):
        monkeypatch.setattr(parsing, "_BLOCK", block)
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode())
        series = read_series(path, columns="all")
        np.testing.assert_array_equal(series.values, expected.values)
        np.testing.assert_array_equal(series.dates, expected.dates)
        assert (series.columns, series.notes) == (expected.columns, expected.notes)


@pytest.mark.parametrize("row", [2, 3, 4, 5, 8, 28, 29])
@pytest.mark.parametrize("change", ["longer", "much longer", "shorter", "only a date"])
def test_a_ragged_row_is_refused_wherever_a_block_ends(tmp_path, small_blocks, row, change):
    rows = ["date,a,b", *ROWS]
    cells = rows[row + 1].split(",")
    rows[row + 1] = ",".join(
        {"longer": [*cells, "1"], "much longer": [*cells, "1", "2"], "shorter": cells[:2], "only a date": cells[:1]}[
            change
        ]
    )
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(ValueError, match=rf"row {row} \(line {row + 2}\) has \d cells?, but there are 3"):
        read_series(path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, small_blocks, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["date,a,b", *ROWS]) + "\n")
    parse = table.parse

    def slow(*given):
        found = parse(*given)
        with path.open("a") as file:
            file.write("2001-01-01 00:00:00,1,1\n")
        return found

    monkeypatch.setattr(table, "parse", slow)
    with pytest.raises(ValueError, match="was written to while it was read"):
        read_series(path)


def test_the_numbers_of_a_large_file_are_held_once(tmp_path, small_blocks):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["date,a,b", *ROWS]) + "\n")
    series = read_series(path)
    np.testing.assert_array_equal(series.values, [[k + 0.25, k * k] for k in range(30)])
    assert series.values.flags.c_contiguous
    np.testing.assert_array_equal(read_series(path, columns=["b", "a"]).values, series.values[:, ::-1])
    np.testing.assert_array_equal(read_series(path, "b").values, series.values[:, 1:])


@pytest.mark.parametrize(
    "word", ["", " ", "NA", " n/a", "nan", "-", ".", "?", "null", "inf", "-Infinity", "#DIV/0!", "None"]
)
def test_a_word_for_a_blank_that_comes_late_is_one(tmp_path, small_blocks, monkeypatch, word):
    monkeypatch.setattr("seqvision.data.series.reading.layout.SAMPLE", 10)
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["date,a,b", *ROWS[:22], f"{HOURS[22]},{word},7", *ROWS[23:]]) + "\n")
    with pytest.raises(ValueError, match=r"row 22 .* column 'a' is (?:blank|infinite) "):
        read_series(path)
    values = read_series(path, blanks="zero").values
    assert values[21:24].tolist() == [[21.25, 441], [0, 7], [23.25, 529]]
