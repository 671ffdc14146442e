"""The doctor finds what is wrong: a version that computes wrong, folders that cannot be written, a full disk."""

import json
import os
import shutil
from collections import namedtuple

import pytest

from seqvision import cli
from seqvision.pipelines.doctor import computing, examine, keeping
from seqvision.pipelines.doctor.findings import Examination


def states(findings):
    return {finding.about: finding.state for finding in findings}


@pytest.fixture
def quick(monkeypatch):
    """Without the kernels, which are compiled for seconds where that was not done before."""
    monkeypatch.setattr(examine, "check_kernels", lambda: iter(()))


def test_a_machine_that_is_well(quick, capsys, tmp_path):
    assert cli.main(["doctor", "--json", "--out", str(tmp_path / "runs")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["well"]
    found = {finding["about"]: finding for finding in document["findings"]}
    assert found.keys() >= {"versions", "extras", "devices", "precision", "known bugs", "run folders", "free space"}
    assert "jax " in found["versions"]["text"]
    assert "MiB a second" in found["run folders"]["text"]
    assert not list(tmp_path.iterdir())


def test_a_jax_that_computes_wrong_is_told_with_a_remedy(quick, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(computing, "largest_error_of_squares", lambda dtype: 8e-3)
    assert cli.main(["doctor", "--out", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "WRONG  known bugs" in out
    assert 'pip install "jax!=0.10.2"' in out
    assert out.rstrip().endswith("are wrong")


def test_a_check_that_fails_is_a_finding(quick, monkeypatch, tmp_path):
    def fail():
        yield from ()
        raise RuntimeError("no driver\nfound")

    monkeypatch.setattr(examine, "check_devices", fail)
    (finding,) = examine.examine(tmp_path).wrong
    assert (finding.about, finding.text) == ("devices", "cannot be looked at: RuntimeError: no driver found")


def test_folders_and_disk(monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    assert states(keeping.check_disk(file / "runs")) == {"run folders": "wrong"}
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    (finding,) = keeping.check_disk(tmp_path)
    assert finding.state == "wrong"
    assert "No space left" in finding.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
    monkeypatch.undo()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 10))
    assert states(keeping.check_disk(tmp_path)) == {"run folders": "well", "free space": "wrong"}


def test_caches(monkeypatch, tmp_path):
    programs = tmp_path / "seqvision" / "xla"
    monkeypatch.setattr(keeping, "compilation_cache_folder", lambda: programs)
    monkeypatch.delenv("SEQVISION_DATA_DIR", raising=False)
    assert states(keeping.check_caches()) == {"compiled programs": "well", "data sets": "well"}
    programs.mkdir(parents=True)
    (programs / "one").write_bytes(bytes(2**20))
    (finding, others) = keeping.check_caches()
    assert "1 files, 1.0 MiB" in finding.text
    assert "0 files, 0.0 MiB" in others.text
    programs.chmod(0o777)
    (finding, _) = keeping.check_caches()
    assert finding.state == "wrong"
    assert finding.remedy == f"chmod go-w {programs}"
    monkeypatch.setenv("SEQVISION_DATA_DIR", str(tmp_path / "none"))
    assert states(keeping.check_caches())["SEQVISION_DATA_DIR"] == "wrong"


@pytest.mark.slow  # compiles kernels where that was not done before
def test_kernels_agree_with_a_plain_loop_or_are_not_there():
    found = tuple(computing.check_kernels())
    assert found
    assert not Examination(found).wrong
