"""What a prediction leaves behind: dates, intervals, files and a picture."""

import json

import numpy as np
import pandas as pd
import pytest

from seqvision.data import Calendar, infer_calendar
from seqvision.pipelines import ForecastConfig, predict_forecast, run_forecast
from seqvision.reporting import plot_prediction

TINY = {"models": ("linear",), "seeds": 1, "epochs": 1, "length": 4, "train": 0.5, "validation": 0.25}


@pytest.fixture(scope="module")
def hours():
    """Hours by the clock of Paris over its jump in spring."""
    wall = pd.date_range("2024-03-25", periods=150, freq="h", tz="Europe/Paris").tz_localize(None)
    noise = np.random.default_rng(0).normal(size=150)
    return pd.DataFrame({"time": wall, "load": 50 + 10 * np.sin(np.arange(150) / 4) + noise})


@pytest.fixture(scope="module")
def run(hours, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hours")
    hours.to_csv(folder / "hours.csv", index=False)
    config = ForecastConfig(csv=str(folder / "hours.csv"), horizon=2, unit="MW", out=str(folder), **TINY)
    return run_forecast(config, progress=False)


@pytest.fixture
def frames(monkeypatch):
    """The figures that a prediction draws."""
    drawn = []

    def kept(*arguments, **options):
        drawn.append(plot_prediction(*arguments, **options))
        return drawn[-1]

    monkeypatch.setattr("seqvision.reporting.plot_prediction", kept)
    return drawn


def test_a_prediction_is_written_in_the_form_of_its_ending_and_drawn(run, hours, tmp_path, frames):
    (tmp_path / "cut.csv").write_text(hours.iloc[:130].to_csv(index=False))
    new = tmp_path / "not" / "there"
    both = predict_forecast(run.folder, str(tmp_path / "cut.csv"), steps=5, output=new / "a.csv", plot=new / "a.png")
    saved = pd.read_csv(both.output)
    columns = "date row step model forecast lower_80 upper_80 lower_95 upper_95 seed_spread test_rmse skill verdict"
    assert list(saved) == columns.split()
    assert saved["date"].tolist() == [
        str(hour)[:16].replace(" ", "T") for hour in hours["time"][130:135] for _ in (0, 1)
    ]
    assert saved["model"].tolist() == ["linear", both.table["model"].iloc[1]] * 5
    assert saved["row"].tolist() == [row for row in range(130, 135) for _ in (0, 1)]
    for name in ("forecast", "lower_80", "upper_95", "test_rmse"):
        np.testing.assert_allclose(saved[name], both.table[name].astype(float), rtol=1e-8)
    assert (saved["lower_95"] <= saved["lower_80"]).all()
    assert (saved["lower_80"] <= saved["forecast"]).all()  # an exact one has no width
    assert both.plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in new.iterdir()) == ["a.csv", "a.png"]  # nothing half written is left
    (figure,) = frames
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    naive = both.table["model"].iloc[1]
    assert set(said) == {
        "truth",
        "linear",
        naive,
        f"{naive}, 95 % interval",
        "band: 80 % interval, split conformal",
        "band: 95 % interval, split conformal",
    }
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith("linear: ")
    assert axes.get_title(loc="left").endswith(f"skill over the {naive} in the test")
    document = predict_forecast(run.folder, str(tmp_path / "cut.csv"), steps=5, output=new / "a.json")
    assert json.loads((new / "a.json").read_text()) == json.loads(json.dumps(document.to_dict()))
    again = Calendar.from_dict(document.to_dict()["calendar"])
    assert again == infer_calendar(hours["time"].to_numpy()[:130])


def test_the_clock_is_said_to_jump_and_dates_jump_with_it(run, hours):
    there = predict_forecast(run.folder, steps=1)
    assert there.calendar == infer_calendar(hours["time"].to_numpy()).to_dict()
    assert there.calendar["timezone"] == "Europe/Paris"
    assert "note: dates go on by 1 hour, by the clock of Europe/Paris" in there.text
    assert "those that clocks skip in Europe/Paris" in " ".join(there.text.split())


