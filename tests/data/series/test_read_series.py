import codecs
import io
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import Series, find_file, read_series

VIETNAMESE = (
    '"Ngày","Lần cuối","Mở","Cao","Thấp","KL","% Thay đổi"\n'
    '"31/05/2022","1,292.68","1,293.92","1,297.64","1,280.44","591.09K","-0.10%"\n'
    '"30/05/2022","1,293.92","1,285.45","1,296.22","1,281.27","","0.66%"\n'
)


def read(text, *args, **options):
    return read_series(io.StringIO(text) if isinstance(text, str) else io.BytesIO(text), *args, **options)


def real(data_set, filename):
    try:
        return find_file(data_set, filename)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_vietnamese_export():
    path = real("vnindex", "vnindex_investing_vi_2009_2022.csv")
    series = read_series(path, "Lần cuối")
    assert series.columns == ("Lần cuối",)
    assert series.values.shape == (3344, 1)
    assert series.values[[0, -1], 0].tolist() == [313.34, 1292.68]
    assert series.dates[[0, -1]].astype("datetime64[D]").astype(str).tolist() == ["2009-01-02", "2022-05-31"]
    everything = read_series(path, "Lần cuối", columns="all")
    assert everything.columns == ("Lần cuối", "Mở", "Cao", "Thấp", "KL", "% Thay đổi")
    assert everything.column("KL")[[0, -1]].tolist() == [5630.0, 591090.0]
    assert everything.column("% Thay đổi")[0] == -0.0072


def test_starbucks():
    series = read_series(real("stocks", "sbux.csv"), target="close")
    assert len(series) == 1259
    assert series.name == "sbux"
    assert series.values[[0, -1], 0].tolist() == [28.185, 54.46]
    all_numbers = read_series(real("stocks", "sbux.csv"))
    assert all_numbers.columns == ("open", "high", "low", "close", "volume")
    assert all_numbers.target is None
    left_out, holidays = all_numbers.notes
    assert left_out == "columns without numbers left out: 'Name'"
    assert "time goes by 1 business day: 45 gaps, 45 steps missing, the longest 1 step after 2013-02-15" in holidays


def test_other_real_files():
    moore = read_series(real("moore", "moore.csv"), target=1)
    assert (len(moore), moore.target, moore.dates) == (162, "column 1", None)
    years = read_series(real("moore", "moore.csv")).values
    slope = np.polyfit(years[:, 0], np.log(years[:, 1]), 1)[0]
    assert round(slope, 5) == 0.34168
    assert read_series(real("ett", "ETTh1.csv"), "OT").values.shape == (17420, 1)
    assert read_series(real("classic_series", "airline-passengers.csv")).target == "Passengers"
    sunspots = read_series(real("classic_series", "monthly-sunspots.csv"))
    assert sunspots.dates[0] == np.datetime64("1749-01-01")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_found(encoding):
    series = read(VIETNAMESE.encode(encoding), "Lần cuối")
    assert series.values.ravel().tolist() == [1293.92, 1292.68]
    assert series.notes == ("rows sorted by date",)


def test_western_encodings_are_found_and_said():
    data = "Datum;Schluß\n31.12.2020;5\n".encode("cp1252")
    assert read(data, "Schluß").values.tolist() == [[5.0]]
    assert "Windows-1252" in read(data).notes[0]
    assert read(data, encoding="latin-1").notes == ()
    with pytest.raises(ValueError, match="line 1, byte 12: not utf-8 text"):
        read(data, encoding="utf-8")
    with pytest.raises(ValueError, match="'klingon' is not known"):
        read(data, encoding="klingon")
    assert read(codecs.BOM_UTF8 + b"a\n1\n", encoding="utf-8").columns == ("a",)


def test_columns_by_any_spelling():
    assert read(VIETNAMESE, unicodedata.normalize("NFD", "lần  CUỐI")).target == "Lần cuối"
    assert read(VIETNAMESE, 1).target == "Lần cuối"
    assert read(VIETNAMESE, "1").target == "Lần cuối"
    both = read(VIETNAMESE, "Mở", columns=("Cao", 4))
    assert both.columns == ("Cao", "Thấp", "Mở")
    assert both.values[0].tolist() == [1296.22, 1281.27, 1285.45]
    assert read(VIETNAMESE, "Mở", columns="Cao").columns == ("Cao", "Mở")


