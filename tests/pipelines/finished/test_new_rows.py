"""A finished run on a file that has grown: new rows are told from old ones, and judged with what the run has."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from seqvision import cli, scorecards
from seqvision.data import Series, read_series
from seqvision.metrics import rmse
from seqvision.pipelines import (
    ForecastConfig,
    NewRowsEvaluation,
    evaluate_classify,
    evaluate_run,
    predict_forecast,
    run_forecast,
)
from seqvision.pipelines.forecasting.new_rows import join_rows

from .conftest import ROWS


@pytest.fixture(scope="module")
def grown(forecasts, table, tmp_path_factory):
    """The first run on the file with 20 more rows, from the command line's function."""
    folder = tmp_path_factory.mktemp("grown")
    table.to_csv(folder / "grown.csv", index=False)
    return evaluate_run(forecasts[0].folder, str(folder / "grown.csv"), output=folder / "new.csv")


def test_each_new_row_is_forecast_as_predict_would_have(forecasts, grown, table):
    run, close = forecasts[0], table["close"].to_numpy()
    assert isinstance(grown, NewRowsEvaluation)
    assert grown.card.test_rows == 20
    row = "mlp (mean of 3 seeds)"
    by_step = scorecards.by_target(grown.forecasts["mlp"]).mean(axis=0)  # (20, 2)
    series = read_series(table, "close")
    for origin in (ROWS, ROWS + 1, ROWS + 18):
        told = predict_forecast(run.folder, series=series[:origin]).table
        told = told.loc[told["model"] == row, "forecast"].to_numpy()
        assert told[0] == pytest.approx(by_step[origin - ROWS, 0], rel=1e-5)
        if origin + 1 < 100:
            assert told[1] == pytest.approx(by_step[origin + 1 - ROWS, 1], rel=1e-5)
    truth = np.repeat(close[ROWS:, None], 2, axis=1)
    assert grown.card.all_steps.loc[row, "rmse"] == pytest.approx(rmse(truth, forecast=by_step))
    naive = np.stack([close[ROWS - 1 : -1], close[ROWS - 2 : -2]], axis=1)
    assert grown.card.all_steps.loc["last value", "rmse"] == pytest.approx(rmse(truth, forecast=naive))
    # The autoregression is that of the run: fitted on its training rows.
    train = run.summary["data"]["train_rows"]
    fit = scorecards.fit_autoregression(close[:train], order=4)(close, np.arange(ROWS, 100))[:, 0]
    assert grown.card.one_step.loc["AR(4)", "rmse"] == pytest.approx(rmse(close[ROWS:], forecast=fit))
    assert run.baselines["AR(4)"] == grown.baselines["AR(4)"]


def test_intervals_are_those_of_the_run_and_their_share_is_of_the_new_rows(forecasts, grown):
    kept, now = forecasts[0].card.intervals, grown.card.intervals
    assert now.rows == kept.rows
    for row, one in kept.ways["at once"].items():
        for level, widths in one.to_dict()["half_widths"].items():
            again = now.ways["at once"][row].to_dict()["half_widths"][level]
            np.testing.assert_allclose(np.array(again, float), np.array(widths, float), rtol=1e-4)
    share = now.scores.query("way == 'at once' and step == 1 and level == .8 and model == 'last value'")["coverage"]
    assert (share.item() * 20) % 1 == pytest.approx(0)


def test_text_and_table_say_then_and_now(forecasts, grown, table):
    old = forecasts[0].card.all_steps
    for row, errors in grown.then.items():
        assert errors["rmse"] == pytest.approx(old.loc[row, "rmse"])
        assert errors["new"] == pytest.approx(grown.card.all_steps.loc[row, "rmse"])
    said = " ".join(grown.text.split())
    assert "grown close: 20 new rows, 2021-04-26 to 2021-05-21, after the 80 that one-" in said
    assert "in the run's test on the new rows" in said
    (head,) = (line for line in grown.text.splitlines() if "in the run's test" in line)
    assert head.startswith("RMSE all steps; skill over the last value    in the run's test")
    assert grown.notes == ()
    written = pd.read_csv(grown.output)
    assert written["row"].tolist() == [*range(ROWS, 100)] * 2
    np.testing.assert_allclose(written["truth"][:20], table["close"][ROWS:], rtol=1e-8)
    assert written["date"][0] == "2021-04-26"
    json.dumps(grown.to_dict(), allow_nan=False)


def test_files_that_begin_later_give_the_same(forecasts, grown, table, tmp_path):
    for first in (40, ROWS - 1, ROWS):
        part = evaluate_run(forecasts[0].folder, series=read_series(table[first:], "close"))
        pd.testing.assert_frame_equal(part.card.all_steps, grown.card.all_steps)
        assert part.notes == ()
    (few, gap) = evaluate_run(forecasts[0].folder, series=read_series(table[ROWS + 3 :][:9], "close")).notes
    assert few.startswith("9 new rows say little")
    assert gap.startswith(
        "3 steps of 1 business day without a row between 2021-04-23, where the run ends, and 2021-04-29"
    )
    one = evaluate_run(
        forecasts[0].folder, series=read_series(table[ROWS : ROWS + 1], "close"), output=tmp_path / "deep" / "one.json"
    )
    assert json.loads(one.output.read_text())[1]["step"] == 2
    assert one.card.test_rows == 1
    assert {verdict.outcome for verdict in one.card.verdicts} <= {"unclear", "no skill"}


