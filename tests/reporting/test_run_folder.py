import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import flax.linen as nn
import numpy as np
import pytest

from seqvision.reporting import RunFolder, describe_environment, json_text, read_metrics, to_plain
from seqvision.storage import read_manifest, record_files

LEAVES = {"params": {"kernel": np.ones((2, 3), np.float32), "bias": np.zeros(3, np.float32)}}


@dataclass(frozen=True)
class Config:
    csv: Path = Path("prices.csv")
    seeds: int = 5
    learning_rate: float = 1e-3
    models: tuple[str, ...] = ("gru", "lstm")


def test_never_overwrites(tmp_path):
    folders = [RunFolder.create(tmp_path / "deep" / "runs", "forecast") for _ in range(5)]
    assert len({folder.path for folder in folders}) == 5
    assert all(re.fullmatch(r"forecast-\d{8}-\d{6}(-\d)?", folder.path.name) for folder in folders)
    assert all(folder.status == "running" for folder in folders)


def test_the_files_of_a_run(tmp_path):
    with RunFolder.create(tmp_path, "run") as folder:
        folder.write_config(Config())
        folder.log_metrics([{"epoch": 1, "loss": np.float32(0.5)}, {"epoch": 2, "loss": np.nan}])
        folder.log_metrics([{"epoch": 3, "loss": np.inf}])
        folder.save_model("gru", nn.Dense(3), LEAVES, example=np.ones((1, 2), np.float32))
        folder.write_json("summary.json", {"rmse": np.float64(1.5), "curve": np.array([1.0, np.nan])})
    assert folder.status == "done"
    again = RunFolder.open(folder.path)
    assert again.read_json("config.json") == {
        "csv": "prices.csv",
        "seeds": 5,
        "learning_rate": 1e-3,
        "models": ["gru", "lstm"],
    }
    assert again.read_metrics() == [{"epoch": e, "loss": v} for e, v in ((1, 0.5), (2, None), (3, None))]
    assert again.read_json("summary.json") == {"rmse": 1.5, "curve": [1.0, None]}
    np.testing.assert_array_equal(again.load_parameters()["gru"]["seed_0"]["params"]["kernel"], 1.0)
    environment = again.read_json("environment.json")
    assert environment["packages"]["jax"]
    assert environment["devices"]
    assert not list(folder.path.glob("*.partial"))


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("no\nluck"), "failed: RuntimeError: no\nluck"), (KeyboardInterrupt(), "stopped")],
)
def test_status_says_how_it_ended(tmp_path, error, status):
    with pytest.raises(type(error)), RunFolder.create(tmp_path) as folder:
        raise error
    assert folder.status == status