def test_blanks_matter_only_in_columns_used():
    assert len(read(VIETNAMESE, "Lần cuối")) == 2
    with pytest.raises(ValueError, match=r"row 1 \(line 3\), column 'KL' is blank .*drop, ffill, interpolate, zero"):
        read(VIETNAMESE, "Lần cuối", columns="all")
    zero = read(VIETNAMESE, "Lần cuối", columns="all", blanks="zero")
    assert zero.column("KL").tolist() == [0.0, 591090.0]
    assert "blanks='zero' applied 1 times" in zero.notes


GAPS = "date,v,w\n2020-01-04,nan,4\n2020-01-01,1,1\n2020-01-02,,2\n2020-01-03,-,3\n2020-01-05,5,5\n"


def test_policies_act_in_the_order_of_dates():
    assert read(GAPS, "v", blanks="ffill").values.ravel().tolist() == [1, 1, 1, 1, 5]
    assert read(GAPS, "v", blanks="interpolate").values.ravel().tolist() == [1, 2, 3, 4, 5]
    assert read(GAPS, "v", blanks="zero").values.ravel().tolist() == [1, 0, 0, 0, 5]
    dropped = read(GAPS, "v", columns="all", blanks="drop")
    assert dropped.values.tolist() == [[1, 1], [5, 5]]
    assert dropped.dates.astype("datetime64[D]").astype(str).tolist() == ["2020-01-01", "2020-01-05"]
    with pytest.raises(ValueError, match=r"row 2 \(line 4\), column 'v' is blank \(3 in"):
        read(GAPS, "v")
    with pytest.raises(ValueError, match="blanks must be one of 'error', 'drop'"):
        read(GAPS, "v", blanks="guess")
    edge = "v\n-\n1\n"
    for policy in ("ffill", "interpolate"):
        with pytest.raises(ValueError, match=r"row 0 \(line 2\), column 'v' is blank and blanks="):
            read(edge, blanks=policy, columns="v")
    with pytest.raises(ValueError, match=r"row 1 \(line 3\), column 'v' is blank and blanks='interpolate'"):
        read("v\n1\n-\n", blanks="interpolate")
    assert read("v\n1\n-\n", blanks="ffill").values.ravel().tolist() == [1, 1]
    with pytest.raises(ValueError, match="leaves nothing"):
        read("a,b\n1,-\n-,2\n", blanks="drop", columns=("a", "b"))


def test_rows_without_a_date():
    text = "date,v\n2020-01-02,1\n,2\n2020-01-01,3\n"
    with pytest.raises(ValueError, match=r"row 1 \(line 3\), column 'date': there is no date"):
        read(text)
    assert read(text, blanks="drop").values.ravel().tolist() == [3, 1]


def test_date_column():
    text = "v,Day\n1,2020-01-02\n2,2020-01-01\n"
    assert read(text).values.ravel().tolist() == [2, 1]
    assert read(text, date="day").values.ravel().tolist() == [2, 1]
    assert read(text, "v", date=False).values.ravel().tolist() == [1, 2]
    assert read("date,v\n20200102,1\n20200101,2\n").values.ravel().tolist() == [2, 1]
    assert read("year,v\n1971,1\n1971,2\n").columns == ("year", "v")  # a bare year is a number
    with pytest.raises(ValueError, match="no column that looks like dates"):
        read("a,b\n1,2\n", date=True)
    with pytest.raises(ValueError, match="holds the dates: date=False"):
        read(text, "Day")
    with pytest.raises(ValueError, match=r"row 2 \(line 4\).*2020-01-01 is already in line 2 \(1 such"):
        read("date,v\n2020-01-01,1\n2020-01-02,1\n2020-01-01,4\n")