def test_old_rows_that_changed_are_named(forecasts, table, tmp_path, capsys):
    revised = table.copy()
    revised.loc[12, "close"] += 1
    revised.loc[30, "close"] += 1
    revised.to_csv(tmp_path / "revised.csv", index=False)
    words = ["evaluate", str(forecasts[0].folder), "--csv", str(tmp_path / "revised.csv")]
    assert cli.main(words) == 2
    old = table["close"][12]
    message = capsys.readouterr().err
    assert f"'close' of row 12 (2021-01-20) was {old:g} and is {old + 1:g} (2 values of 2 rows differ)" in message
    assert "say revised=True (--revised)" in message
    assert cli.main([*words, "--revised"]) == 0
    assert "note: the file has other values than one-" in " ".join(capsys.readouterr().out.split())
    for rows, message in (
        (table.drop(12), "the row of 2021-01-20 of the run missing; .* seqvision refit"),
        (table[:ROWS], None),
        (table[: ROWS - 1], "no row after 2021-04-23, where .* ends: none is new"),
        (table.assign(date=table["date"] - pd.Timedelta("1D")), "between those of the run"),
    ):
        if message is None:  # the file of the run itself
            again = evaluate_run(forecasts[0].folder, series=read_series(rows, "close"))
            assert again.card.test_rows == forecasts[0].card.test_rows
        else:
            with pytest.raises(ValueError, match=message):
                evaluate_run(forecasts[0].folder, series=read_series(rows, "close"))
    with pytest.raises(ValueError, match=r"was trained on columns \['close'\]|has no column"):
        evaluate_run(forecasts[0].folder, series=read_series(table, "volume"))


def test_the_file_of_the_run_is_not_needed(forecasts, copy, tmp_path):
    settings = json.loads((copy / "config.json").read_text())
    assert shutil.os.path.exists(settings["csv"])
    again = evaluate_run(copy)
    pd.testing.assert_frame_equal(again.card.one_step, forecasts[0].card.one_step, rtol=1e-4)
    with pytest.raises(ValueError, match="it has no folder of images"):
        evaluate_run(copy, folder="images")
    with pytest.raises(TypeError, match="revised must be True or False"):
        evaluate_run(copy, revised="yes")


def test_without_dates_the_file_begins_with_the_rows_of_the_run():
    own = Series([1.0, 2.0, 3.0], ("x",))
    joined = join_rows(own, Series([1.0, 2.0, 3.0, 4.0], ("x",)))
    assert (joined.first, joined.changed, joined.moved, joined.gap) == (3, None, None, None)
    assert join_rows(own, Series([4.0, 5.0, 6.0], ("x",))).changed.startswith(
        "'x' of row 0 was 1 and is 4 (3 values of"
    )
    with pytest.raises(ValueError, match=r"has 2 rows, the run was made from 3 rows, and no dates say .* date=…"):
        join_rows(own, Series([1.0, 2.0], ("x",)))
    dates = np.arange("2020-01-01", "2020-01-04", dtype="datetime64[D]")
    with pytest.raises(ValueError, match="the run has dates"):
        join_rows(Series([1.0, 2.0, 3.0], ("x",), dates=dates), own)
    with pytest.raises(ValueError, match="the file has dates"):
        join_rows(own, Series([1.0, 2.0, 3.0], ("x",), dates=dates))


def test_joining_is_that_of_pandas():
    """Against a slow twin: a dict of date -> value, the file's own counting more."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        days = np.datetime64("2020-01-01") + np.sort(rng.choice(40, 20, replace=False))
        values, first = rng.integers(1, 9, 20).astype(float), int(rng.integers(0, 15))
        known = int(rng.integers(max(first, 2), 18))
        own = Series(values[:known], ("x",), dates=days[:known])
        shown = values[first:].copy()
        wrong = rng.random() < 0.5
        if wrong:
            shown[0] += 1
        joined = join_rows(own, Series(shown, ("x",), dates=days[first:]))
        both = dict(zip(days[:known], values[:known], strict=True)) | dict(zip(days[first:], shown, strict=True))
        assert joined.series.values[:, 0].tolist() == [both[day] for day in sorted(both)]
        assert joined.first == known
        assert (joined.changed is not None) == (wrong and first < known)


def test_relative_changes_need_the_row_before(table, tmp_path):
    config = ForecastConfig(
        target="close", returns=True, models=("linear",), epochs=1, seeds=1, length=3, out=str(tmp_path / "runs")
    )
    run = run_forecast(config, series=read_series(table[:ROWS], "close"), progress=False)
    whole = evaluate_run(run.folder, series=read_series(table, "close"))
    assert whole.card.test_rows == 20
    after = evaluate_run(run.folder, series=read_series(table[ROWS - 1 :], "close"))
    pd.testing.assert_frame_equal(after.card.one_step, whole.card.one_step)
    with pytest.raises(ValueError, match="put the row of 2021-04-23 before it"):
        evaluate_run(run.folder, series=read_series(table[ROWS:], "close"))


def test_images_have_no_new_rows(classified):
    with pytest.raises(ValueError, match="it has no series"):
        evaluate_run(classified[0].folder, series=Series([1.0, 2.0], ("x",)))
    assert evaluate_classify(classified[0].folder).card.rows == classified[0].card.rows