def test_a_process_that_is_killed_leaves_a_folder_that_reads(tmp_path):
    program = (
        "import os, signal; from seqvision.reporting import RunFolder\n"
        f"with RunFolder.create({str(tmp_path)!r}) as folder:\n"
        "    folder.log_metrics({'epoch': i} for i in range(3))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    (path,) = tmp_path.iterdir()
    folder = RunFolder(path)
    assert folder.status == "running"
    assert [record["epoch"] for record in folder.read_metrics()] == [0, 1, 2]


def test_a_torn_last_line_is_left_out_and_a_broken_one_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = "".join(json.dumps({"epoch": i, "name": "Giá"}, ensure_ascii=False) + "\n" for i in range(3)).encode()
    for cut in range(len(lines) + 1):
        path.write_bytes(lines[:cut])
        whole = lines[:cut].count(b"\n")
        read = read_metrics(path)
        # A line that lacks nothing but its newline is whole.
        assert [r["epoch"] for r in read] in (list(range(whole)), list(range(whole + 1)))
    path.write_bytes(lines.replace(b'{"epoch": 1', b'{"epoch" 1'))
    with pytest.raises(ValueError, match=r"metrics.jsonl line 2 is not JSON"):
        read_metrics(path)
    assert read_metrics(tmp_path / "none.jsonl") == []


def test_folders_that_cannot_be_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write a run folder under .*file"):
        RunFolder.create(tmp_path / "file", "run")
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(PermissionError, match="cannot write a run folder"):
            RunFolder.create(tmp_path / "locked", "run")
    for name in ("", "..", "a/b", "a\\b", "a:b"):
        with pytest.raises(ValueError, match="cannot be part of a folder name"):
            RunFolder.create(tmp_path, name)
    with pytest.raises(FileNotFoundError, match=r"has no config\.json"):
        RunFolder.open(tmp_path)
    inner = RunFolder.create(tmp_path, "run")
    inner.write_config({})
    with pytest.raises(FileNotFoundError, match=f"runs in it: .*{inner.path.name}"):
        RunFolder.open(tmp_path)
    with pytest.raises(ValueError, match=r"has no summary\.json: did the run finish\? its STATUS says 'running'"):
        inner.read_json("summary.json")
    (inner.path / "summary.json").write_text("{")
    with pytest.raises(ValueError, match=r"summary\.json is not JSON"):
        inner.read_json("summary.json")


WRITTEN = (
    "config.json",
    "defaults.json",
    "environment.json",
    "data.json",
    "summary.json",
    "metrics.jsonl",
    "models/gru/manifest.json",
    "table.csv",
)


@pytest.fixture
def finished(tmp_path):
    with RunFolder.create(tmp_path, "run") as folder:
        folder.write_config(Config())
        folder.write_json("data.json", {"scaler": {"kind": "standard", "shift": [1.0], "scale": [2.0]}})
        folder.log_metrics([{"epoch": 1, "loss": 0.5}])
        folder.save_model("gru", nn.Dense(3), LEAVES, example=np.ones((1, 2), np.float32))
        folder.write_json("summary.json", {"rmse": 1.5})
        (folder.path / "table.csv").write_text("a,b\n1,2\n")
        (folder.path / "losses.png").write_bytes(b"picture")
        (folder.path / "data.json.partial").write_text("{")
    return folder.path


@pytest.mark.parametrize("name", WRITTEN)
def test_a_changed_file_is_refused_by_name(finished, name):
    content = (finished / name).read_bytes()
    for at in (0, len(content) // 2, len(content) - 1):
        (finished / name).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(ValueError, match=rf"{re.escape(name)} is not what was written .* restore it from a copy"):
            RunFolder.open(finished)
    for cut in (b"", content[:-1], content + b"\n"):
        (finished / name).write_bytes(cut)
        with pytest.raises(ValueError, match=re.escape(name)):
            RunFolder.open(finished)
    (finished / name).write_bytes(content)
    RunFolder.open(finished)


def test_pictures_notes_and_leftovers_are_free_and_a_file_that_is_gone_is_named(finished):
    (finished / "losses.png").write_bytes(b"touched up")
    (finished / "notes.txt").write_text("best so far")
    (finished / "data.json.partial").write_text("")
    (finished / "STATUS").unlink()
    folder = RunFolder.open(finished)
    assert folder.status == "unknown"
    assert set(read_manifest(finished)) == set(WRITTEN)
    (finished / "table.csv").unlink()
    with pytest.raises(ValueError, match=r"table\.csv is missing, which manifest\.json lists: restore it"):
        RunFolder.open(finished)


def test_a_manifest_that_is_gone_or_does_not_know_a_file_is_refused(finished):
    for name in ("config.json", "data.json", "summary.json"):
        (finished / "manifest.json").unlink()
        record_files(finished, [other for other in WRITTEN if other != name])
        with pytest.raises(ValueError, match=rf"{name} is not in manifest\.json"):
            RunFolder.open(finished)
    (finished / "manifest.json").unlink()
    with pytest.raises(ValueError, match=r"has no manifest\.json"):
        RunFolder.open(finished)


def test_a_run_that_is_killed_has_a_manifest_of_what_it_wrote(tmp_path):
    folder = RunFolder.create(tmp_path)
    folder.write_config(Config())
    folder.save_model("gru", nn.Dense(3), LEAVES, example=np.ones((1, 2), np.float32))
    assert RunFolder.open(folder.path).load_parameters()["gru"]["seed_0"]["params"]["bias"].tolist() == [0.0] * 3
    (folder.path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"config\.json is not what was written"):
        RunFolder.open(folder.path)


def test_records_are_objects_and_numbers_are_finite(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for content in ("3\n", "[1]\n", "null\n{}\n", "[" * 9999 + "\n"):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"metrics\.jsonl line 1 is not JSON"):
            read_metrics(path)
    for content in ('{"a": NaN}', '{"a": -Infinity}', "[" * 9999, '{"a": 1' + "0" * 5000 + "}"):
        (tmp_path / "data.json").write_text(content)
        with pytest.raises(ValueError, match=r"data\.json is not JSON"):
            RunFolder(tmp_path).read_json("data.json")


def test_json_is_strict():
    assert json.loads(json_text({"a": [np.nan, np.int8(3), True], "b": np.bool_(False)})) == {
        "a": [None, 3, True],
        "b": False,
    }
    with pytest.raises(TypeError, match="no place in JSON"):
        to_plain({"f": print})


def test_the_environment_tells_nothing_about_the_user(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/home/somebody/bin/seqvision", "train"])
    described = json_text(describe_environment())
    assert "somebody" not in described
    assert '"seqvision",' in described
