"""Dates of whole files: found, read the one way the data allow, or asked for by words that can be typed."""

import datetime
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import read_series


def read(text, *args, **options):
    return read_series(io.StringIO(text), *args, **options)


def written(cells, name="date"):
    """A file of these dates and the numbers 0, 1, …"""
    return f"{name};v\n" + "".join(f"{cell};{k}\n" for k, cell in enumerate(cells))


def days(series):
    return series.dates.astype("datetime64[D]").tolist()


def times(series):
    return series.dates.astype("datetime64[m]").astype(str).tolist()


NINE_HUNDRED = [datetime.date(2014, 1, 1) + datetime.timedelta(days=k) for k in range(900)]


@pytest.mark.parametrize("form", ["%y-%m-%d", "%y/%m/%d", "%y.%m.%d"])
@pytest.mark.parametrize("step", [1, -1])
def test_nothing_is_reordered_on_a_guess(form, step):
    series = read(written([day.strftime(form) for day in NINE_HUNDRED[::step]]))
    assert days(series) == NINE_HUNDRED
    assert series.values[:, 0].tolist() == list(range(900))[::step]
    assert ("rows sorted by date" in series.notes) == (step == -1)
    assert series.reading["yearfirst"] is True


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (["2022年5月31日", "2022年5月30日"], "日期"),
        (["31 mai 2022", "30 mai 2022"], "jour"),
        (["31. Mai 2022", "30. Mai 2022"], "Datum"),
        (["31 may 2022", "30 may 2022"], "fecha"),
        (["Tue, May 31, 2022", "Mon, May 30, 2022"], "x"),
        (["31.05.2022 00:00 - 31.05.2022 01:00", "30.05.2022 00:00 - 30.05.2022 01:00"], "MTU (CET)"),
        (["20220531", "20220530"], "Datum"),
        (["20220531", "20220530"], "timestamp"),
        (["20220531", "20220530"], "refDate"),
        (["20220531", "20220530", "20220529"], "x"),
        (["1653955200", "1653868800"], "timestamp"),
        (["1653955200000", "1653868800000"], "open_time"),
        (["31.05.2022 24:00", "30.05.2022 24:00"], "day"),
        (["2022-05-31 11:00:00 UTC", "2022-05-30 11:00:00 UTC"], "day"),
        (["31.05.2022 11:00+02:00", "30.05.2022 11:00+02:00"], "day"),
    ],
)
def test_a_file_that_falls_is_turned(cells, name):
    series = read(written(cells, name))
    assert series.values[:, 0].tolist() == list(range(len(cells)))[::-1]
    assert "rows sorted by date" in series.notes
    assert abs(series.dates[-1] - np.datetime64("2022-05-31")) <= np.timedelta64(1, "D")
    assert read(written(cells, name), **series.reading).dates.tolist() == series.dates.tolist()


@pytest.mark.parametrize(
    "cells", [["2020-Q4", "2020-Q3"], ["2020M12", "2020M11"], ["202012", "202011"], ["1991-92", "1990-91"]]
)
def test_quarters_months_and_fiscal_years_that_fall(cells):
    assert read(written(cells, "period")).values[:, 0].tolist() == [1, 0]


def test_years():
    assert days(read("Year,v\n2003,1\n2002,2\n2001,3\n"))[0] == datetime.date(2001, 1, 1)
    assert read("Year,v\n2003,1\n2002,2\n").notes == ("dates are those of column 'Year'", "rows sorted by date")
    assert read("year,v\n1971,1\n1971,2\n").columns == ("year", "v")  # no dates: it repeats
    assert read("year,v\n1971,1\n1972,2\n", date=False).columns == ("year", "v")
    old = read("date,v\n1500-01-01,1\n2262-04-13,2\n")
    assert old.dates.dtype == "datetime64[s]"
    assert days(old) == [datetime.date(1500, 1, 1), datetime.date(2262, 4, 13)]


