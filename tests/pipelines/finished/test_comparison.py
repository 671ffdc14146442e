"""Runs beside each other: only what differs, scores paired where seeds and test rows are shared, nothing where not."""

import json
import shutil
import zlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seqvision import cli
from seqvision.pipelines import SequenceConfig, compare_runs, list_runs
from seqvision.reporting import RunFolder
from seqvision.storage import record_files


@pytest.fixture(scope="module")
def compared(forecasts, tmp_path_factory):
    """The two runs on the series, with their curves."""
    plot = tmp_path_factory.mktemp("plots") / "deep" / "curves.png"
    return compare_runs([run.folder for run in forecasts], plot=plot, html=plot.with_name("page.html"))


def test_only_what_differs_is_told(compared, forecasts):
    assert compared.settings == {"models": [["mlp", "linear"], ["mlp", "gru"]], "learning_rate": [0.01, 0.05]}
    assert (compared.data, compared.environment) == ({}, {})
    counts = [run.summary["parameters"] for run in forecasts]
    assert compared.parameters["mlp"] == [count["mlp"] for count in counts]
    assert compared.parameters["gru"] == [None, counts[1]["gru"]]
    assert compared.seconds["mlp"] == [run.summary["seconds"]["mlp"]["run"] for run in forecasts]
    assert "Data: the same" in compared.text
    assert max(map(len, compared.text.split(": ", 1)[1].splitlines())) <= 110 + len(str(compared.plot))
    json.dumps(compared.to_dict(), allow_nan=False)


def test_scores_are_paired_by_seed_as_scipy_pairs_them(compared, forecasts):
    (pair,) = compared.pairs  # mlp is what both have
    assert (pair.run, pair.model, pair.against_run, pair.against, pair.metric) == (1, "mlp", 0, "mlp", "RMSE all steps")
    one, other = (run.summary["by_seed"]["mlp"] for run in forecasts)
    slow = stats.ttest_rel(other, one)
    assert pair.seeds.difference == pytest.approx(np.mean(other) - np.mean(one))
    assert pair.seeds.p_value == pytest.approx(slow.pvalue)
    assert (pair.seeds.low, pair.seeds.high) == pytest.approx(slow.confidence_interval(0.95))
    assert pair.seeds.method == "paired t over 3 shared seeds"
    row = "mlp (mean of 3 seeds)"
    assert pair.score == pytest.approx(forecasts[1].card.all_steps.loc[row, "rmse"])
    assert pair.against_score == pytest.approx(forecasts[0].card.all_steps.loc[row, "rmse"])


def test_forecasts_are_tested_on_the_same_rows_as_a_slow_twin_does(compared, forecasts):
    tables = [pd.read_csv(run.folder / "predictions.csv") for run in forecasts]
    losses = []
    for table in tables:
        squared = (table["truth"] - table["mlp (mean of 3 seeds)"]) ** 2
        losses.append(((squared[table["step"] == 1].to_numpy() + squared[table["step"] == 2].to_numpy()) / 2).tolist())
    d = [b - a for a, b in zip(*losses, strict=True)]
    n, mean = len(d), sum(d) / len(d)
    variance = sum((x - mean) ** 2 for x in d) / n + 2 * sum((d[k] - mean) * (d[k - 1] - mean) for k in range(1, n)) / n
    statistic = mean / (variance / n) ** 0.5 * ((n + 1 - 4 + 2 / n) / n) ** 0.5
    (pair,) = compared.pairs
    assert (pair.rows, pair.test) == (n, "Diebold-Mariano over steps 1 to 2")
    assert pair.statistic == pytest.approx(statistic, rel=1e-6)
    assert pair.p_value == pytest.approx(2 * stats.t.sf(abs(statistic), n - 1), rel=1e-6)
    assert (pair.rows_score, pair.rows_against) == pytest.approx((pair.score, pair.against_score), rel=1e-6)
    assert f"on the {n} test rows that both have, RMSE" in " ".join(compared.text.split())


def test_curves_are_drawn_over_each_other(compared):
    content = compared.plot.read_bytes()
    assert content.startswith(b"\x89PNG")
    size = int.from_bytes(content[16:20], "big")
    assert size > 800  # two panels
    assert zlib.crc32(content[12:29]) == int.from_bytes(content[29:33], "big")


