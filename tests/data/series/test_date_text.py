import datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqvision.data.series.date_text import looks_like_date, parse_dates

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
    return dates.astype("datetime64[D]").tolist()


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
    assert parse_dates(["31/12/2020 23:59:01"])[0] == np.datetime64("2020-12-31T23:59:01")
    assert parse_dates(["2022-07-01 00:00:00-04:00"])[0] == np.datetime64("2022-07-01T04:00")
    assert parse_dates(["20220701"], date_format="%Y%d%m")[0] == np.datetime64("2022-01-07")


def test_blank_dates_become_nat():
    assert np.isnat(parse_dates(["2020-01-01", "", "-"])).tolist() == [False, True, True]
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