def test_what_is_not_understood_is_said():
    with pytest.raises(
        ValueError, match=r"column 'Date' .*not understood.*'lap 5'.*date='Date' with date_format=…, or date=F"
    ):
        read("Date,v\nlap 5,1\nlap 6,2\n")
    assert read("Date,v\nlap 5,1\nlap 6,2\n", date=False).values[:, 0].tolist() == [1, 2]
    assert "not understood" in read("model,v\nFord 1999 X,1\nFord 2001 Y,2\n").notes[0]
    with pytest.raises(ValueError, match=r"row 1 \(line 3\), column 'date': '2020-02-30' is not a date"):
        read("date,v\n2020-02-29,1\n2020-02-30,2\n")
    with pytest.raises(ValueError, match=r"say yearfirst=True .* or dayfirst=True .* or dayfirst=False"):
        read("date,v\n05-01-01,1\n05-01-02,2\n")
    with pytest.raises(ValueError, match=r"line 2.*say dayfirst=True .*2020-08-01.* or dayfirst=False .*2020-01-08"):
        read("date,v\n01/08/2020,1\n02/08/2020,2\n")
    with pytest.raises(ValueError, match="do not show which date"):
        read(written([f"{k:02d}/08/2020" for k in range(1, 13)]))


PARTS = [(2020, 1, 31, 22), (2020, 1, 31, 23), (2020, 2, 1, 0)]
WANT = ["2020-01-31T22:00", "2020-01-31T23:00", "2020-02-01T00:00"]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Date;Time;T\n" + "".join(f"{d:02d}.{m:02d}.{y};{h:02d}:00;{h}\n" for y, m, d, h in PARTS), ("Date", "Time")),
        (
            "Date;Time;T\n" + "".join(f"{d:02d}/{m:02d}/{y};{h:02d}.00.00;{h}\n" for y, m, d, h in PARTS),
            ("Date", "Time"),
        ),
        (
            "No;year;month;day;hour;T\n" + "".join(f"{h};{y};{m};{d};{h};{h}\n" for y, m, d, h in PARTS),
            ["year", "month", "day", "hour"],
        ),
        (
            "Año;Mes;Día;Hora;T\n" + "".join(f"{y};{m};{d};{h};{h}\n" for y, m, d, h in PARTS),
            ["Año", "Mes", "Día", "Hora"],
        ),
        ("a;b;c;d;T\n" + "".join(f"{y};{m};{d};{h};{h}\n" for y, m, d, h in PARTS), [0, 1, 2, 3]),
        ("day;hour;T\n" + "".join(f"{y}-{m:02d}-{d:02d};{h};{h}\n" for y, m, d, h in PARTS), ["day", "hour"]),
        (
            "<DATE>;<TIME>;T\n" + "".join(f"{y}{m:02d}{d:02d};{h:02d}0000;{h}\n" for y, m, d, h in PARTS),
            ["<DATE>", "<TIME>"],
        ),
        ("Date;Time;T\n" + "".join(f"{y}{m:02d}{d:02d};{h}00;{h}\n" for y, m, d, h in PARTS), [0, 1]),
        ("Date;Time;T\n31.01.2020;10 PM;22\n31.01.2020;11 PM;23\n01.02.2020;12 AM;0\n", ["Date", "Time"]),
    ],
)
def test_dates_in_several_columns(text, date):
    series = read(text, "T", date=date)
    assert times(series) == WANT
    assert series.values[:, 0].tolist() == [22, 23, 0]
    if "a;b" not in text and "PM" not in text:
        found = read(text, "T")
        assert times(found) == WANT
        assert "dates are those of columns" in found.notes[0]
        assert times(read(text, "T", **found.reading)) == WANT
    with pytest.raises(ValueError, match="holds the dates"):
        read(text, columns=date[0], date=date)


