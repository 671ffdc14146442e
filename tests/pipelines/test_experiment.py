"""Experiments as commands."""

import json
from dataclasses import dataclass

import pytest

from seqvision.pipelines import run_experiment

MEASUREMENTS = """
from seqvision.reporting import measured

def test_experiment(result):
    return [measured("loss", {"model": result})]
"""


@dataclass(frozen=True)
class Config:
    """Settings."""

    size: int = 3
    """how large"""
    csv: str | None = None
    """a file"""


def main(config):
    return float(config.size)


def test_settings_are_flags():
    assert run_experiment(main, Config, args=["--size", "5"]) == 5.0
    assert run_experiment(main, Config, args=[]) == 3.0


@pytest.mark.parametrize("way", ["{}", "={}"])
def test_what_was_measured_is_recorded_without_the_folders_of_this_machine(tmp_path, capsys, way):
    (tmp_path / "measurements.py").write_text(MEASUREMENTS)
    record = ["--record", str(tmp_path)] if way == "{}" else [f"--record={tmp_path}"]
    csv = ["--csv", str(tmp_path / "a.csv")]
    assert run_experiment(main, Config, args=["--size", "5", *record, "--note", "alone", *csv]) == 5.0
    run = json.loads((tmp_path / "test_experiment.json").read_text(encoding="utf-8"))["runs"][0]
    assert run["command"] == "python test_experiment.py --size 5 --csv a.csv"
    assert run["settings"] == {"size": 5, "csv": "a.csv"}
    assert run["results"][0]["rows"]["model"]["value"] == 5.0
    assert run["seconds"] >= 0
    assert run["note"] == "alone"
    assert "recorded in" in capsys.readouterr().out


def test_a_folder_that_does_not_know_the_experiment_is_refused_before_it_runs(tmp_path):
    def never(config):
        raise AssertionError

    with pytest.raises(ValueError, match=r"measurements.py has no function test_experiment\(result\)"):
        run_experiment(never, Config, args=["--record", str(tmp_path)])
