"""The benchmark of whole waits: its worker, its phases, its table, and that it goes on where it was."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from experiments.results.measurements import time_to_result as kept_of

FOLDER = Path(__file__).parents[1] / "experiments" / "benchmarks"
FILES = ("time_to_result", "time_rows", "time_phases", "rows", "processes")


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("time_to_result")
    for name in FILES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": ("lstm6",)}, "rows must be among command, .* got lstm6"),
        ({"only": ("jax",)}, "only must be among keras-jax, .* got jax"),
        ({"states": ("second",)}, "states must have cold"),
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
        ({"against": Path("nowhere")}, "nowhere has no src/seqvision"),
    ],
)
def test_wrong_settings_are_refused(benchmark, settings, message):
    with pytest.raises(ValueError, match=message):
        benchmark.main(benchmark.Config(**settings))


def test_a_row_in_every_state_beside_a_peer_and_one_that_is_absent(benchmark, tmp_path, capsys, monkeypatch):
    answer = {"fit": 600.0, "cpu": 9.0, "peak MB": 300.0, "trained": 2e9}
    program = f"""#!{sys.executable}
import sys
print('{json.dumps({"absent": "no module"})}' if "peer_keras" in sys.argv[2] else '{json.dumps(answer)}')
"""
    (tmp_path / "python").write_text(program)
    (tmp_path / "python").chmod(0o755)
    row = benchmark.TIMED["convnet"]  # which needs no kernels
    monkeypatch.setitem(benchmark.TIMED, "convnet", row._replace(options={**row.options, "epochs": 2}))
    config = benchmark.Config(
        rows=("convnet",),
        rounds=1,
        only=("keras-jax", "torch"),
        states=("cold", "again"),
        peers_python=str(tmp_path / "python"),
        examples=40,
        keep=tmp_path / "all.json",
    )
    result = benchmark.main(config)["convnet"]
    assert json.loads(config.keep.read_text()) == {"convnet": result}
    cold, again = result["seqvision"]["cold"], result["seqvision"]["again"]
    assert cold["process"] > cold["fit"] > again["fit"] > 0
    assert again["process"] is None
    assert cold["programs"] > again["programs"]
    assert 0 < cold["phases"]["run"] < cold["phases"]["trace"] + cold["phases"]["compile"]
    assert again["phases"]["import"] < cold["phases"]["import"]
    assert sum(again["phases"].values()) == pytest.approx(again["fit"])
    assert result["absent"] == {"keras-jax": "no module"}
    assert result["ratios"]["cold"]["fastest peer / ours"]["fit"] == 600.0 / result["seqvision"]["cold"]["fit"]
    printed = capsys.readouterr().out
    assert "| torch | " in printed
    assert "keras-jax: absent (no module)" in printed
    kept = kept_of({"convnet": result})
    assert {measure.of for measure in kept} == {"convnet, cold", "convnet, again"}
    assert {measure.metric for measure in kept} == {"a process", "a fit", "CPU seconds", "peak memory", "phases"}
    monkeypatch.setattr(benchmark, "measure_row", None)
    assert benchmark.main(config) == {"convnet": result}  # it is kept


def test_ratios_are_of_medians_to_the_fastest_peer_and_to_the_commit_before(benchmark):
    def rounds(*seconds):
        return [{"process": 2 * s, "fit": s, "cpu": 3 * s, "phases": {"run": s}} for s in seconds]

    def states(*seconds):
        return [{"cold": one, "again": {**one, "process": None}} for one in rounds(*seconds)]

    measured = {"seqvision": states(1, 2, 9), "before": states(4, 4, 5), "torch": rounds(6, 7, 8)}
    result = benchmark.summarize({**measured, "darts": rounds(9, 9, 1), "keras-jax": [{"absent": "no"}]})
    whole = dict.fromkeys(("process", "fit", "cpu"), 3.5)
    assert result["ratios"]["cold"]["fastest peer / ours"] == whole
    assert result["ratios"]["again"]["before / ours"] == {"fit": 2.0, "cpu": 2.0}
    assert result["seqvision"]["cold"]["phases"] == {"run": 2}
    assert result["absent"] == {"keras-jax": "no"}


def test_every_function_whose_time_is_told_is_there(benchmark):
    phases = importlib.import_module("time_phases")
    for module, name in phases.FUNCTIONS:
        assert callable(getattr(importlib.import_module(module), name))


def test_a_moment_belongs_to_one_phase(benchmark, monkeypatch):
    phases = importlib.import_module("time_phases")
    with monkeypatch.context() as patch:  # it listens to every import
        patch.setattr("builtins.__import__", __import__)
        patch.setattr("importlib.import_module", importlib.import_module)
        watch = phases.Watch()
    watch.intervals |= {"trace": [(1.0, 3.0), (2.0, 2.5)], "compile": [(2.0, 5.0), (9.0, 20.0)]}
    watch.intervals |= {"judge": [(0.0, 6.0)]}
    spent = watch.spent(0.0, 10.0)
    assert {name: seconds for name, seconds in spent.items() if seconds} == {
        **{"trace": 2.0, "compile": 3.0, "judge": 2.0},
        "rest": 3.0,
    }
