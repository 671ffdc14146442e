import base64
import contextlib
import io
import json
import os
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seqvision import cli
from seqvision.pipelines import ForecastConfig
from seqvision.pipelines.config import config_from_dict
from seqvision.reporting import RunFolder, render_report, write_report
from seqvision.reporting.html import report as report_module
from seqvision.storage import read_manifest
from tests.reporting.html.conftest import HOSTILE
from tests.reporting.html.page_reader import Page


@pytest.fixture(scope="module", params=["forecast", "image", "comparison"])
def content(request, forecast_run, image_run, comparison):
    """The text of each kind of page."""
    files = {"forecast": forecast_run.folder / "report.html", "image": image_run.folder / "report.html"}
    return (files | {"comparison": comparison})[request.param].read_text(encoding="utf-8")


def test_a_page_is_well_formed_and_stands_alone(content):
    page = Page(content)
    assert page.problems == []
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert not re.search(r"https?://|@import|url\((?!#)", content)
    assert all(source.startswith("data:image/") and alt for source, alt in page.images)
    assert len(content) < 2_000_000
    for chart in map(json.loads, page.charts):
        for series in chart["series"]:
            assert {len(series[key]) for key in ("y", "lo", "hi") if key in series} == {len(chart["x"])}
    assert page.charts


def test_hostile_names_are_texts(forecast_run, image_run):
    page = Page((forecast_run.folder / "report.html").read_text(encoding="utf-8"))
    assert HOSTILE in page.text
    assert any(HOSTILE in json.loads(chart)["yLabel"] for chart in page.charts)
    page = Page((image_run.folder / "report.html").read_text(encoding="utf-8"))
    assert "bright <b>" in page.text
    assert any("<i>" in alt for _, alt in page.images), "mistakes name their files"


def test_the_tables_hold_the_numbers_of_the_summary(forecast_run, image_run):
    tables = Page(render_report(forecast_run.folder)).tables
    scores = json.loads((forecast_run.folder / "summary.json").read_text(encoding="utf-8"))["scores"]
    rows = scores["test_rows"]
    for key, title in (("one_step", "One step ahead"), ("all_steps", "All steps of the horizon")):
        shown = tables[f"{title}, {rows} test rows"]
        for name, row in scores[key].items():
            if row["kind"] == "mean of seeds":
                continue  # stands under the model's own name, above it
            expected = [row[score] for score in ("mae", "rmse", "mase", "smape", "r2", "direction", "skill")]
            assert [value for _, value in shown[name]] == expected, name
    means = render_report(forecast_run.folder).split("what is used in the end")[1].split("</tbody>")[0]
    assert f'data-value="{scores["one_step"]["mlp (mean of 2 seeds)"]["rmse"]}"' in means
    steps = tables["RMSE by steps ahead"]["mlp"]
    assert [value for _, value in steps] == [*scores["by_horizon"]["rmse"]["mlp (mean of 2 seeds)"].values()]

    page = Page(render_report(image_run.folder))
    scores = json.loads((image_run.folder / "summary.json").read_text(encoding="utf-8"))["scores"]
    card = page.tables["12 test rows, 2 classes"]["convnet"]
    assert card[0][1] == scores["scores"]["convnet"]["accuracy"]
    matrix = page.tables["convnet: counts"]
    assert [[value for _, value in row] for row in matrix.values()] == scores["confusion"]["convnet"]
    assert page.headings[:2] == ["Verdict", "Score card"]
    assert {"Confusion", "Mistakes", "Reliability", "First-layer filters", "Pictures"} <= {*page.headings}


def test_many_classes_are_a_picture_and_a_list(tmp_path):
    counts = np.eye(40) * 5
    counts[3, 7] = 2
    names = [f"class {k}" for k in range(40)]
    row = {"kind": "model", "seeds": 1, "accuracy": 0.9}
    scores = {"scores": {"mlp": row}, "confusion": {"mlp": counts.tolist()}, "class_names": names, "rows": 202}
    folder = RunFolder.create(tmp_path, "many")
    folder.write_json("summary.json", {"scores": scores})
    page = Page(render_report(folder.path))
    assert page.problems == []
    assert page.tables["mlp: the commonest mistakes"]["class 3 taken for class 7"] == [("2", 2), ("28.6", 2 / 7)]
    ((source, alt),) = page.images
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))
    assert pixels.shape == (40, 40)
    assert pixels[3, 7] == round(255 * 5 / 7)
    assert "confusion of 40 classes" in alt


