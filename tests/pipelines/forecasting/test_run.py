import json
import shutil

import numpy as np
import pandas as pd
import pytest

from seqvision import metrics, reporting, scorecards
from seqvision.data import load_goog
from seqvision.pipelines import (
    ForecastConfig,
    JudgedForecasts,
    ModelSize,
    describe_forecast,
    evaluate_forecast,
    evaluate_run,
    load_series,
    predict_forecast,
    report_run,
    run_forecast,
    split_series,
)
from seqvision.pipelines.forecasting import report
from seqvision.pipelines.forecasting.judging import path_origins
from seqvision.reporting import Drawers, RunFolder

SMALL = {"models": ("gru", "linear"), "hidden": 4, "epochs": 3, "seeds": 2, "length": 5, "train": 0.6}


def of(table, model):
    """The rows of one forecaster in a prediction."""
    return table[table["model"] == model].reset_index(drop=True)


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """A file of 200 days: prices and a volume."""
    rng = np.random.default_rng(0)
    dates = pd.bdate_range("2020-01-01", periods=200)
    table = pd.DataFrame({"date": dates, "close": np.exp(rng.normal(0, 0.02, 200).cumsum()) * 40})
    table["volume"] = rng.integers(1000, 9000, 200)
    path = tmp_path_factory.mktemp("data") / "walk.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(walk, tmp_path_factory):
    config = ForecastConfig(
        csv=str(walk), target="close", horizon=3, unit="USD", out=str(tmp_path_factory.mktemp("runs")), **SMALL
    )
    return config, run_forecast(config, progress=False)


def test_the_folder_holds_everything(run):
    config, result = run
    folder = RunFolder.open(result.folder)
    assert folder.status == "done"
    names = {path.name for path in folder.path.iterdir()}
    assert names == {
        "STATUS",
        "config.json",
        "data.json",
        "defaults.json",
        "environment.json",
        "manifest.json",
        "report.html",
        "metrics.jsonl",
        "models",
        "phases.json",
        "predictions.csv",
        "series.safetensors",
        "summary.json",
        "errors-by-step.png",
        "intervals.png",
        "losses.png",
        "forecast.png",
        "residuals.png",
    }
    assert len(folder.read_metrics()) == 2 * 2 * 3
    assert set(folder.read_metrics()[0]) == {"model", "seed", "epoch", "loss", "val_loss"}
    assert folder.read_json("config.json")["horizon"] == config.horizon
    json.dumps(folder.read_json("summary.json"), allow_nan=False)


def test_the_card_is_about_original_units_and_the_right_rows(run, walk):
    _, result = run
    close = pd.read_csv(walk)["close"].to_numpy()
    whole = pd.read_csv(result.folder / "predictions.csv", parse_dates=["date"])
    table = whole[whole["step"] == 1]
    rows = table["row"].to_numpy()
    assert rows[-1] == 199
    np.testing.assert_allclose(table["truth"], close[rows], rtol=1e-8)
    np.testing.assert_allclose(table["last value"], close[rows - 1], rtol=1e-8)
    np.testing.assert_allclose(table["last value free-running"], close[rows[0] - 1], rtol=1e-8)
    card = result.card
    assert card.test_rows == len(rows)
    assert card.one_step.loc["last value", "rmse"] == pytest.approx(metrics.rmse(close[rows], forecast=close[rows - 1]))
    forecasts = scorecards.by_target(result.forecasts["gru"])
    assert forecasts.shape == (2, len(rows), 3)
    assert card.one_step.loc["gru", "rmse"] == pytest.approx(
        np.mean([metrics.rmse(close[rows], forecast=seed[:, 0]) for seed in forecasts])
    )
    # Every step of every row is saved, as the mean of the seeds, and its error is that of the card.
    assert len(whole) == 3 * len(rows)
    for h in range(3):
        part = whole[whole["step"] == h + 1]
        np.testing.assert_array_equal(part["row"], rows)
        np.testing.assert_array_equal(part["date"], pd.read_csv(walk, parse_dates=["date"])["date"][rows])
        np.testing.assert_allclose(part["gru (mean of 2 seeds)"], forecasts[..., h].mean(axis=0), rtol=1e-7)
        np.testing.assert_allclose(part["last value"], close[rows - 1 - h], rtol=1e-8)
        for name in ("gru (mean of 2 seeds)", "linear (mean of 2 seeds)", "last value", "drift", "AR(5)"):
            error = metrics.rmse(part["truth"], forecast=part[name])
            assert card.by_horizon.rmse.loc[name, h + 1] == pytest.approx(error, rel=1e-6)
    for name in ("gru (mean of 2 seeds)", "linear (mean of 2 seeds)", "last value", "AR(5)"):
        error = metrics.rmse(table["truth"], forecast=table[f"{name} free-running"])
        assert card.free_running.loc[name, "rmse"] == pytest.approx(error, rel=1e-6)
    train_rows = result.summary["data"]["train_rows"]
    linear = scorecards.fit_autoregression(close[:train_rows], order=5)(close, rows)[:, 0]
    assert card.one_step.loc["AR(5)", "rmse"] == pytest.approx(metrics.rmse(close[rows], forecast=linear))
    # The first free step is the first one-step forecast: nothing has been fed back yet.
    np.testing.assert_allclose(result.free_runs["gru"][:, 0], forecasts[:, 0, 0], rtol=1e-5)
    assert not np.allclose(forecasts[0], forecasts[1])
    words = (
        "One step ahead",
        "All steps 1 to 3",
        "Free-running",
        "RMSE by steps ahead",
        "USD",
        "Verdict",
        "last value",
    )
    for word in (*words, "parameters, 2 seeds trained in", "gru (mean of 2 seeds), free-running: "):
        assert word in result.text


