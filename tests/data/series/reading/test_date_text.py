import datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqvision.data.series.reading.date_text import looks_like_date, parse_dates

DAYS = st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1))
FORMS = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%Y-%m-%d %H:%M",
]


def days(dates):
    return dates.values.astype("datetime64[D]").tolist()


@given(st.lists(DAYS, min_size=1, max_size=5), st.sampled_from(FORMS))
@example([datetime.date(2000, 5, 1), datetime.date(2000, 1, 1)], "%d %B %Y")  # May is long and short
def test_dates_written_in_one_form_come_back(written, form):
    cells = [day.strftime(form) for day in written]
    assert all(map(looks_like_date, cells))
    order = {"%d": True, "%m": False}.get(form[:2])
    assert days(parse_dates(cells, dayfirst=order)) == written


@given(st.lists(DAYS, min_size=1, max_size=6), st.booleans())
def test_day_and_month_are_told_apart_by_the_data_or_not_at_all(written, dayfirst):
    cells = [day.strftime("%d/%m/%Y" if dayfirst else "%m/%d/%Y") for day in written]
    if any(day.day > 12 for day in written) or all(day.day == day.month for day in written):
        assert days(parse_dates(cells)) == written
    else:
        with pytest.raises(ValueError, match="say dayfirst=True"):
            parse_dates(cells)


def test_forms_without_padding_and_with_times():
    assert days(parse_dates(["2016-7-1", "2016-12-31"])) == [datetime.date(2016, 7, 1), datetime.date(2016, 12, 31)]
    assert days(parse_dates(["5/31/22", "6/1/22"])) == [datetime.date(2022, 5, 31), datetime.date(2022, 6, 1)]
    assert days(parse_dates(["1749-01", "1749-02"]))[1] == datetime.date(1749, 2, 1)
    assert parse_dates(["31/12/2020 23:59:01"]).values[0] == np.datetime64("2020-12-31T23:59:01")
    assert parse_dates(["2022-07-01 00:00:00-04:00"]).values[0] == np.datetime64("2022-07-01T04:00")
    assert parse_dates(["20220701"], date_format="%Y%d%m").values[0] == np.datetime64("2022-01-07")


def test_blank_dates_become_nat():
    assert np.isnat(parse_dates(["2020-01-01", "", "-"]).values).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="no date"):
        parse_dates(["", ""])


@pytest.mark.parametrize(
    ("cells", "options", "says"),
    [
        (["13/01/2020", "01/13/2020"], {}, "row 0: .*day first.*row 1.*one form"),
        (["13/01/2020", "01/02/2020"], {"dayfirst": False}, "contradicts dayfirst=False"),
        (["01/13/2020", "01/02/2020"], {"dayfirst": True}, "contradicts dayfirst=True"),
        (["2020-01-01", "2020-02-30"], {}, "row 1: '2020-02-30' is not a date"),
        (["2020-01-01", "soon"], {}, "row 1: 'soon'"),
        (["2020-01-01"], {"date_format": "%d/%m/%Y"}, "row 0"),
        (["31/12/2020", "32/12/2020"], {}, "row 1"),
    ],
)
def test_errors_name_the_row(cells, options, says):
    with pytest.raises(ValueError, match=says):
        parse_dates(cells, place="row {}".format, **options)


DAY = datetime.date(2022, 5, 31)