@given(st.permutations(range(8)), st.sampled_from([",", ";", "\t", "|", " "]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_order_of_rows_and_any_separator_reads_the_same(order, separator, newline):
    rows = [f"2020-01-{k + 10}{separator}{k}.5{separator}{k * 1000}" for k in order]
    series = read(newline.join([separator.join(("date", "a", "b")), *rows]).encode())
    assert series.columns == ("a", "b")
    assert series.values.tolist() == [[k + 0.5, k * 1000.0] for k in range(8)]


def test_headers_are_found():
    assert read("1\n2\n").columns == ("column 0",)
    assert read("closing price\n1\n2\n").columns == ("closing price",)
    assert read("1971,2300\n1972,3500\n").columns == ("column 0", "column 1")
    assert read("a  b\n 1 2\n3\t 4 \n").values.tolist() == [[1, 2], [3, 4]]
    assert read("Date,0,1\n2020-01-01,5,6\n").columns == ("0", "1")
    assert read("1,2\n3,4\n", header=True).columns == ("1", "2")
    assert read("v1,v2,,,\n1,2,,,\n3,4,,,\n").columns == ("v1", "v2")
    assert read("a,b\n1,2,\n3,4,\n").values.tolist() == [[1, 2], [3, 4]]
    assert read("a;b\n1,5;2\n", decimal=",").values.tolist() == [[1.5, 2]]


@pytest.mark.parametrize(
    ("text", "args", "says"),
    [
        ("date,close\n2020-01-01,1\n", ("clsoe",), r"no column 'clsoe': did you mean 'close'\? Columns: 0 'date', 1"),
        ("a,b\n1,2\n", (7,), "no column 7. Columns: 0 'a', 1 'b'"),
        ("a,a\n1,2\n", ("a",), "1 'a \\(column 1\\)'"),
        ("a,b\n1,2\n3,4,5\n", (), r"row 1 \(line 3\) has 3 cells, but there are 2 columns"),
        ("a,b\n1,2\n\n3\n", (), r"row 1 \(line 4\) has 1 cells"),
        ("a,b\n1,2\n3,x\n", ("b",), r"row 1 \(line 3\), column 'b': 'x' is not a number"),
        ("a,b\n1,2\n3,x\n5,6\n", (), r"row 1 \(line 3\), column 'b': 'x' is not a number"),
        ("Name,v\nA,1\nB,2\n", ("Name",), r"row 0 \(line 2\), column 'Name': 'A' is not a number"),
        ("a,b\nx,y\n", (), "no column of numbers: columns are 'a', 'b'"),
        ("", (), "is empty"),
        ("a,b\n", (), "header but no rows"),
        ('a,b\n"1,2\n', (), "line 2: .*quotation mark"),
        (b"\x80\x04\x95abc", (), "binary file"),
        (b"PK\x03\x04abc", (), "binary file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", (), "not text"),
    ],
)
def test_errors_say_where(text, args, says):
    with pytest.raises(ValueError, match=says):
        read(text, *args)


CELLS = st.sampled_from(
    ["", "1", "2.5", "-", "x", "2020-01-01", "05/06/2020", "Jan 03, 2022", '"', "1,000", "5K", " ", "\0"]
)


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(str.encode),
        st.lists(st.lists(CELLS, min_size=1, max_size=3).map(";".join), max_size=6).map(
            lambda r: "\n".join(r).encode()
        ),
    ),
    st.sampled_from([None, "utf-8", "utf-16"]),
)
def test_anything_is_read_or_refused_in_plain_words(data, encoding):
    try:
        series = read(data, encoding=encoding, blanks="zero")
    except ValueError as error:
        refused = str(error)
    else:
        refused = "table"
        assert np.isfinite(series.values).all()
    assert "table" in refused


