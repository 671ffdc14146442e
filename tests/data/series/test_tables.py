"""Tables as programs and people write them: read right, or refused by words that can be typed."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import read_all_series, read_series
from seqvision.data.series.reading import parsing, sources
from seqvision.data.series.reading.layout import find_layout
from seqvision.data.series.reading.number_text import is_blank


def read(text, *args, **options):
    return read_series(io.StringIO(text) if isinstance(text, str) else io.BytesIO(text), *args, **options)


def values(text, *args, **options):
    return read(text, *args, **options).values.ravel().tolist()


def days(series):
    return series.dates.astype("datetime64[D]").astype(str).tolist()


DAYS = "date,v\n2020-01-01,1\n2020-01-02,2\n"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Datum;Preis\n31.05.2022;1,899\n01.06.2022;1,959\n", [1.899, 1.959]),
        ('Datum,Preis,x\n"31.05.2022","1,073","1,5"\n"01.06.2022","1,074","2,5"\n', [1.073, 1.5, 1.074, 2.5]),
        ('v,w\n"1,073","1,292.68"\n"1,074","1,293.92"\n', [1073, 1292.68, 1074, 1293.92]),
        ('v\n"1,073"\n"1,073,000"\n', [1073, 1073000]),
        ('v\n"0,073"\n"1,073"\n', [0.073, 1.073]),
        ("v;w\n1.234,5;7\n2.345;8\n", [1234.5, 7, 2345, 8]),
        ("v\tw\n1,5\t1.234\n", [1.5, 1234]),
        ("v;w\n1.5;2.25\n", [1.5, 2.25]),
        ('v,w\n"1,073",1.5\n"1,074",2.5\n', [1073, 1.5, 1074, 2.5]),
        ('v\n"1,23,45,678.90"\n"2,00,000.00"\n', [12345678.9, 200000]),
        ("v\n₹1234.90\n(5.2)\n$-1.5\n%5\n", [1234.9, -5.2, -1.5, 0.05]),
        ("v,w\n5 kWh,1\n6.5 kWh,2\n", [5, 1, 6.5, 2]),
        ("v,w\n5m,1\n6m,2\n", [5, 1, 6, 2]),
    ],
)
def test_signs_of_numbers_are_found_out(text, want):
    assert values(text) == want
    assert values(text, **{"decimal": read(text).reading["decimal"]}) == want


@pytest.mark.parametrize(
    "text",
    [
        'Datum,Preis\n"31.05.2022","1,073"\n"01.06.2022","1,074"\n',
        "v\tw\n1,899\t1\n",
        "v|w\n1,899|1.899\n",
    ],
)
def test_signs_of_numbers_that_the_data_do_not_tell_are_asked_for(text):
    with pytest.raises(ValueError, match=r"do not show whether '1,.*decimal=',' or decimal='\.'"):
        read(text)
    assert max(values(text, decimal=",")) < 2 or "|" in text
    assert max(values(text, decimal=".")) > 1000


@pytest.mark.parametrize("sign", ".,")
@pytest.mark.parametrize("unit", ["", " €"])
@pytest.mark.parametrize("separator", ";\t")
@pytest.mark.parametrize("before", [3, 3000])
def test_numbers_that_cross_a_thousand_with_a_sign_are_asked_for(separator, unit, sign, before):
    cells = [*(str(100 + k % 900) for k in range(before)), f"1{sign}000", f"1{sign}010", f"1{sign}020"]
    text = f"k{separator}close\n" + "".join(f"{k}{separator}{cell}{unit}\n" for k, cell in enumerate(cells))
    with pytest.raises(ValueError, match=rf"do not show whether '1\{sign}000.*decimal='[.,]' or decimal='[.,]'"):
        read(text, target="close")
    want = {sign: 1.01, {".": ",", ",": "."}[sign]: 1010.0}
    for decimal, value in want.items():
        assert read(text, target="close", decimal=decimal).values[-2, 0] == value
    decided = text.replace(f"1{sign}020", f"1{sign}02")
    assert read(decided, target="close").values[-2, 0] == 1.01


def test_numbers_that_all_have_three_decimals_are_read_with_a_note():
    for text in ("k;v\n0;100.001\n1;100.002\n2;99.000\n", "k;v\n0;1500\n1;100.002\n2;99.000\n"):
        series = read(text, target="v")
        assert series.values[1, 0] == 100.002
        assert "with a decimal point" in series.notes[0]


def test_signs_of_numbers_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match=r"'2.5' in column 'w' with a decimal point and '1,5' in column 'v'"):
        read("v;w\n1,5;2.5\n3,5;4.5\n")
    assert read("d;v\n2020-01-01;1.234\n2020-01-02;2.345\n").notes == (
        "numbers such as '1.234' in column 'v' are read with a decimal point",
    )
    assert "read with a decimal comma" in read("v;w\n1,899;1\n").notes[0]


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8),
    st.integers(0, 4),
    st.sampled_from([".", ","]),
    st.booleans(),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "A title\n\n", "# a remark\n", "Main Street 5, Berlin\nreport of may\n"]),
    st.booleans(),
)
def test_a_series_reads_back_right_or_is_refused(
    units, places, decimal, grouped, separator, encoding, newline, before, header
):
    want = [unit / 10**places for unit in units]
    cells = [f"{x:,.{places}f}" if grouped else f"{x:.{places}f}" for x in want]
    swap = str.maketrans(".,", ",.")
    cells = [cell.translate(swap) if decimal == "," else cell for cell in cells]
    cells = [f'"{cell}"' if separator in cell else cell for cell in cells]
    rows = [f"2020-01-{k + 1:02d}{separator}{cell}" for k, cell in enumerate(cells)]
    text = before + "\n".join(([f"day{separator}v"] if header else []) + rows) + "\n"
    data = text.replace("\n", newline).encode(encoding)
    try:
        series = read(data)
    except ValueError:
        series = read(data, decimal=decimal, skip_rows=before.count("\n"), header=header)
    if any("decimal" in note for note in series.notes):
        return  # said in a sentence
    if separator == "," == decimal and grouped and not places:
        return  # between commas a point is the decimal sign, unless another number tells
    np.testing.assert_allclose(series.values[:, 0], want, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "columns", "want"),
    [
        (",0\n0,0.1257\n1,-0.132\n", ("0",), [0.1257, -0.132]),
        (pd.Series([0.5, 0.25, 0.1]).to_csv(), ("0",), [0.5, 0.25, 0.1]),
        (pd.Series([0.5, 0.25], pd.date_range("2020", periods=2)).to_csv(), ("0",), [0.5, 0.25]),
        (pd.DataFrame({"a": [7, 8], "b": [3, 4]}).to_csv(), ("a", "b"), [7, 3, 8, 4]),
        (pd.DataFrame([[7, 8], [3, 4]]).to_csv(), ("0", "1"), [7, 8, 3, 4]),
        ("Country,1960,1961,1962\nA,5,6,7\nB,6,7,8\n", ("1960", "1961", "1962"), [5, 6, 7, 6, 7, 8]),
        ("Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2020-01-02,72.7,72.8\n", ("Close", "High"), [72.7, 72.8]),
        ("Price,Close\nTicker,AAPL\nDate,\n2020-01-02,72.7\n2020-01-03,72.0\n", ("Close",), [72.7, 72.0]),
        ("Price,Close,Close\nTicker,A,B\nDate,,\n2020-01-02,7,8\n", ("A", "B"), [7, 8]),
        ("time,temp,wind\n,°C,m/s\n2020-01-01,5,6\n2020-01-02,7,8\n", ("temp °C", "wind m/s"), [5, 6, 7, 8]),
        ("a b\n2020-01-01 0.1 0.2\n2020-01-02 0.3 0.4\n", ("a", "b"), [0.1, 0.2, 0.3, 0.4]),
        ("# day,v\n2020-01-01,1\n2020-01-02,2\n", ("v",), [1, 2]),
        ("a,b\nND,ND\n1,2\n", None, "'ND' is not a number: if it stands for a blank, say missing="),
        ("2020-01-01,ND\n2020-01-02,5\n", None, "'ND' is not a number"),
    ],
)
def test_headers(text, columns, want):
    if columns is None:
        with pytest.raises(ValueError, match=want):
            read(text, columns=1)
        return
    assert read(text).columns == columns
    assert values(text) == want


def test_names_come_before_positions():
    text = "date,0,1,2,OT\n2020-01-01,5,6,7,8\n2020-01-02,5,6,7,8\n"
    assert read(text, "1").target == "1"
    assert read(text, "0").values[0, 0] == 5
    assert read(text, 1).target == "0"
    assert read(text, columns=["0", "2"]).columns == ("0", "2")
    assert read("0,1\n5,2020-01-01\n6,2020-01-02\n", date="1", header=True).columns == ("0",)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("Monthly sales\nStreet 5, Berlin, D\n\n" + DAYS, ("before the table 2 lines are skipped: 'Monthly sales'",)),
        ("# made by x\n# y\n" + DAYS, ("2 lines are skipped that begin with '#'",)),
        ("# made by x\n" + DAYS + "# the end\n", ("2 lines are skipped that begin with '#'",)),
        ("sep=;\n" + DAYS.replace(",", ";"), ("the line 'sep=;' is skipped",)),
        ('"sep=,"\n' + DAYS, ("the line 'sep=,' is skipped",)),
        (DAYS + "Source: Eurostat\n", ("after the table 1 line is skipped: 'Source: Eurostat'",)),
        (DAYS + "\nNote\nSource: Eurostat\n", ("after the table 2 lines are skipped: 'Note'",)),
        (DAYS + "Source: Eurostat,\n", ("after the table 1 line is skipped: 'Source: Eurostat'",)),
        ("date,v\n2020-01-01,1\n\n2020-01-02,2\n", ("1 blank line is left out",)),
        ("date,v\n2020-01-01,1\n,\n2020-01-02,2\n\n\n", ("1 blank line is left out",)),
    ],
)
def test_what_is_none_of_the_table_is_skipped_with_a_note(text, notes):
    series = read(text)
    assert series.values.ravel().tolist() == [1, 2]
    assert days(series) == ["2020-01-01", "2020-01-02"]
    assert series.notes == notes


def test_what_is_none_of_the_table_by_word():
    assert values("x,y\n1,2\n" + DAYS, skip_rows=2) == [1, 2]
    assert values(DAYS + "x,y\n", skip_footer=1) == [1, 2]
    assert values("# a remark\n" + DAYS + "x,y\n", skip_footer=1) == [1, 2]
    assert values(
        "# a remark\n" + DAYS.replace(",2", ",2 ! so") + "x,y\n", skip_footer=1, comment="!", skip_rows=1
    ) == [1, 2]
    assert values(DAYS.replace(",1", ",1 ! so"), comment="!") == [1, 2]
    assert values('date,v\n2020-01-01,1\n"2020-01-02",2 # "so"\n', comment="#") == [1, 2]
    with pytest.raises(ValueError, match=r"row 2 \(line 4\).*'2020' is not|row 2 \(line 4\).*'Source: x'"):
        read(DAYS + "Source: x,2020\n")
    with pytest.raises(ValueError, match="skip_rows must be an int >= 0"):
        read(DAYS, skip_rows=-1)
    with pytest.raises(ValueError, match=r"row 1 \(line 3\) has 1 cells"):  # a torn row is none of the remarks
        read("date,v\n2020-01-01,1\n2020-01-02\n")
    with pytest.raises(ValueError, match=r"row 2 \(line 4\) has 1 cells"):
        read(DAYS + "2020-01-\n")


def test_words_and_numbers_for_what_is_missing():
    for word in ("ND", "n.d.", "missing"):
        with pytest.raises(ValueError, match=rf"row 1 \(line 3\), column 'v': '{word}' .* missing=\['{word}'\]"):
            read(f"v\n1\n{word}\n2\n3\n")
        assert values(f"v\n1\n{word}\n2\n", missing=word, blanks="ffill") == [1, 1, 2]
    for word in (":", "..", "#NULL!", "#DIV/0!", "NaN", "<NA>"):
        assert values(f"v\n1\n{word}\n2\n", blanks="ffill") == [1, 1, 2]
        with pytest.raises(ValueError, match=r"row 1 \(line 3\), column 'v' is blank"):
            read(f"v\n1\n{word}\n2\n")
    assert values("v\n1\n-200\n2\n", missing=[-200], blanks="ffill") == [1, 1, 2]
    assert values("v,w\n1,ND\n-200.0,5\n2,1\n", missing=["nd", -200], blanks="ffill", columns="v") == [1, 1, 2]
    assert values("date,v\n2020-01-01,1\nND,2\n", missing=["ND"], blanks="drop") == [1]


def test_numbers_beyond_the_range_are_said_to_be_so():
    for text in ("v\n1\n1e400\n", "v\n1\n2\n1e400\n", "v\n" + "9" * 400 + "\n1\n2\n"):
        with pytest.raises(ValueError, match=r"too large for a number \(float64 ends at 1.8e308\)"):
            read(text, "v")
    with pytest.raises(ValueError, match="line 2: field larger than field limit"):
        read('v,w\n"' + "a" * 140_000 + '",1\n2,3\n')


@pytest.mark.parametrize("word", ["true", "True", "FALSE"])
def test_true_and_false_are_no_numbers(word):
    with pytest.raises(ValueError, match=f"'{word}' is not a number"):
        read("v\n" + "1\n" * 3000 + word + "\n", "v")


LONG = "Country Name,Code,Year,Value\n" + "".join(
    f"{name},{name[0]},{year},{k * 100 + year}\n"
    for k, name in enumerate(("Aruba", "Belgium", "Chad"))
    for year in range(1960, 1970)
)
WIDE = "V1," + ",".join(f"V{k}" for k in range(2, 22)) + "\n"
WIDE += "".join(f"H{r}," + ",".join(str(r * k) if k < 18 + r else "" for k in range(2, 22)) + "\n" for r in (1, 2, 3))
BANK = "Country Name,Code," + ",".join(map(str, range(1960, 1972))) + "\n"
BANK += "".join(f"C{r},X{r}," + ",".join(str(r * 100 + k) for k in range(12)) + "\n" for r in range(3))


def test_series_below_each_other():
    numbered = LONG.replace("Aruba", "1").replace("Belgium", "2").replace("Chad", "3")
    for text in (LONG, LONG.replace("Year", "date"), numbered):
        with pytest.raises(ValueError, match=r"seems to hold 3 series .*series_id='C.* and series=… \("):
            read(text, "Value")
    with pytest.raises(ValueError, match=r"has 3 series by column 'Country Name': say series=… \('Aruba', 'Bel"):
        read(LONG, "Value", series_id="Country Name")
    with pytest.raises(ValueError, match="has no series 'Xanadu' in column 'Country Name': there are 'Aruba'"):
        read(LONG, "Value", series_id="Country Name", series="Xanadu")
    with pytest.raises(ValueError, match="series='Chad' needs series_id="):
        read(LONG, "Value", series="Chad")
    chad = read(LONG, "Value", series_id="Country Name", series="Chad")
    assert chad.name == "Chad"
    assert chad.values[:, 0].tolist() == [200.0 + year for year in range(1960, 1970)]
    assert days(chad)[0] == "1960-01-01"
    every = read_all_series(io.StringIO(LONG), "Value", series_id="Country Name")
    assert list(every) == ["Aruba", "Belgium", "Chad"]
    np.testing.assert_array_equal(every["Chad"].values, chad.values)
    with pytest.raises(TypeError, match="takes no argument 'serie'"):
        read_all_series(io.StringIO(LONG), series_id="Code", serie=1)


def test_series_beside_each_other_by_date():
    rows = [f"2020-01-{day:02d},{shop},{shop * 10 + day}\n" for day in range(1, 11) for shop in (1, 2, 3)]
    text = "date,shop,sales\n" + "".join(rows)
    with pytest.raises(ValueError, match="dates repeat where column 'shop' changes"):
        read(text, "sales")
    assert values(text, "sales", series_id="shop", series=2) == [20.0 + day for day in range(1, 11)]


@pytest.mark.parametrize(("text", "column", "name"), [(WIDE, "V1", "H2"), (BANK, "Country Name", "C1")])
def test_one_series_a_row(text, column, name):
    for options in ({}, {"target": 2}, {"columns": "all"}):
        with pytest.raises(ValueError, match=rf"each row .* series_id='{column}' and series=… \('[HC]"):
            read(text, **options)
    series = read(text, series_id=column, series=name)
    want = [2.0 * k for k in range(2, 20)] if text is WIDE else [100.0 + k for k in range(12)]
    assert series.values[:, 0].tolist() == want
    assert (series.dates is None) == (text is WIDE)
    again = read(text, **series.reading)
    np.testing.assert_array_equal(again.values, series.values)


def test_packed_files(tmp_path):
    packed = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    for ending, compress in packed.items():
        path = tmp_path / f"prices.csv.{ending}"
        path.write_bytes(compress(DAYS.encode()))
        assert read_series(path).values.ravel().tolist() == [1, 2]
        assert read_series(path).name == "prices"
        with pytest.raises(ValueError, match="is damaged"):
            read(compress(DAYS.encode() * 50)[:-12])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("prices.csv", DAYS)
        archive.writestr("__MACOSX/._prices.csv", "x")
    assert read_series(tmp_path / "a.zip").values.ravel().tolist() == [1, 2]
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.csv", DAYS)
        archive.writestr("b.csv", DAYS)
    with pytest.raises(ValueError, match=r"b.zip holds 2 files \(a.csv, b.csv\): unpack it"):
        read_series(tmp_path / "b.zip")


def test_a_file_without_a_name_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", DAYS)
    data = (tmp_path / "a.zip").read_bytes()
    at = data.rindex(b"a.csv") - 46
    with pytest.raises(ValueError, match="is damaged or a binary file"):
        read(data[: at + 28] + b"\0\0" + data[at + 30 :])


def test_packed_files_are_bounded(monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 1 << 21)
    for compress in (gzip.compress, bz2.compress, lzma.compress):
        with pytest.raises(ValueError, match="unpacks to more than 2 MiB: unpack it"):
            read(compress(b"1\n" * (1 << 21)))


FRAME = pd.DataFrame({"day": pd.to_datetime(["2020-01-02", "2020-01-01"]), "v": [2, 1], "word": ["x", None]})


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.set_index("day"),
        FRAME.set_index("day")["v"],
        FRAME.assign(day=FRAME["day"].dt.tz_localize("UTC")),
        FRAME.assign(day=["02.01.2020", "01.01.2020"], v=["2,0", "1,0"]),
        FRAME.assign(v=FRAME["v"].astype("Int64")),
        FRAME.assign(v=pd.Categorical(["2", "1"])),
        pd.Series([2.0, 1.0], pd.PeriodIndex(["2020-01-02", "2020-01-01"], freq="D")),
    ],
)
def test_tables_in_memory(frame):
    series = read_series(frame, **({"dayfirst": True} if frame is not FRAME and "word" in frame else {}))
    assert series.values.ravel().tolist() == [1, 2]
    assert days(series) == ["2020-01-01", "2020-01-02"]


def test_tables_in_memory_that_are_refused():
    with pytest.raises(TypeError, match=r"source must be a path, an open file or a .*, got ndarray"):
        read_series(np.zeros(3))
    with pytest.raises(ValueError, match="has no rows"):
        read_series(FRAME.iloc[:0])
    with pytest.raises(ValueError, match="has no columns"):
        read_series(pd.DataFrame())
    with pytest.raises(ValueError, match=r"table, row 1, column 'v' is blank"):
        read_series(FRAME.assign(v=[1.0, np.nan]), "v", date=False)


def test_parquet_and_excel(tmp_path):
    pytest.importorskip("pyarrow")
    pytest.importorskip("openpyxl")
    frame = FRAME.assign(v=[2.5, 1.5])
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.parquet", "a.xlsx"):
        series = read_series(tmp_path / name)
        assert series.values.ravel().tolist() == [1.5, 2.5]
        assert days(series) == ["2020-01-01", "2020-01-02"]
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(ValueError, match=f"{name} is damaged"):
            read_series(tmp_path / name)


def test_what_was_found_out_reads_a_shorter_file_the_same_way():
    text = "Datum;Zeit;Preis;Menge\n" + "".join(
        f"{day:02d}.05.2020;{hour:02d}:00;{day},{hour:02d}5;1\n" for day in range(1, 29) for hour in (0, 6, 12, 18)
    )
    series = read(text, "Preis")
    assert series.reading["date"] == ["Datum", "Zeit"]
    reading = json.loads(json.dumps(series.reading))
    lines = text.splitlines(keepends=True)
    short = read("".join(lines[:9]), "Preis", **reading)  # days 1 and 2 of May, or the 5th of January and February
    np.testing.assert_array_equal(short.values, series.values[:8])
    np.testing.assert_array_equal(short.dates, series.dates[:8])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2.5", "-3e2", "nan", "", "1,000", '"x"', "true", "inf", " 7 ", "-", '"a""b"', "é"]),
            st.sampled_from(["2020-01-01", "2020-01-02 10:00", "1/2/2020", "", "0"]),
            st.sampled_from(["5", "", "6.5", '"1,5"', "1;2"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_pandas_parses_as_the_slow_reader_does(rows, separator):
    text = "a,b,c\n1,2020-01-01,5\n" + "".join(",".join(row) + "\n" for row in rows)
    data = text.replace(",", separator).encode() if separator != "," else text.encode()
    layout = find_layout("table", data, separator=separator, header=1)
    fast = parsing._parse_fast(layout, set(), {0: np.float64, 1: "S30"}) or parsing._parse_fast(layout, set(), {})
    if fast is None:
        return
    slow, _ = parsing._parse_slowly(layout, set())
    for quick, texts in zip(fast, slow, strict=True):
        if quick.dtype == object:
            assert [text.strip() for text in quick] == [text.strip() for text in texts]
        elif quick.dtype.kind == "S":
            assert [text.decode().strip() for text in quick] == [text.strip() for text in texts]
        else:
            known = [np.nan if is_blank(text) else float(text) for text in texts]
            np.testing.assert_array_equal(quick, known)


def test_blanks_that_group_digits_part_no_columns():
    assert values("v\n1 000\n2 000,5\n") == [1000, 2000.5]
    assert values("v\n1 000 000\n2 000 000\n") == [1e6, 2e6]
    assert values("a b\n1 200\n2 2000\n") == [1, 200, 2, 2000]
    with pytest.raises(ValueError, match=r"blanks part columns or group digits, as in '2 000': say separator=' ' or"):
        read("closing price\n1 000\n2 000\n")
    assert values("closing price\n1 000\n2 000\n", separator=",") == [1000, 2000]


def test_mixed_per_cent_is_said():
    assert read("v,w\n1.5%,1\n2,2\n").notes == (
        "column 'v' has numbers with and without %: those with it are divided by 100",
    )
    assert read("v,w\n1.5%,1\n2%,2\n").notes == ()
    assert read("v,w\n1.5%,1\n-,2\n", blanks="zero", columns="v").values[:, 0].tolist() == [0.015, 0]


@pytest.mark.parametrize("text", ["v\n1,5\n2,5\n", "date,v\n2020-01-01,1,5\n2020-01-02,2,5\n", "x\n1,2\n3,4\n"])
def test_commas_that_may_be_decimal_signs_make_no_columns_of_their_own(text):
    with pytest.raises(ValueError, match=r"row 0 \(line 2\) has . cells, but the line before it, '.*', ..*separator=…"):
        read(text)
    assert read(text, skip_rows=1).values.shape == (2, 2)
    assert values("v\n1,5\n2,5\n", separator=";") == [1.5, 2.5]