def test_a_forecast_without_skill_says_so_beside_its_numbers(run):
    one = predict_forecast(run.folder)
    told = run.card.by_horizon.outcomes.loc["linear"].tolist()
    lines = [line for line in one.text.splitlines() if line.startswith(("1 ", "2 "))]
    assert [told[n] in line for n, line in enumerate(lines[:2])] == [True, True]
    assert one.verdicts[0].split(", ")[0] in one.text
    coverage = run.card.intervals.scores.set_index(["way", "step", "model", "level"])["coverage"]
    share = coverage["at once", 2, "linear", 0.8]
    assert f"of the test rows lay {100 * share:.1f} % in the 80 % and" in " ".join(one.text.split())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"output": "next.xlsx"}, ValueError, r"output='next.xlsx' has to end in .csv or .json"),
        ({"plot": "next.csv"}, ValueError, r"plot='next.csv' has to end in .png, .svg or .pdf"),
        ({"output": "/dev/null/next.csv"}, OSError, "its folder cannot be made"),
        ({"output": "/"}, IsADirectoryError, "it is a folder"),
        ({"calendar": "XNYS"}, ValueError, "calendar='XNYS' is not that of the data"),
        ({"timezone": "Europe/Pari"}, ValueError, "did you mean Europe/Paris"),
    ],
)
def test_what_cannot_be_written_or_is_not_so_is_refused(run, options, error, message):
    if "calendar" in options:
        pytest.importorskip("exchange_calendars")
    with pytest.raises(error, match=message):
        predict_forecast(run.folder, **options)


def test_the_ends_of_intervals_stand_beside_each_forecast_of_the_test(run):
    saved = pd.read_csv(run.folder / "predictions.csv")
    card, naive = run.card, run.card.references["all steps"]
    table = card.intervals.scores.set_index(["way", "step", "model", "level"])
    for name in ("linear", naive):
        for step, part in saved.groupby("step"):
            for level in (80, 95):
                low, high = part[f"{name} lower {level}"], part[f"{name} upper {level}"]
                inside = ((low <= part["truth"]) & (part["truth"] <= high)).mean()
                row = table.loc[("at once", step, name, level / 100)]
                assert inside == pytest.approx(row["coverage"], abs=0.02)  # nine digits in the file
                assert (high - low).mean() == pytest.approx(row["width"], rel=1e-6)
    free = saved[saved["step"] == 1]["linear free-running upper 80"]
    reach = len(card.intervals.ways["fed back"]["linear"].rows)
    assert free[:reach].notna().all()
    assert free[reach:].isna().all()
    assert "intervals.png" in {path.name for path in run.folder.iterdir()}


def test_without_rows_between_training_and_test_there_are_no_intervals_and_it_is_said(hours, tmp_path):
    table = hours.drop(columns="time")
    table.to_csv(tmp_path / "plain.csv", index=False)
    config = ForecastConfig(csv=str(tmp_path / "plain.csv"), out=str(tmp_path), **{**TINY, "validation": 0})
    result = run_forecast(config, progress=False)
    assert result.card.intervals is None
    assert "Intervals" not in result.card.text()
    one = predict_forecast(result.folder, plot=tmp_path / "one.svg")
    assert one.table[["lower_80", "upper_95", "date"]].isna().all().all()
    assert one.notes == ("no intervals: there were no rows between training and test to make them from",)
    assert one.calendar is None
    assert (tmp_path / "one.svg").read_text().startswith("<?xml")


def test_rows_that_stop_training_make_no_intervals(hours, tmp_path):
    hours.to_csv(tmp_path / "hours.csv", index=False)
    settings = {**TINY, "epochs": 3, "patience": 1}
    result = run_forecast(ForecastConfig(csv=str(tmp_path / "hours.csv"), out=str(tmp_path), **settings))
    assert result.card.intervals.rows == 18  # of the 36 between training and test
    assert "validated on 18, intervals from 18 more" in result.text
    note = predict_forecast(result.folder).notes[-1]
    assert note == (
        "no 95 % interval at step 1: it needs 19 rows, there are 18; train with a larger validation=… for more"
    )
    assert result.summary["data"]["calendar"]["timezone"] == "Europe/Paris"
