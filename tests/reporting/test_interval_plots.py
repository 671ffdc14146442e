import numpy as np
import pandas as pd
import pytest

from seqvision.reporting import plot_intervals, plot_prediction, save_figure

Y = np.array([3.0, 1.0, 2.0, 5.0])


def table(forecasts, half=1.0, naive=2.0):
    steps = len(forecasts)
    rows = pd.DataFrame({"model": ["GRU"] * steps + ["last value"] * steps})
    rows["row"] = [*range(4, 4 + steps)] * 2
    rows["forecast"] = [*forecasts, *[naive] * steps]
    for level, times in ((80, 1), (95, 2)):
        rows[f"lower_{level}"] = rows["forecast"] - times * half
        rows[f"upper_{level}"] = rows["forecast"] + times * half
    return rows


def test_the_bands_of_a_prediction_are_its_intervals(tmp_path):
    rows = table([2.5, 3.0])
    figure = plot_prediction(rows, Y, naive="last value", headings={"GRU": "GRU: no skill"}, unit="m", title="t")
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "GRU: no skill"
    assert axes.get_ylabel() == "value (m)"
    wide, narrow = (band.get_paths()[0].get_extents().intervaly for band in axes.collections)
    assert wide.tolist() == [0.5, 5.0]
    assert narrow.tolist() == [1.5, 4.0]
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    np.testing.assert_array_equal(lines["GRU"], [2.5, 3.0])
    np.testing.assert_array_equal(lines["last value"], [2.0, 2.0])
    np.testing.assert_array_equal(lines["last value, 95 % interval"], [0.0, 0.0])
    assert save_figure(figure, tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("forecasts", [[1e300, -1e300], [np.nan, np.inf], [3.0]])
def test_what_runs_away_leaves_the_picture_and_the_truth_is_seen(forecasts, tmp_path):
    figure = plot_prediction(table(forecasts, half=np.inf if len(forecasts) > 1 else 1.0), Y, naive="last value")
    save_figure(figure, tmp_path / "p.png")
    bottom, top = figure.axes[0].get_ylim()
    assert -16 <= bottom <= 1
    assert 5 <= top <= 22
    level = np.full(4, 1e300)
    ends = {"GRU": {80: (-level, level), 95: (-level, level * np.inf)}}
    figure = plot_intervals(Y, forecasts={"GRU": level}, ends=ends, headings={"GRU": "of 4"})
    save_figure(figure, tmp_path / "i.png")
    assert figure.axes[0].get_ylim()[1] <= 10


def test_truths_outside_are_marked():
    ends = {"GRU": {80: (Y - 1, Y + 1), 95: (Y - 2, Y - 2 + 4 * (Y < 4))}}
    figure = plot_intervals(Y, forecasts={"GRU": Y}, ends=ends, first_row=7)
    marks = next(line for line in figure.axes[0].lines if "outside" in line.get_label())
    assert (marks.get_xdata().tolist(), marks.get_ydata().tolist()) == ([10], [5.0])
