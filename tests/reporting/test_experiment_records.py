"""Records of what experiments measured."""

import json

import numpy as np
import pytest

from seqvision.reporting import MeasuredRow, measured, record_result

SCORES = {
    "LSTM": {"kind": "model", "seeds": 3, "rmse": 2.0, "rmse_std": 0.5, "low": 1.0, "high": 3.0},
    "last value": {"kind": "baseline", "seeds": 1, "rmse": 2.5, "rmse_std": None},
}


def test_scores_of_a_card_are_told_from_what_is_naive():
    result = measured("RMSE", SCORES, "rmse", of="prices", unit="$", digits=".2f", baselines={"drift": 3.0})
    assert result.rows == {"LSTM": MeasuredRow(value=2.0, spread=0.5, seeds=3)}
    assert result.baselines == {"last value": 2.5, "drift": 3.0}
    assert (result.metric, result.of, result.unit, result.digits) == ("RMSE", "prices", "$", ".2f")


def test_the_ends_of_an_interval_are_kept_where_they_are_named():
    assert measured("RMSE", SCORES, "rmse", ends="95 %").rows["LSTM"].high == 3.0
    row = measured("bits", {"LSTM": [0.25, 0.5, 0.75]}, ends="lowest and highest seed").rows["LSTM"]
    assert row == MeasuredRow(value=0.5, spread=0.25, seeds=3, low=0.25, high=0.75)


def test_numbers_are_taken_as_they_are_and_what_is_not_finite_is_recorded_as_none(tmp_path):
    result = measured("loss", {"a": 1.5, "b": np.float32("inf"), "guess": 2.0}, naive=["guess"])
    assert result.rows["a"] == MeasuredRow(value=1.5)
    assert result.baselines == {"guess": 2.0}
    path = record_result(tmp_path, "one", [result], command="python one.py", settings={}, seconds=1.0)
    (recorded,) = json.loads(path.read_text(encoding="utf-8"))["runs"][0]["results"]
    assert recorded["rows"]["a"] == {"value": 1.5, "spread": None, "seeds": None}
    assert recorded["rows"]["b"]["value"] is None


def test_a_record_takes_the_place_of_the_same_command_alone(tmp_path):
    def record(command, value):
        return record_result(
            tmp_path / "new",
            "one",
            [measured("loss", {"a": value})],
            command=command,
            settings={"seeds": 1},
            seconds=2.0,
        )

    record("python one.py", 1.0)
    record("python one.py --seeds 2", 2.0)
    path = record("python one.py", 3.0)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == "one.json"
    assert record["experiment"] == "one"
    assert [run["command"] for run in record["runs"]] == ["python one.py", "python one.py --seeds 2"]
    run = record["runs"][0]
    assert run["results"][0]["rows"]["a"]["value"] == 3.0
    assert (run["settings"], run["seconds"], run["source"]) == ({"seeds": 1}, 2.0, None)
    assert {"python", "jax", "jaxlib", "numpy", "seqvision"} <= set(run["versions"])
    assert run["machine"]["processor"]
    assert run["note"] is None
    assert run["machine"]["cores"] >= 1


@pytest.mark.parametrize(("processor", "device", "stays"), [(None, "cpu", 0), ("another", "cpu", 1), (None, "tpu", 1)])
def test_what_another_machine_measured_stays(tmp_path, processor, device, stays):
    machine = {"processor": processor, "cores": 2, "device": device}
    old = {"command": "python one.py", "machine": machine, "note": "of old", "results": []}
    (tmp_path / "one.json").write_text(json.dumps({"experiment": "one", "runs": [old]}))
    results = [measured("loss", {"a": 1.0})]
    record_result(tmp_path, "one", results, command="python one.py", settings={}, seconds=1.0, note="alone")
    runs = json.loads((tmp_path / "one.json").read_text())["runs"]
    assert [run["note"] for run in runs] == ["of old"] * stays + ["alone"]


def test_a_record_of_nothing_is_refused(tmp_path):
    for results in ([], [measured("loss", {})]):
        with pytest.raises(ValueError, match="results of one must each have rows or ratios"):
            record_result(tmp_path, "one", results, command="python one.py", settings={}, seconds=1.0)
    assert not list(tmp_path.iterdir())