def test_files(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("a\n1\n2\n")
    assert read_series(path).name == "prices"
    assert read_series(str(path)).values.ravel().tolist() == [1, 2]
    with path.open("rb") as file:
        assert read_series(file).name == "prices"
    with pytest.raises(FileNotFoundError, match=r"no file .*nothing\.csv"):
        read_series(tmp_path / "nothing.csv")
    with pytest.raises(FileNotFoundError, match="a folder"):
        read_series(tmp_path)
    with pytest.raises(ValueError, match="separator must be one character"):
        read_series(path, separator="::")
    with pytest.raises(ValueError, match="'a' twice"):
        read_series(path, columns=("a", 0))


def test_series_checks_itself():
    with pytest.raises(ValueError, match="do not fit 1 columns"):
        Series(np.zeros((3, 2)), ("a",))
    with pytest.raises(ValueError, match="row 1, column 'b'"):
        Series([[1, 2], [3, np.nan]], ("a", "b"))
    with pytest.raises(ValueError, match="increasing dates"):
        Series([1, 2], ("a",), dates=np.array(["2020-01-02", "2020-01-01"], "datetime64[D]"))
    with pytest.raises(ValueError, match="target 'b'"):
        Series([1, 2], ("a",), target="b")
    with pytest.raises(TypeError, match="name or a position"):
        Series([1, 2], ("a",)).column(None)


GAPPY = "day,x\n2022-05-29,1\n2022-05-30,2\n2022-05-31,3\n2022-06-03,6\n2022-06-04,7\n2022-06-05,8\n"


def test_gaps_of_time_are_said_filled_or_refused():
    kept = read_series(io.StringIO(GAPPY))
    assert kept.notes == (
        "time goes by 1 day: 1 gap, 2 steps missing, the longest 2 steps after 2022-05-31; windows run across gaps, "
        "a season is counted in steps of time",
    )
    assert read_series(io.StringIO(GAPPY), gaps="interpolate").values[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    filled = read_series(io.StringIO(GAPPY), gaps="fill")
    assert filled.values[:, 0].tolist() == [1, 2, 3, 3, 3, 6, 7, 8]
    assert filled.dates.astype("datetime64[D]").astype(str).tolist()[3] == "2022-06-01"
    assert filled.notes[0].startswith("gaps='fill' made 2 rows: time goes by 1 day: 1 gap")
    assert filled.reading["gaps"] == "fill"
    with pytest.raises(ValueError, match=r"1 gap, .*: say gaps='keep', 'fill' or 'interpolate'"):
        read_series(io.StringIO(GAPPY), gaps="error")
    with pytest.raises(ValueError, match="gaps='fill' needs a column of dates, say which with date="):
        read_series(io.StringIO(GAPPY), "x", date=False, gaps="fill")


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "+INF"])
def test_an_infinite_cell_is_called_infinite(cell):
    for table in (io.StringIO(f"v\n1\n{cell}\n3\n"), pd.DataFrame({"v": [1.0, float(cell), 3.0]})):
        with pytest.raises(ValueError, match=r"row 1.*, column 'v' is infinite \(1 in the columns used\): say blanks="):
            read_series(table, "v")
    with pytest.raises(ValueError, match="is blank"):
        read_series(pd.DataFrame({"v": [1.0, np.nan, 3.0]}), "v")


def test_a_first_row_of_numbers_is_told_to_be_no_row_of_names():
    (note,) = read("2020,2021\n3,4\n5,6\n").notes
    assert note == "no row of names was found: say header=True if the first row holds them"
    named = read("2020,2021\n3,4\n5,6\n", header=True)
    assert (named.columns, named.values.tolist(), named.notes) == (("2020", "2021"), [[3, 4], [5, 6]], ())
    assert read("2020,2021\n3,4\n5,6\n", header=False).notes == ()


def test_a_header_of_more_rows_than_there_are_is_refused():
    with pytest.raises(ValueError, match="1 rows, fewer than the header=2"):
        read("date,v", header=2)


def test_years_that_go_round_the_range_of_nanoseconds_are_no_equal_steps():
    days = ["54-01-01", *(f"{year}-01-01" for year in range(14, 24))]
    series = read("date,v\n" + "\n".join(f"{day},{row}" for row, day in enumerate(days)))
    assert str(series.dates[0])[:10] == "1954-01-01"
    assert len(series) == 11


@pytest.mark.parametrize(("name", "years"), [("Year", "1990 1990 1991"), ("date", "1990.083 1990.167 1990.25")])
def test_years_that_are_no_dates_are_told(name, years):
    text = f"{name},v\n" + "".join(f"{year},{k}\n" for k, year in enumerate(years.split()))
    first = years.split()[0]
    (note,) = read(text, "v").notes
    assert note == (
        f"column '{name}' seems to hold years, such as {first}, that are not read as dates: "
        "the order of the file is kept"
    )
    assert read(text, "v", date=False).notes == ()


@pytest.mark.parametrize("form", ["2021-03-01T{:02}", "2021-03-01 {:02}", "2021-03-01T{:02}Z"])
def test_hours_without_minutes_are_read(form):
    series = read("date,v\n" + "".join(f"{form.format(hour)},{hour}\n" for hour in range(24)))
    want = np.arange("2021-03-01T00", "2021-03-02T00", dtype="datetime64[h]")
    np.testing.assert_array_equal(series.dates, want)
    assert series.values[:, 0].tolist() == list(range(24))