def test_steps_of_free_runs_are_those_of_short_ones(run, walk, tmp_path):
    """A free run from an origin within the test rows is what predict gives for the file that ends before it."""
    _, result = run
    table, rows = pd.read_csv(walk), result.card.test_rows
    origins, steps = path_origins(200 - rows, rows)
    errors = []
    for origin in origins:
        table.iloc[:origin].to_csv(tmp_path / "until.csv", index=False)
        table_ahead = predict_forecast(result.folder, str(tmp_path / "until.csv"), steps=steps).table
        path = of(table_ahead, "gru (mean of 2 seeds)")["forecast"]
        errors.append((path - table["close"].to_numpy()[origin : origin + steps]) ** 2)
    assert result.card.by_path_step.rows == len(origins) == 31
    shown = result.card.by_path_step.rmse.loc["gru (mean of 2 seeds)"]
    np.testing.assert_allclose(shown, np.sqrt(np.mean(errors, axis=0)), rtol=1e-5)


def test_evaluate_gives_the_same_card(run):
    _, result = run
    again = evaluate_forecast(result.folder)
    pd.testing.assert_frame_equal(again.card.one_step, result.card.one_step, rtol=1e-5)
    pd.testing.assert_frame_equal(again.card.free_running, result.card.free_running, rtol=1e-4)
    assert evaluate_run(result.folder).text == again.text


def test_evaluate_refuses_other_data_and_other_parameters(run, walk, tmp_path):
    _, result = run
    other = tmp_path / "other.csv"
    pd.read_csv(walk).iloc[:-1].to_csv(other, index=False)
    with pytest.raises(ValueError, match=r"other has no row after 2020-10-06, where .* ends: none is new"):
        evaluate_forecast(result.folder, str(other))
    copy = tmp_path / "copy"
    shutil.copytree(result.folder, copy)
    settings = json.loads((copy / "config.json").read_text())
    RunFolder(copy).write_json("config.json", settings | {"hidden": 5})
    with pytest.raises(
        ValueError, match=r"models/gru/weights\.safetensors does not fit .* seed_0/params/.* expected float32"
    ):
        evaluate_forecast(copy)
    RunFolder(copy).write_json("config.json", settings | {"hiden": 5})
    with pytest.raises(ValueError, match="no setting 'hiden'; did you mean hidden"):
        evaluate_forecast(copy)