def test_classifiers_are_tested_by_mcnemar(classified, capsys):
    assert cli.main(["compare", *(str(run.folder) for run in classified), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"] == {"epochs": [1, 3]}
    (pair,) = told["pairs"]
    tables = [pd.read_csv(run.folder / "predictions.csv") for run in classified]
    right = [(table["linear (mean of 3 seeds)"] == table["truth"]).to_numpy() for table in tables]
    alone = [int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum())]
    assert pair["p_value"] == pytest.approx(stats.binomtest(alone[0], sum(alone), 0.5).pvalue)
    assert (pair["rows"], pair["test"]) == (359, "McNemar's test")
    assert (pair["statistic"] < 0) == (alone[0] > alone[1])
    assert pair["seeds"]["method"] == "paired t over 3 shared seeds"


def test_the_models_of_one_run_are_compared_with_its_first(forecasts):
    alone = compare_runs([forecasts[0].folder])
    assert [(pair.model, pair.against) for pair in alone.pairs] == [("linear", "mlp")]
    assert "linear against mlp: RMSE all steps" in alone.text


def changed(forecasts, tmp_path, change, name="config.json"):
    """A copy of the second run of which a file says something else, as if it had been run so."""
    copy = RunFolder(shutil.copytree(forecasts[1].folder, tmp_path / "other"))
    copy.write_json(name, change(copy.read_json(name)))
    return copy.path


def test_what_is_not_shared_is_not_paired(forecasts, classified, tmp_path):
    first = forecasts[0].folder
    other = changed(forecasts, tmp_path, lambda config: config | {"seed": 1})
    assert compare_runs([first, other]).pairs[0].seeds.method == "Welch's t over 3 and 3 seeds"
    predictions = pd.read_csv(other / "predictions.csv")

    def written(table):
        table.to_csv(other / "predictions.csv", index=False)
        record_files(other, ["predictions.csv"])
        (pair,) = compare_runs([first, other]).pairs
        return pair

    later = written(predictions[predictions["row"] > predictions["row"].min()])
    assert later.rows == forecasts[0].card.test_rows - 1
    assert later.seeds is None  # these are scores of other rows
    none = written(predictions.assign(date=predictions["date"].str.replace("2021", "2020")))
    assert (none.rows, none.test, none.seeds) == (0, "they have no test row in common", None)
    assert np.isnan(none.p_value)
    moved = written(predictions.assign(truth=predictions["truth"] + 1))
    assert moved.test == "the truth of the test rows is not the same"
    text = " ".join(compare_runs([first, other]).text.split())
    assert "nothing is paired: the truth of the test rows is not the same" in text
    few = written(predictions[predictions["row"] > predictions["row"].max() - 2])
    assert "too few" in few.test
    mixed = compare_runs([first, classified[0].folder])
    assert [(pair.metric, pair.test) for pair in mixed.pairs] in ([("", "one run forecasts, the other classifies")],)


def test_runs_that_cannot_be_compared_are_refused(forecasts, copy, tmp_path, capsys):
    first = str(forecasts[0].folder)
    for words, message in (
        ([first, first], "is named twice"),
        ([first, str(tmp_path)], "is not a run folder"),
        ([first, str(copy), "--plot", "curves.txt"], "plot='curves.txt' has to end in .png"),
    ):
        assert cli.main(["compare", *words]) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match="runs names no run"):
        compare_runs(first)
    shutil.copy(copy / "config.json", tmp_path / "kept.json")
    (copy / "summary.json").write_text("{}")
    with pytest.raises(ValueError, match=r"summary.json is not what was written"):
        compare_runs([first, copy])
    record_files(copy, ["summary.json"])
    with pytest.raises(ValueError, match="was not judged: its STATUS says 'done'"):
        compare_runs([first, copy])


def test_runs_of_other_kinds_are_listed_and_put_beside_each_other(tmp_path):
    for name, exact in (("first", 0.25), ("second", 0.5)):
        with RunFolder.create(tmp_path, name) as folder:
            folder.write_config(SequenceConfig(epochs=1 if exact < 0.5 else 2))
            row = {"kind": "model", "seeds": 2, "exact": exact, "exact_std": None}
            naive = {"kind": "baseline", "seeds": 1, "exact": 0.125, "exact_std": None}
            folder.write_json(
                "summary.json", {"scores": {"copy": row, "nearest": naive}, "seconds": {"copy": {"run": 1.0}}}
            )
    listed = list_runs(tmp_path)
    assert [(run.kind, run.main.score, run.main.baseline) for run in listed.runs] == [
        ("sequences", 0.25, "nearest"),
        ("sequences", 0.5, "nearest"),
    ]
    assert "exact 50.00 %" in listed.text
    compared = compare_runs([run.path for run in listed.runs])
    assert compared.settings == {"epochs": [1, 2]}
    assert [(pair.score, pair.against_score, pair.rows, pair.seeds) for pair in compared.pairs] == [
        (0.5, 0.25, 0, None)
    ]
    assert "keeps no predictions of its test rows" in " ".join(compared.text.split())
    with pytest.raises(ValueError, match="no run has logged a loss: leave out plot"):
        compare_runs([run.path for run in listed.runs], plot=tmp_path / "curves.png")
