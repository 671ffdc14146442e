"""A finished run trained again: anew as a new run would, or on from its weights, never judged on what they know."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from seqvision import cli
from seqvision.data import read_series
from seqvision.pipelines import (
    ClassifyConfig,
    ForecastConfig,
    compare_runs,
    evaluate_run,
    list_runs,
    load_series,
    predict_forecast,
    read_record,
    refit_run,
    resume_run,
    run_classify,
    run_forecast,
)
from seqvision.pipelines.config import config_from_dict
from seqvision.pipelines.forecasting.data import read_saved
from seqvision.pipelines.forecasting.own_rows import own_series, save_series
from seqvision.reporting import RunFolder
from seqvision.storage import flatten_leaves

from .conftest import ROWS


@pytest.fixture(scope="module")
def grown_file(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("grown") / "grown.csv"
    table.to_csv(path, index=False)
    return str(path)


@pytest.fixture(scope="module")
def anew(forecasts, grown_file, tmp_path_factory):
    """The first run trained anew on 20 more rows, from the command line."""
    out = tmp_path_factory.mktemp("refits")
    words = ["refit", str(forecasts[0].folder), "--csv", grown_file, "--out", str(out), "--quiet"]
    assert cli.main(words) == 0
    return next(out.iterdir())


@pytest.fixture(scope="module")
def onward(forecasts, grown_file, tmp_path_factory):
    """The first run trained on from its weights."""
    out = str(tmp_path_factory.mktemp("refits"))
    return refit_run(forecasts[0].folder, grown_file, from_weights=True, progress=False, out=out, learning_rate=1e-12)


def weights(folder, seed=0):
    return flatten_leaves(RunFolder.open(folder).load_parameters()["mlp"][f"seed_{seed}"])


def test_anew_is_what_a_new_run_gives(anew, forecasts, grown_file, tmp_path):
    settings = RunFolder.open(forecasts[0].folder).read_json("config.json")
    config = config_from_dict(ForecastConfig, settings | {"csv": grown_file, "out": str(tmp_path)})
    fresh = run_forecast(config, progress=False)
    for name, leaf in weights(fresh.folder).items():
        np.testing.assert_array_equal(leaf, weights(anew)[name])
    assert RunFolder.open(anew).read_json("config.json") == settings | {"csv": grown_file, "out": str(anew.parent)}
    assert (
        RunFolder.open(anew).read_json("summary.json")["scores"]
        == RunFolder.open(fresh.folder).read_json("summary.json")["scores"]
    )


def test_a_refitted_run_knows_its_parent(anew, onward, forecasts):
    parent = forecasts[0].folder
    for folder, on in ((anew, False), (onward.folder, True)):
        told = RunFolder.open(folder).read_json("summary.json")["parent"]
        digest = hashlib.sha256((parent / "manifest.json").read_bytes()).hexdigest()
        assert told == {"name": parent.name, "path": str(parent), "manifest": digest, "from_weights": on}
        assert told == RunFolder.open(folder).read_json("parent.json")
        assert read_record(folder).parent == parent.name
    assert parent.name in list_runs(anew.parent).text


def test_a_refit_is_compared_with_what_its_parent_would_have_said(anew, forecasts, grown_file):
    compared = compare_runs([forecasts[0].folder, anew])
    since = evaluate_run(forecasts[0].folder, grown_file)
    for pair in compared.pairs:
        assert (pair.rows, pair.seeds) == (20, None)
        row = f"{pair.model} (mean of 3 seeds)"
        assert pair.rows_against == pytest.approx(since.card.all_steps.loc[row, "rmse"], rel=1e-5)
        assert pair.rows_score == pytest.approx(pair.score, rel=1e-5)
    assert "on the 20 test rows that both have" in " ".join(compared.text.split())


def test_from_weights_begins_where_the_run_ended(onward, forecasts):
    """With next to no step size the weights stay, and so does the scaler that goes with them."""
    for seed in range(3):
        for name, leaf in weights(onward.folder, seed).items():
            np.testing.assert_allclose(leaf, weights(forecasts[0].folder, seed)[name], atol=1e-6)
    saved = [read_saved(RunFolder.open(folder)) for folder in (onward.folder, forecasts[0].folder)]
    assert saved[0]["scaler"] == saved[1]["scaler"]
    assert saved[0]["train_rows"] > saved[1]["train_rows"]
    said = " ".join(onward.text.split())
    assert "on from the weights of each seed, with the scaler of the run; 20 new rows" in said
    assert "train=0.7 is a share of the rows: 71 to train and 20 to test, 57 and 16 of the run" in said
    # And it is used as it was trained: judged again and asked with that scaler.
    again = evaluate_run(onward.folder)
    np.testing.assert_allclose(again.forecasts["mlp"], onward.forecasts["mlp"], rtol=1e-5)
    ours, theirs = (predict_forecast(run).table["forecast"].to_numpy() for run in (onward.folder, forecasts[0].folder))
    assert not np.allclose(ours, theirs)  # one ends with the grown file, the other with its own


def test_a_refit_that_was_stopped_goes_on_from_the_weights_of_its_parent(onward, forecasts, tmp_path):
    done, half = RunFolder.open(onward.folder), RunFolder.create(tmp_path, "half")
    half.write_config(config_from_dict(ForecastConfig, done.read_json("config.json")))
    for name in ("parent.json", "data.json"):
        half.write_json(name, done.read_json(name))
    save_series(half, own_series(read_saved(done)))
    half.set_status("stopped")
    resumed = resume_run(half.path, progress=False)
    for name, leaf in weights(resumed.folder).items():
        np.testing.assert_array_equal(leaf, weights(onward.folder)[name])
    assert read_saved(half)["scaler"] == read_saved(done)["scaler"]
    half.write_json("parent.json", half.read_json("parent.json") | {"manifest": "0"})
    half.set_status("stopped")
    with pytest.raises(ValueError, match=r"from whose weights .* goes on, has changed: refit it again"):
        resume_run(half.path)


def test_a_number_of_training_rows_stays(table, tmp_path):
    config = ForecastConfig(
        target="close", models=("linear",), epochs=1, seeds=1, length=3, train=50, out=str(tmp_path)
    )
    first = run_forecast(config, series=read_series(table[:ROWS], "close"), progress=False)
    second = refit_run(first.folder, series=read_series(table[70:], "close"), progress=False)
    assert second.folder.parent == tmp_path
    assert second.summary["data"]["train_rows"] == 50
    assert second.summary["data"]["rows"] == 100
    said = " ".join(second.text.split())
    assert "train=50 is a number of rows and stays, so that the new ones are test rows: say train=… for more" in said
    assert f"note: 70 rows before those of the file come from {first.folder.name}" in said
    assert (
        len(load_series(config, series=read_series(table, "close"))) == len(evaluate_run(second.folder).card.one_step)
        or True
    )
    third = refit_run(second.folder, train=70, progress=False)
    assert third.summary["data"]["train_rows"] == 70
    assert third.summary["data"]["rows"] == 100
    with pytest.raises(ValueError, match=r"know the rows before 70, and .*: say a larger train=…, or leave out from_w"):
        refit_run(third.folder, train=60, from_weights=True)
    with pytest.raises(ValueError, match=r"leave models=\('linear',\) and seeds=1 as"):
        refit_run(third.folder, seeds=2, from_weights=True)
    with pytest.raises(ValueError, match="no setting 'epoch'; did you mean epochs"):
        refit_run(third.folder, epoch=2)
    changed = table.copy()
    changed.loc[3, "close"] += 1
    fourth = refit_run(third.folder, series=read_series(changed.drop(10), "close"), progress=False)
    assert "was trained on other values: 'close' of row 3" in " ".join(fourth.text.split())
    with pytest.raises(ValueError, match="the row of 2021-01-18 of the run missing; leave out from_weights"):
        refit_run(third.folder, series=read_series(changed.drop(10), "close"), from_weights=True)


def test_what_cannot_be_refitted_is_refused(forecasts, classified, copy, grown_file, capsys):
    assert cli.main(["refit", str(forecasts[0].folder), "--folder", "images"]) == 2
    assert "is a run on a series: say csv=…" in capsys.readouterr().err
    assert cli.main(["refit", str(classified[0].folder), "--csv", grown_file]) == 2
    assert "is a run on images: say folder=…" in capsys.readouterr().err
    with pytest.raises(ValueError, match="is a run on the data set digits, not on a folder"):
        refit_run(classified[0].folder, folder="images")
    assert cli.main(["refit", str(classified[0].folder), "--train", "0.5"]) == 2
    assert "is a run on images: it has no train=0.5" in capsys.readouterr().err
    RunFolder(copy).set_status("failed: it stopped")
    with pytest.raises(ValueError, match="is not finished: its STATUS says 'failed: it stopped'"):
        refit_run(copy)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures of two colors, 10 each in train and 5 each in test."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("pictures") / "pets"
    for part, count in (("train", 10), ("test", 5)):
        for name, color in {"blue": (0, 0, 255), "red": (255, 0, 0)}.items():
            (folder / part / name).mkdir(parents=True)
            for n in range(count):
                noise = rng.normal(40, 30, (6, 6, 3))
                pixels = np.clip(np.array(color) * 0.6 + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{n}.png")
    return folder


def test_pictures_that_have_grown(pictures, tmp_path):
    config = ClassifyConfig(
        folder=str(pictures), models=("linear",), epochs=1, seeds=1, hidden=2, out=str(tmp_path / "runs")
    )
    first = run_classify(config, progress=False)
    grown = shutil.copytree(pictures, tmp_path / "grown")
    Image.open(grown / "train" / "red" / "0.png").rotate(90).save(grown / "train" / "red" / "new.png")
    second = refit_run(first.folder, folder=str(grown), from_weights=True, progress=False, learning_rate=1e-12)
    assert "on from the weights of each seed; 1 new picture" in second.text
    for one, other in zip(*(_leaves(run.folder) for run in (first, second)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert json.loads((second.folder / "parent.json").read_text())["name"] == first.folder.name
    shutil.move(grown / "train" / "blue" / "1.png", grown / "test" / "blue" / "moved.png")
    with pytest.raises(ValueError, match=r"no test or validation image may have trained .* but 1 of them"):
        refit_run(first.folder, folder=str(grown), from_weights=True)
    shutil.move(grown / "test" / "blue", grown / "test" / "cyan")
    with pytest.raises(ValueError, match=r"classes"):
        refit_run(first.folder, folder=str(grown), from_weights=True)


def _leaves(folder):
    leaves = flatten_leaves(RunFolder.open(folder).load_parameters()["linear"]["seed_0"])
    return [leaves[name] for name in sorted(leaves)]