def test_predict_continues_the_file(run, walk, tmp_path):
    _, result = run
    # The file without its last three rows: the forecast of these rows was made in the test already.
    short = tmp_path / "short.csv"
    table = pd.read_csv(walk)
    table.iloc[:-3].to_csv(short, index=False)
    forecast = predict_forecast(result.folder, str(short), output=tmp_path / "next.csv")
    expected, row = result.forecasts["gru"][:, -3, :], "gru (mean of 2 seeds)"
    ours = of(forecast.table, row)
    np.testing.assert_allclose(ours["forecast"], expected.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(ours["seed_spread"], expected.std(axis=0, ddof=1), rtol=1e-2)
    reference = result.card.references["all steps"]
    naive = result.baselines[reference](table["close"][:-3], [197], 3)[0]
    plain = of(forecast.table, reference)
    np.testing.assert_allclose(plain["forecast"], naive, rtol=1e-8)
    assert list(forecast.table["model"]) == [row, "linear (mean of 2 seeds)", reference] * 3
    assert ours["date"].tolist() == table["date"].iloc[-3:].tolist()
    assert ours["row"].tolist() == [197, 198, 199]
    assert forecast.after == str(table["date"].iloc[-4])
    assert "after 2020-" in forecast.text
    # Beside every number stands what the test says of such a forecast: the row of the card of the same forecaster.
    card = result.card
    np.testing.assert_allclose(ours["test_rmse"], card.by_horizon.rmse.loc[row])
    np.testing.assert_allclose(plain["test_rmse"], card.by_horizon.rmse.loc[reference])
    np.testing.assert_allclose(ours["skill"], 1 - ours["test_rmse"].to_numpy() / plain["test_rmse"].to_numpy())
    assert ours["verdict"].tolist() == card.by_horizon.outcomes.loc[row].tolist()
    assert set(plain["verdict"]) == {"naive forecast"}
    assert card.intervals.ways["at once"][row].rows == (19, 19, 19)  # each row between training and test at every step
    # The intervals are those that the card judged: its half widths around the forecast, of what is naive too.
    for part, name in ((ours, row), (plain, reference)):
        for level, widths in zip((80, 95), card.intervals.ways["at once"][name].half_widths, strict=True):
            half = np.where(np.isfinite(widths), widths, np.nan)
            np.testing.assert_allclose(part[f"upper_{level}"] - part["forecast"], half, rtol=1e-6)
            np.testing.assert_allclose(part["forecast"] - part[f"lower_{level}"], half, rtol=1e-6)
    assert forecast.verdicts[0] == card.delivered("all steps")[row].text
    saved = pd.read_csv(tmp_path / "next.csv")
    assert saved["step"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert saved["verdict"].tolist() == forecast.table["verdict"].tolist()
    long = predict_forecast(result.folder, str(short), steps=33)
    path = of(long.table, row)
    assert len(path) == 33
    assert path["forecast"][0] == pytest.approx(ours["forecast"][0], rel=1e-5)
    tested = card.by_path_step.rmse.shape[1]
    np.testing.assert_allclose(path["test_rmse"][:tested], card.by_path_step.rmse.loc[row])
    assert path["test_rmse"][tested:].isna().all()
    assert set(path["verdict"][tested:]) == {"not tested"}
    intervals = card.intervals.ways["fed back"][row]
    assert len(intervals.rows) == 9  # half of the 19 rows between training and test
    np.testing.assert_allclose(path["upper_80"][:9] - path["forecast"][:9], intervals.half_widths[0], rtol=1e-6)
    assert path["upper_80"][9:].isna().all()
    assert path["upper_95"][1:].isna().all()  # a 95 % interval needs 19 rows
    assert long.verdicts[0] == card.delivered("free-running")[row].text
    said = " ".join(long.text.split())
    assert "every step is fed by the forecasts before it" in said
    assert "Forecasts are the mean of the seeds ± their spread." in said
    assert "note: no intervals beyond step 9: the rows between training and test do not reach further" in said
    assert "note: no 95 % interval at steps 2 to 9: it needs 19 rows, there are 18 or fewer" in said
    assert " ".join(long.verdicts[0].split()) in said
    json.dumps(long.to_dict(), allow_nan=False)
    first = predict_forecast(result.folder, str(short), steps=1)
    assert first.verdicts[0] == card.delivered("one step ahead")[row].text
    with pytest.raises(ValueError, match="steps must be"):
        predict_forecast(result.folder, steps=0)
    table.iloc[:3].to_csv(short, index=False)
    with pytest.raises(ValueError, match="has 3 rows, but the models look at 5"):
        predict_forecast(result.folder, str(short))


def test_predict_says_where_a_file_lies_far_from_what_was_trained_on(run, walk, tmp_path):
    result, table = run[1], pd.read_csv(walk)
    assert not any("far outside" in note for note in predict_forecast(result.folder).notes)
    low, high = table["close"][:120].min(), table["close"][:120].max()
    for factor in (1000, 0.001):
        other = tmp_path / "other.csv"
        table.assign(close=table["close"] * factor).to_csv(other, index=False)
        forecast = predict_forecast(result.folder, str(other), output=tmp_path / "next.csv")
        note = forecast.notes[0]
        assert f"far outside the {low:.6g} to {high:.6g} of the training rows: the test errors shown do not" in note
        assert "note: the" in forecast.text
        assert forecast.to_dict()["notes"][0] == note
        assert set(pd.read_csv(forecast.output)["note"]) == {note}


def test_predict_wants_a_judged_run(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run[1].folder, copy)
    RunFolder(copy).write_json("summary.json", {"scores": {"one_step": {}}})
    with pytest.raises(ValueError, match="does not say how its forecasters did in the test"):
        predict_forecast(copy)


def test_pictures_are_drawn_again_from_the_folder_alone(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run[1].folder, copy)
    drawn = {path.name: path.read_bytes() for path in copy.glob("*.png")}
    for name in drawn:
        (copy / name).unlink()
    report_run(copy, plots=True)
    assert {path.name: path.read_bytes() for path in copy.glob("*.png")} == drawn


def test_pictures_and_tables_are_about_what_predict_runs(run, walk, monkeypatch, tmp_path):
    """Titles, legends and headings of every picture of a run name the mean over seeds and what the card says of it."""
    figures = {}

    def keep(_, path, plot, *args, **options):
        figures[path.name] = getattr(reporting, plot)(*args, **options)

    monkeypatch.setattr(Drawers, "save", keep)
    config, result = run
    split = split_series(config, load_series(config))
    judged = JudgedForecasts(result.card, result.forecasts, result.free_runs, result.baselines)
    with Drawers() as drawers:
        report.write_forecast_report(RunFolder(tmp_path), config, split, result.history, judged, drawers)
    assert set(figures) == {"losses.png", "forecast.png", "intervals.png", "residuals.png", "errors-by-step.png"}
    for name in ("forecast.png", "errors-by-step.png"):
        texts = [text.get_text() for text in figures[name].legends[0].get_texts()]
        assert {"gru (mean of 2 seeds)", "linear (mean of 2 seeds)"} <= set(texts)
    assert "bands: lowest to highest of 2 seeds" in [
        t.get_text() for t in figures["forecast.png"].legends[0].get_texts()
    ]
    one, ahead, free = (axes.get_title(loc="left") for axes in figures["forecast.png"].axes)
    assert ahead.startswith("3 steps ahead; against the ")
    for heading, mode in ((one, "one step ahead"), (free, "free-running")):
        assert f"against the {result.card.references[mode]} – " in heading
        for name, verdict in result.card.delivered(mode).items():
            group = heading.split(f"{verdict.outcome}: ")[1].split(";")[0]
            assert name.split(" (")[0] in group
    residual = figures["residuals.png"].axes[0].get_title(loc="left")
    rmse = result.card.one_step.loc["gru (mean of 2 seeds)", "rmse"]
    assert residual.startswith("gru (mean of 2 seeds): mean ")
    assert residual.endswith(f"RMSE {rmse:.4g} USD")
    assert one.split("; ")[1] in figures["residuals.png"].get_suptitle()


def test_a_season_longer_than_the_rows_is_refused_before_training(walk, tmp_path):
    settings = {"csv": str(walk), "target": "close", "out": str(tmp_path / "runs"), **SMALL}
    with pytest.raises(ValueError, match=r"season=500 is too long for 12\d training rows: use one of at most 1"):
        run_forecast(ForecastConfig(**settings, season=500))
    assert not (tmp_path / "runs").exists()


def test_nothing_after_the_cutoff_reaches_training(run, walk, tmp_path):
    config, result = run
    table = pd.read_csv(walk)
    first = pd.read_csv(result.folder / "predictions.csv")["row"][0]
    table.loc[first:, "close"] = table.loc[first:, "close"][::-1].to_numpy() * 3
    table.to_csv(tmp_path / "corrupted.csv", index=False)
    settings = vars(config) | {"csv": str(tmp_path / "corrupted.csv"), "out": str(tmp_path)}
    other = run_forecast(ForecastConfig(**settings))
    ours, theirs = (RunFolder.open(r.folder).load_parameters() for r in (result, other))
    for name in ("gru", "linear"):
        for seed in ("seed_0", "seed_1"):
            for leaf, value in _leaves(ours[name][seed]).items():
                np.testing.assert_array_equal(value, _leaves(theirs[name][seed])[leaf])
    assert other.card.one_step.loc["gru", "rmse"] != result.card.one_step.loc["gru", "rmse"]
    assert other.card.intervals.ways == result.card.intervals.ways


def _leaves(tree):
    from seqvision.storage import flatten_leaves

    return flatten_leaves(tree)


def test_further_columns_are_seen_and_stop_the_free_run(walk, tmp_path):
    config = ForecastConfig(csv=str(walk), target="close", columns=("volume",), out=str(tmp_path), **SMALL)
    result = run_forecast(config)
    assert result.card.free_running is None
    assert result.card.by_horizon is None
    assert RunFolder.open(result.folder).read_json("data.json")["columns"] == ["close", "volume"]
    assert len(predict_forecast(result.folder).table) == 3
    with pytest.raises(ValueError, match="cannot feed its forecasts back"):
        predict_forecast(result.folder, steps=2)


def test_returns_of_the_bundled_series(tmp_path):
    settings = SMALL | {"models": ("linear",), "seeds": 1, "returns": True, "out": str(tmp_path)}
    result = run_forecast(ForecastConfig(**settings))
    close = load_goog().column("close")
    changes = close[1:] / close[:-1] - 1
    rows = result.card.test_rows
    assert result.card.one_step.loc["zero return", "rmse"] == pytest.approx(np.sqrt(np.mean(changes[-rows:] ** 2)))
    assert "over the zero return" in result.text or "than the zero return" in result.text
    assert "zero return" in predict_forecast(result.folder).text
    # With one seed the model itself is what is delivered, and nothing speaks of several.
    assert list(result.card.one_step["kind"]) == ["model", "baseline", "baseline", "baseline"]
    table = pd.read_csv(result.folder / "predictions.csv")
    error = metrics.rmse(table["truth"], forecast=table["linear"])
    assert result.card.one_step.loc["linear", "rmse"] == pytest.approx(error, rel=1e-6)
    assert "linear: 6 parameters, 1 seed trained in" in result.text
    assert "seeds" not in result.text + predict_forecast(result.folder).text


def test_a_model_does_not_depend_on_the_others(run, walk):
    config, result = run
    alone = run_forecast(ForecastConfig(**{**vars(config), "models": ("linear",)}))
    np.testing.assert_array_equal(alone.forecasts["linear"], result.forecasts["linear"])


def test_a_description_computes_nothing(tmp_path):
    described = describe_forecast(ForecastConfig(out=f"{tmp_path}/none", models=("lstm",), hidden=5, residual=False))
    assert described.models["lstm"] == ModelSize(input=(10, 1), output=(1, 1), parameters=146)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 2**32}, "seed must be an int >= 0 and < 4294967296"),
        ({"seed": -1}, "seed must be"),
        ({"models": ("lstn",)}, "'lstn' is unknown; did you mean lstm"),
        ({"models": ()}, "at least one model"),
        ({"models": ("gru", "gru")}, "none twice"),
        ({"epochs": 0}, "epochs must be an int >= 1"),
        ({"season": 0}, "season must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"returns": True, "columns": ("volume",)}, "returns=True is for one column"),
    ],
)
def test_configurations_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ForecastConfig(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": None}, "say target=… which to predict, one of 'close', 'volume'"),
        ({"target": "clos"}, "did you mean 'close'"),
        ({"length": 300}, "300"),
        ({"batch_size": 4000}, "batch_size 4000 is larger than the 117 examples to train on: use 117 or less"),
    ],
)
def test_data_that_do_not_fit_are_refused_before_a_folder_is_made(walk, tmp_path, settings, message):
    base = {"csv": str(walk), "target": "close", "out": str(tmp_path / "runs"), **SMALL}
    with pytest.raises(ValueError, match=message):
        run_forecast(ForecastConfig(**base | settings))
    assert not (tmp_path / "runs").exists()