@pytest.mark.parametrize(
    ("cell", "want"),
    [
        ("2022年5月31日", "2022-05-31"),
        ("2022年 5月 31日", "2022-05-31"),
        ("2022년 5월 31일", "2022-05-31"),
        ("31 mai 2022", "2022-05-31"),
        ("31. Mai 2022", "2022-05-31"),
        ("31 mayo 2022", "2022-05-31"),
        ("31 de mayo de 2022", "2022-05-31"),
        ("31 de maio de 2022", "2022-05-31"),
        ("31 maggio 2022", "2022-05-31"),
        ("31 ene 2022", "2022-01-31"),
        ("31 août 2022", "2022-08-31"),
        ("29 февраля 2020 г.", "2020-02-29"),
        ("31 Aralık 2022", "2022-12-31"),
        ("1er janvier 2022", "2022-01-01"),
        ("May 31st, 2022", "2022-05-31"),
        ("2022-May-31", "2022-05-31"),
        ("ngày 31 tháng 5, 2022", "2022-05-31"),
        ("Tue, May 31, 2022", "2022-05-31"),
        ("Tuesday, 31 May 2022", "2022-05-31"),
        ("Di, 31.05.2022", "2022-05-31"),
        ("2022-05-31 (화)", "2022-05-31"),
        ("2022年5月31日 星期二", "2022-05-31"),
        ("2017-07-01 11-AM", "2017-07-01T11:00"),
        ("2017-07-01 12-AM", "2017-07-01T00:00"),
        ("7/31/2017 12:05 p.m.", "2017-07-31T12:05"),
        ("2020/1/5 下午 10:00", "2020-01-05T22:00"),
        ("2020-Q4", "2020-10-01"),
        ("2020Q4", "2020-10-01"),
        ("Q4 2020", "2020-10-01"),
        ("4. Quartal 2020", "2020-10-01"),
        ("2020M12", "2020-12-01"),
        ("12/2020", "2020-12-01"),
        ("Dez 2020", "2020-12-01"),
        ("2020-H2", "2020-07-01"),
        ("2020-W53", "2020-12-28"),
        ("2020-W53-7", "2021-01-03"),
        ("202002", "2020-02-01"),
        ("20200131", "2020-01-31"),
        ("31012020", "2020-01-31"),
        ("202001311030", "2020-01-31T10:30"),
        ("2020013110", "2020-01-31T10:00"),
        ("20200131T103059Z", "2020-01-31T10:30:59"),
        ("1580466659", "2020-01-31T10:30:59"),
        ("1580466659000", "2020-01-31T10:30:59"),
        ("1580466659000000", "2020-01-31T10:30:59"),
        ("1580466659000000000", "2020-01-31T10:30:59"),
        ("1580466659.5", "2020-01-31T10:30:59.5"),
        ("43861", "2020-01-31"),
        ("01.01.2020 00:00 - 01.01.2020 01:00", "2020-01-01"),
        ("31.01.2020 23:00 – 24:00", "2020-01-31T23:00"),
        ("2020-01-01T00:00Z/2020-01-01T01:00Z", "2020-01-01"),
        ("2017-07-01 11:00:00 UTC", "2017-07-01T11:00"),
        ("31.07.2017 11:00+02:00", "2017-07-31T09:00"),
        ("31/Jan/2020:10:00:00 +0100", "2020-01-31T09:00"),
        ("2020-01-31 24:00", "2020-02-01"),
        ("31/03/2004 18.00.00", "2004-03-31T18:00"),
        ("10:00 31/12/2020", "2020-12-31T10:00"),
        ("1990-91", "1990-01-01"),
        ("1999/2000", "1999-01-01"),
        ("1500-01-01", "1500-01-01"),
        ("2262-04-13", "2262-04-13"),
        ("2999-12-31 10:00", "2999-12-31T10:00"),
        ("2020-01-01T00:00:00.123456789", "2020-01-01T00:00:00.123456789"),
    ],
)
def test_forms_that_can_be_read_one_way_only(cell, want):
    assert parse_dates([cell]).values[0] == np.datetime64(want)
    assert str(parse_dates([cell]).values[0])[:4] == want[:4]


@pytest.mark.parametrize("sign", "-/.")
@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("form", ["%y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y"])
def test_the_order_of_the_rows_tells_years_of_two_digits(form, step, sign):
    written = [datetime.date(2014, 1, 1) + datetime.timedelta(days=k) for k in range(900)][::step]
    read = parse_dates([day.strftime(form.format(sign)) for day in written])
    assert days(read) == written
    assert read.notes[-1] == "two-digit years read as 2014 to 2016"
    assert days(parse_dates([day.strftime(form.format(sign)) for day in written[:5]], **read.keywords)) == written[:5]


