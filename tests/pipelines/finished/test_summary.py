"""What a run keeps for the commands that come after it: its rows, scores by seed and on the validation rows."""

import shutil

import numpy as np
import pandas as pd
import pytest

from seqvision.data import load_goog, read_series
from seqvision.pipelines import ForecastConfig, load_series, predict_forecast, run_forecast
from seqvision.pipelines.config import config_from_dict
from seqvision.pipelines.finished.records import read_record
from seqvision.pipelines.forecasting.data import read_saved
from seqvision.pipelines.forecasting.own_rows import own_series
from seqvision.reporting import RunFolder


def test_scores_by_seed_are_those_of_the_card(forecasts, classified):
    for run in forecasts:
        for model, errors in run.summary["by_seed"].items():
            assert len(errors) == 3
            assert np.mean(errors) == pytest.approx(run.card.all_steps.loc[model, "rmse"])
            assert np.std(errors, ddof=1) == pytest.approx(run.card.all_steps.loc[model, "rmse_std"])
    for run in classified:
        assert np.mean(run.summary["by_seed"]["linear"]) == pytest.approx(run.card.scores.loc["linear", "accuracy"])


def test_validation_errors_are_those_of_the_rows_between_training_and_test(forecasts, table):
    run = forecasts[0]
    data, close = run.summary["data"], table["close"].to_numpy()
    first = data["train_rows"]
    held = run.validation
    assert (held.metric, held.rows) == ("RMSE", data["validation_rows"] - 1)
    origins = np.arange(first, first + held.rows)
    truth = np.stack([close[origins], close[origins + 1]], axis=1)
    assert held.baselines["last value"] == pytest.approx(np.sqrt(np.mean((truth - close[origins - 1, None]) ** 2)))
    # The forecasts of these rows that `predict` makes of the file that ends before them.
    series = read_series(table, "close")
    errors = []
    for origin in origins:
        told = predict_forecast(run.folder, series=series[: int(origin)]).table
        ahead = told.loc[told["model"] == "mlp (mean of 3 seeds)", "forecast"].to_numpy()
        errors.append((ahead - close[origin : origin + 2]) ** 2)
    assert held.models["mlp"] == pytest.approx(np.sqrt(np.mean(errors)), rel=1e-5)
    assert read_record(run.folder).chosen == min(held.models, key=held.models.get)


def test_validation_of_images(classified):
    first, second = (run.validation for run in classified)
    assert (first.metric, first.rows) == ("log-loss", 30)
    assert first.baselines == second.baselines
    assert 2 < first.baselines["commonest class"] < 2.7  # ln 10 is 2.3
    assert second.models["linear"] < first.models["linear"]


def test_the_rows_of_a_run_are_kept_to_the_bit(forecasts, copy):
    run = forecasts[0]
    config = config_from_dict(ForecastConfig, RunFolder.open(run.folder).read_json("config.json"))
    read, kept = load_series(config), own_series(read_saved(RunFolder.open(run.folder)))
    np.testing.assert_array_equal(kept.values, read.values)
    np.testing.assert_array_equal(kept.dates, read.dates)
    assert kept.dates.dtype == read.dates.dtype
    assert (kept.columns, kept.target, kept.name, kept.notes) == (read.columns, read.target, read.name, read.notes)
    changed = bytearray((copy / "series.safetensors").read_bytes())
    changed[-1] ^= 1
    (copy / "series.safetensors").write_bytes(changed)
    with pytest.raises(ValueError, match=r"series.safetensors is not what was written"):
        RunFolder.open(copy)
    with pytest.raises(ValueError, match=r"does not hold the rows that data.json speaks of|is damaged"):
        own_series(read_saved(RunFolder(copy)))


def test_a_series_in_memory_is_trained_on_and_asked_again(tmp_path):
    goog = load_goog()[:90]
    config = ForecastConfig(models=("linear",), epochs=1, seeds=1, out=str(tmp_path / "runs"), validation=0)
    run = run_forecast(config, series=goog, progress=False)
    assert run.summary["data"]["rows"] == 90
    assert run.validation is None
    assert predict_forecast(run.folder).after == str(goog.dates[-1])[:10]
    shutil.move(tmp_path / "runs", tmp_path / "moved")
    again = predict_forecast(tmp_path / "moved" / run.folder.name, series=goog[:80])
    assert again.after == str(goog.dates[79])[:10]
    with pytest.raises(TypeError, match=r"cut by a slice of rows, such as series\[:100\], got 3"):
        _ = goog[3]
    with pytest.raises(ValueError, match="say target=… which column"):
        run_forecast(config, series=read_series(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 3.0]})))
