"""The table of runs: right where folders are whole, never a crash where they are not."""

import json
import random

import pytest

from seqvision import cli
from seqvision.pipelines import list_runs, read_record
from seqvision.reporting import RunFolder
from seqvision.storage import record_files
from tests.pipelines.test_hostile_runs import scrambled


def test_the_table_has_the_numbers_of_the_cards(base, forecasts, classified, capsys):
    listed = list_runs(base / "runs")
    assert [run.name.split("-")[0] for run in listed.runs] == ["one", "two", "images", "images"]
    for record, run in zip(listed.runs, forecasts, strict=False):
        assert (record.kind, record.status, record.parent, record.problem) == ("forecast", "done", None, None)
        assert record.data == "prices close, 80 rows to 2021-04-23"
        for score in record.scores:
            row, verdict = f"{score.model} (mean of 3 seeds)", run.card.delivered("all steps")
            assert score.metric == "RMSE all steps"
            assert score.score == pytest.approx(run.card.all_steps.loc[row, "rmse"])
            assert score.baseline == run.card.references["all steps"]
            assert score.baseline_score == pytest.approx(run.card.all_steps.loc[score.baseline, "rmse"])
            assert score.outcome == verdict[row].outcome
    image = listed.runs[2].main
    assert image.score == classified[0].card.scores.loc["linear (mean of 3 seeds)", "accuracy"]
    assert (image.baseline, image.metric) == ("commonest class", "accuracy")
    best = [run.main for run in list_runs(base / "runs", sort="score").runs]
    assert best[0].score > best[1].score  # of the images
    assert best[2].score < best[3].score  # of the series
    assert cli.main(["runs", str(base / "runs"), "--sort", "name", "--json"]) == 0
    assert [run["name"][:3] for run in json.loads(capsys.readouterr().out)["runs"]] == ["ima", "ima", "one", "two"]
    (only,) = list_runs(forecasts[0].folder).runs
    assert only == listed.runs[0]


def test_damaged_and_unfinished_folders_are_listed_with_the_reason(copy, capsys):
    (copy / "summary.json").write_text("{}")
    with RunFolder.create(copy.parent, "begun") as begun:
        begun.write_json("config.json", {"target": "close", "models": ["gru", "mlp"]})
    (copy.parent / "half").mkdir()
    (copy.parent / "half" / "STATUS").write_text("running\n")
    (copy.parent / "other").mkdir()
    (copy.parent / "notes.txt").write_text("no run")
    assert cli.main(["runs", str(copy.parent)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "copy (done): " in out
    assert "summary.json is not what was written" in out
    assert "half (running): " in out
    assert "2 damaged folders" in out
    assert "gru, mlp" in out
    assert "other" not in out


def test_a_folder_without_runs_is_refused_with_where_they_are(copy, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no run folder; there are some in .*/runs$"):
        list_runs(tmp_path)
    with pytest.raises(FileNotFoundError, match="say with folder"):
        list_runs(tmp_path / "none")
    with pytest.raises(ValueError, match="sort must be one of 'date', 'name', 'score'"):
        list_runs(tmp_path, sort="best")


def test_whatever_the_files_say_it_is_listed(copy):
    rng = random.Random(0)
    names = ("config.json", "data.json", "summary.json")
    whole = {name: (copy / name).read_bytes() for name in names}
    problems = 0
    for _ in range(100):
        name = rng.choice(names)
        (copy / name).write_text(json.dumps(scrambled(rng, json.loads(whole[name]))))
        record_files(copy, [name])
        record = read_record(copy)
        list_runs(copy, sort=rng.choice(("score", "data", "date")))
        json.dumps(record.to_dict(), allow_nan=False)
        problems += record.problem is not None
        (copy / name).write_bytes(whole[name])
    assert problems > 10