def test_few_years_of_two_digits_are_asked_for_by_words_that_can_be_typed():
    cells = ["05-01-01", "05-01-02", "05-01-03"]
    with pytest.raises(ValueError, match=r"say yearfirst=True .yy-mm-dd: 2005-01-01. or .*=True .*dayfirst=False"):
        parse_dates(cells)
    for options, want in (({"yearfirst": True}, "2005-01-02"), ({"dayfirst": True}, "2002-01-05")):
        assert str(parse_dates(cells, **options).values[1])[:10] == want
    assert str(parse_dates(cells, dayfirst=False).values[1])[:10] == "2002-05-01"


def test_months_are_told_from_days_by_equal_steps():
    cells = [f"01/{month:02d}/{year}" for year in (2020, 2021) for month in range(1, 13)]
    read = parse_dates(cells)
    assert days(read)[:2] == [datetime.date(2020, 1, 1), datetime.date(2020, 2, 1)]
    assert read.notes == ("dates read as dd/mm/yyyy, as the order of the rows tells",)
    with pytest.raises(ValueError, match="do not show"):
        parse_dates(cells[:12])  # twelve days of January, or twelve months
    fiscal = [f"{year}-{(year + 1) % 100:02d}" for year in range(1995, 2012)]
    assert days(parse_dates(fiscal))[-1] == datetime.date(2011, 1, 1)
    months = [f"{2000 + k // 12}-{k % 12 + 1:02d}" for k in range(30)]
    assert days(parse_dates(months))[-1] == datetime.date(2002, 6, 1)


@pytest.mark.parametrize(
    ("years", "want"),
    [
        (["67", "68", "69", "99", "00", "01"], (1967, 2001)),
        (["01", "00", "99", "67"], (2001, 1967)),
        (["20", "40", "60"], (1920, 1960)),
        (["14", "15", "16"], (2014, 2016)),
    ],
)
def test_the_order_of_the_rows_tells_the_century(years, want):
    read = parse_dates([f"3-Jan-{year}" for year in years])
    assert (days(read)[0].year, days(read)[-1].year) == want
    assert read.notes == (f"two-digit years read as {min(want)} to {max(want)}",)


@pytest.mark.parametrize("cell", ["2021-02-29", "Mo 31.05.2022", "2020-01-01 25:00", "2020-01-01 24:01", "2021-W53"])
def test_dates_that_there_are_not(cell):
    with pytest.raises(ValueError, match="is not a date"):
        parse_dates([cell])


def test_offsets_in_some_rows_only_are_refused():
    with pytest.raises(ValueError, match="1: '2020-01-01 10:00' is not a date"):
        parse_dates(["2020-01-01 09:00+01:00", "2020-01-01 10:00"])


@pytest.mark.parametrize(
    ("form", "cell", "want"),
    [
        ("%d%m%Y %H%M", "31012020 1030", "2020-01-31T10:30"),
        ("%Y-%j", "2020-060", "2020-02-29"),
        ("Stand: %d.%m.%y", "Stand: 31.01.20", "2020-01-31"),
        ("%b %d %Y %I:%M%p", "Jan 31 2020 01:30pm", "2020-01-31T13:30"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2020-01-31T10:00:00.25+0100", "2020-01-31T09:00:00.25"),
        ("s", "86400", "1970-01-02"),
        ("ms", "86400000", "1970-01-02"),
        ("excel", "43861.5", "2020-01-31T12:00"),
        ("quarter", "2020-Q2", "2020-04-01"),
    ],
)
def test_formats_by_word(form, cell, want):
    assert parse_dates([cell], date_format=form).values[0] == np.datetime64(want)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("%d/%m", "has no year"),
        ("%Y-%Y", "stands twice"),
        ("%Q %Y", "'%Q' is not known"),
        ("dates", "a strptime format"),
    ],
)
def test_formats_that_are_none(form, says):
    with pytest.raises(ValueError, match=says):
        parse_dates(["2020-01-01"], date_format=form)