def test_year_and_month_or_quarter():
    assert days(read("year,month,v\n2020,2,1\n2020,1,2\n"))[0] == datetime.date(2020, 1, 1)
    assert days(read("year,month,v\n2020,Feb,1\n2020,Jan,2\n"))[0] == datetime.date(2020, 1, 1)
    assert days(read("year,quarter,v\n2020,Q1,1\n2020,Q2,2\n"))[1] == datetime.date(2020, 4, 1)
    assert days(read("Year,Qtr,v\n2020,1,1\n2020,2,2\n"))[1] == datetime.date(2020, 4, 1)
    with pytest.raises(ValueError, match="must name one column, or several different ones"):
        read("year,month,v\n2020,2,1\n2020,1,2\n", date=())


AUTUMN = "t,v\n2020-10-25 01:00,1\n2020-10-25 02:00,2\n2020-10-25 02:00,4\n2020-10-25 03:00,5\n"


def test_dates_that_come_twice():
    with pytest.raises(
        ValueError, match=r"row 2 \(line 4\), .*2020-10-25T02:00 is already in line 3 \(1 such.*duplicates='f"
    ):
        read(AUTUMN)
    for duplicates, want in (("first", 2), ("last", 4), ("mean", 3)):
        series = read(AUTUMN, duplicates=duplicates)
        assert series.values[:, 0].tolist() == [1, want, 5]
        assert times(series) == [f"2020-10-25T0{k}:00" for k in (1, 2, 3)]
        assert series.notes == (f"duplicates={duplicates!r} made one of 2 rows of one date each",)
        assert series.reading["duplicates"] == duplicates
    with pytest.raises(ValueError, match="duplicates must be one of 'error', 'first', 'last', 'mean'"):
        read(AUTUMN, duplicates="drop")
    with pytest.raises(ValueError, match="duplicates='mean' needs a column of dates"):
        read("v\n1\n2\n", duplicates="mean")
    blank = AUTUMN.replace("02:00,2", "02:00,").replace("03:00,5", "01:00,")
    assert read(blank, duplicates="mean", blanks="error").values[:, 0].tolist() == [1, 4]


FORMS = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%y-%m-%d",
    "%d-%b-%y",
    "%b %d, %Y",
    "%Y%m%d",
    "%d %B %Y",
    "%m-%d-%y",
    "%Y-%m-%dT%H:%MZ",
]


@given(
    st.sampled_from(FORMS),
    st.dates(datetime.date(1930, 1, 1), datetime.date(2020, 1, 1)),
    st.integers(1, 40),
    st.sampled_from([1, 7, 30, 365]),
    st.sampled_from(["rising", "falling", "shuffled"]),
    st.randoms(),
)
def test_dates_read_back_right_or_are_refused_or_said(form, first, count, step, order, random):
    dates = [first + datetime.timedelta(days=step * k) for k in range(count) if step * k < 2400]
    rows = list(range(len(dates)))
    if order == "shuffled":
        random.shuffle(rows)
    rows = rows[::-1] if order == "falling" else rows
    try:
        series = read(written([dates[k].strftime(form) for k in rows]))
    except ValueError:
        return
    if any("two-digit years" in note or "order of the rows" in note for note in series.notes) and order == "shuffled":
        return
    if any("two-digit years" in note for note in series.notes):
        assert {day.year % 100 for day in days(series)} == {day.year % 100 for day in dates}
        return
    assert days(series) == dates
    assert series.values[:, 0].tolist() == np.argsort(rows).tolist()


def test_unusual_dates_are_said():
    assert read("date,v\n2020-13-01,1\n2020-14-01,2\n").notes == ("dates read as yyyy-dd-mm",)
    assert read("zip,v\n19990101,1\n20000101,2\n20010101,2\n").notes[0] == "dates are those of column 'zip'"
    assert read("date,v\n43831,1\n43832,2\n").notes == ("dates read as days of Excel",)