def test_the_charts_hold_the_predictions_and_their_intervals(forecast_run):
    table = pd.read_csv(forecast_run.folder / "predictions.csv")
    table = table[table["step"] == 2]
    charts = [json.loads(chart) for chart in Page(render_report(forecast_run.folder)).charts]
    chart = next(chart for chart in charts if chart["title"].startswith("2 steps ahead"))
    series = {one["name"]: one for one in chart["series"]}
    assert series["truth"]["y"] == pytest.approx(table["truth"].tolist(), rel=1e-5)
    forecast = table["mlp (mean of 2 seeds)"].to_numpy()
    assert series["mlp"]["y"] == pytest.approx(forecast.tolist(), rel=1e-5)
    band = series["mlp, 80 % interval"]
    assert band["lo"] == pytest.approx(table["mlp (mean of 2 seeds) lower 80"].tolist(), rel=1e-5)
    assert band["hi"] == pytest.approx(table["mlp (mean of 2 seeds) upper 80"].tolist(), rel=1e-5)
    assert "mlp, 95 % interval" not in series, "there were too few rows for it"
    assert chart["x"] == [pd.Timestamp(day).timestamp() * 1000 for day in table["date"]]


def test_a_chart_of_relative_changes_says_so(forecast_run, tmp_path):
    run = shutil.copytree(forecast_run.folder, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    for returns in (False, True):
        (run / "config.json").write_text(json.dumps(config | {"returns": returns}))
        charts = [json.loads(chart) for chart in Page(render_report(run)).charts]
        assert any(f"{HOSTILE}, relative changes" in chart.values() for chart in charts) is returns


def test_the_page_says_what_differs_from_the_defaults_and_how_to_repeat(forecast_run):
    config = config_from_dict(ForecastConfig, RunFolder(forecast_run.folder).read_json("config.json"))
    page = Page(render_report(forecast_run.folder))
    changed = page.tables["What differs from the defaults"]
    assert changed["hidden"] == [("2", None), ("16", None)]
    assert "seed" not in changed
    assert "run_forecast(ForecastConfig(" in page.text
    assert f"seqvision predict {forecast_run.folder}" in page.text
    given = page.text.split("run_forecast(")[1].split(")To judge")[0]
    assert eval(given, {"ForecastConfig": ForecastConfig}) == config


def test_the_report_is_made_anew_by_its_verb_and_free_of_the_manifest(forecast_run, capsys, tmp_path):
    written = (forecast_run.folder / "report.html").read_text(encoding="utf-8")
    assert "report.html" not in read_manifest(forecast_run.folder)
    (forecast_run.folder / "report.html").unlink()
    assert cli.main(["report", str(forecast_run.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    again = (forecast_run.folder / "report.html").read_text(encoding="utf-8")
    assert told["file"] == str(forecast_run.folder / "report.html")
    assert re.sub(r"Written by[^<]*", "", again) == re.sub(r"Written by[^<]*", "", written)
    assert cli.main(["report", str(forecast_run.folder), "--output", str(tmp_path / "new" / "page.html")]) == 0
    assert (tmp_path / "new" / "page.html").is_file()
    capsys.readouterr()
    for words, told in (
        ([str(tmp_path)], "is not a run folder"),
        ([str(forecast_run.folder), "--output", "page.txt"], "output='page.txt' has to end in .html or .htm"),
    ):
        assert cli.main(["report", *words]) == 2
        assert told in capsys.readouterr().err


def test_a_report_that_fails_loses_no_run(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("seqvision.reporting.html.report.write_report", lambda path: 1 / 0)
    with RunFolder.create(tmp_path, "demo") as folder:
        folder.write_config({"epochs": 1})
    assert folder.status == "done"
    assert "no report.html in" in caplog.text


def test_what_is_damaged_or_missing_is_said_and_the_rest_is_shown(tmp_path, caplog):
    with RunFolder.create(tmp_path, "demo") as folder:
        folder.write_config({"epochs": 1, "models": ["gru"]})
        folder.log_metrics([{"model": "gru", "seed": s, "epoch": e, "loss": 1 / e} for s in (0, 1) for e in (1, 2)])
        folder.write_json("summary.json", {"scores": {"one_step": {"gru": 3}}})
        folder.write_json("parent.json", {"name": "run <1>", "from_weights": True})
    (folder.path / "environment.json").write_text("{torn", encoding="utf-8")
    page = Page(render_report(folder.path))
    assert page.problems == []
    assert "environment.json cannot be read" in page.text
    assert "A section cannot be shown" in page.text
    assert "Training" in page.headings
    assert "Configuration" in page.headings
    assert "refitted fromrun <1>" in page.text


def test_a_failed_run_says_why_and_shows_what_it_had(tmp_path):
    with contextlib.suppress(ZeroDivisionError), RunFolder.create(tmp_path, "demo") as folder:
        folder.write_config({"epochs": 1})
        folder.log_metrics([{"model": "gru", "seed": 0, "epoch": 1, "loss": 0.5}])
        raise ZeroDivisionError("<nothing>")
    page = Page((folder.path / "report.html").read_text(encoding="utf-8"))
    assert "This run is not done: failed: ZeroDivisionError: <nothing>" in page.text
    assert "Training" in page.headings


def test_sequences_and_any_other_summary_have_tables(tmp_path):
    scores = {
        "Luong": {"kind": "model", "seeds": 2, "exact": 0.5, "exact_std": 0.1, "symbols": 0.75, "symbols_std": 0.1},
        "copy": {"kind": "baseline", "seeds": 1, "exact": 0.25, "exact_std": None, "symbols": 0.5, "symbols_std": None},
    }
    for name, summary in {
        "sequences": {"scores": scores, "test_rows": 1000},
        "filters": {"sobel": {"edges": 0.25}, "blur": {"edges": 0.125}},
        "deep": {"sgd": {"small": {"loss": [1.0, 0.5]}}, "count": 3, "note": "a <b>"},
    }.items():
        folder = RunFolder.create(tmp_path, name)
        folder.write_json("summary.json", summary)
        page = Page(render_report(folder.path))
        assert page.problems == []
        if name == "sequences":
            assert page.tables["Share right of 1,000 test rows"]["Luong"][0] == ("50.00 ± 10.00", 0.5)
            assert "Luong gets 50.0 %" in page.text
        elif name == "filters":
            assert page.tables["Scores"]["blur"] == [("0.1250", 0.125)]
        else:
            assert "a <b>" in page.text


def test_long_pages_stay_small(tmp_path):
    """A run with a hundred thousand test rows, ten forecasters and pictures of three megabytes."""
    count = 100_000
    random = np.random.default_rng(0)
    truth = random.normal(size=count).cumsum()
    names = [f"model {n}" for n in range(10)]
    table = pd.DataFrame(
        {"row": np.arange(count), "truth": truth} | {n: truth + random.normal(size=count) for n in names}
    )
    row = {"kind": "model", "seeds": 1, "rmse": 1.0, "mae": 1.0}
    folder = RunFolder.create(tmp_path, "long")
    table.to_csv(folder.path / "predictions.csv", index=False)
    folder.write_json("summary.json", {"scores": {"one_step": dict.fromkeys(names, row), "verdicts": []}})
    for n in range(3):
        (folder.path / f"{n}.png").write_bytes(bytes(900_000))
    path = write_report(folder.path)
    assert path.stat().st_size < 3_000_000
    page = Page(path.read_text(encoding="utf-8"))
    assert page.problems == []
    assert "Not taken in, for this page's size: 1.png, 2.png" in page.text


def test_the_templates_lie_in_the_package():
    folder = report_module.__file__.rsplit("/", 1)[0]
    assert {"page.html.j2", "report.css", "charts.js"} <= {*os.listdir(f"{folder}/templates")}
