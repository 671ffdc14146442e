import json

import numpy as np
import pandas as pd
import pytest

from seqvision.reporting.html.charts import MOST_NUMBERS, Band, Chart, Line, script_json


def test_a_short_chart_has_every_number_and_gaps_stay_gaps():
    values = np.array([1.23456789, np.nan, -1e300, np.inf, 1e-12, 3.0])
    data = Chart("t", np.arange(6), [Line("a", values, 2, 1, False)], [Band("b", values - 1, values + 1)]).data()
    band, line = data["series"]
    assert line["y"] == [1.23457, None, -1e300, None, 1e-12, 3]
    assert (line["color"], line["dash"], line["shown"], band["band"]) == (2, 1, False, True)
    assert band["lo"][0] == 0.234568
    assert data["group"] == 1


def test_a_long_chart_keeps_the_lowest_and_highest_of_every_group():
    random = np.random.default_rng(0)
    count = 50_017
    values, low = random.normal(size=count), random.normal(size=count) - 9
    values[7], values[40_000], values[100:103] = 50.0, -60.0, np.nan
    chart = Chart("t", np.arange(count), [Line("a", values), Line("b", values)], [Band("c", low, low + 1)])
    data = chart.data()
    group, (band, line, _) = data["group"], data["series"]
    assert group > 1
    assert sum(len(series[key]) for series in data["series"] for key in ("lo", "hi")) <= MOST_NUMBERS + 6
    for number, (first, least, most) in enumerate(zip(data["x"], line["lo"], line["hi"], strict=True)):
        part = values[first : first + group]
        part = part[~np.isnan(part)]
        assert first == number * group
        assert (least, most) == (pytest.approx(part.min(), rel=1e-5), pytest.approx(part.max(), rel=1e-5))
    assert (max(line["hi"]), min(line["lo"])) == (50, -60)
    assert min(band["lo"]) == pytest.approx(low.min(), rel=1e-5)
    assert f"50,017 rows are drawn in groups of {group}" in chart.drawn()


def test_dates_are_milliseconds_and_names_are_places():
    days = pd.date_range("2021-01-01", periods=3).to_numpy()
    data = Chart("t", days, [Line("a", [1, 2, 3])]).data()
    assert (data["kind"], data["x"][1]) == ("date", 1609545600000)
    names = Chart("t", np.array(["<a>", "b"]), [Line("a", [1, 2])])
    assert (names.data()["kind"], names.data()["names"], names.data()["x"]) == ("name", ["<a>", "b"], [0, 1])
    assert "Over <a>, b" in names.description()


def test_on_a_logarithmic_axis_there_is_nothing_below_zero():
    assert Chart("t", [1, 2, 3], [Line("a", [-1, 0, 2])], log=True).data()["series"][0]["y"] == [None, None, 2]


@pytest.mark.parametrize("text", ["</script>", "<!--", "\u2028\u2029", "&lt;", "\ud800", "\x00", ']]>"'])
def test_no_text_leaves_a_script(text):
    written = script_json({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert written.isascii()
    assert not {"<", ">", "&"} & {*written}
