"""Runs that were stopped, killed or have failed: what comes out at last is what would have come out without that."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from seqvision.cli import main
from seqvision.pipelines import resume_run
from seqvision.pipelines.classification import run as classification
from seqvision.reporting import RunFolder
from seqvision.storage import CheckpointFolder, lock_folder
from seqvision.training.resumption.saver import Saver

WORDS = {
    "forecast": "train forecast --models mlp linear --hidden 2 --dropout .2 --average .9 --patience 15 --train 60",
    "classify": "train classify --models mlp --hidden 4 --limit 80 --validation .3 --schedule cosine",
}
COMMON = "--epochs 20 --seeds 2 --checkpoint-every 2 --quiet --out"
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def words(kind, out):
    return [*WORDS[kind].split(), *COMMON.split(), str(out)]


def the_run(out):
    (run,) = out.iterdir()
    return run


def written(run):
    """Every number that a run has written, but for the seconds."""
    files = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}
    numbers = (".safetensors", ".csv", ".jsonl")
    kept = {name: path.read_bytes() for name, path in files.items() if path.suffix in numbers}
    summary = json.loads(files["summary.json"].read_text())
    summary.pop("seconds")
    return kept | {"summary": json.dumps(summary), "STATUS": (run / "STATUS").read_text(), "files": sorted(files)}


@pytest.fixture(scope="module", autouse=True)
def without_pictures():
    """What is drawn of the numbers takes most of the time, and is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", lambda self, file, **_: file.write(b"a picture"))
        patch.setattr(RunFolder, "write_report", lambda self: None)
        yield


@posix
@pytest.mark.parametrize("kind", ["forecast", pytest.param("classify", marks=pytest.mark.slow)])
def test_a_run_that_was_killed_and_stopped_again_and_again(kind, tmp_path, capsys, monkeypatch):
    environment = os.environ | {"JAX_DEFAULT_MATMUL_PRECISION": "highest"}
    with subprocess.Popen([sys.executable, "-m", "seqvision.cli", *words(kind, tmp_path)], env=environment) as process:
        while not list(tmp_path.glob("*/checkpoints/mlp/seed_0/checkpoint-??????")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    run = the_run(tmp_path)
    assert (run / "STATUS").read_text() == "running\n"
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        look = iter([False] * 3 + [True] + [False] * 99)
        monkeypatch.setattr(Saver, "time_is_up", lambda self, n=number, at=look: next(at) and signal.raise_signal(n))
        capsys.readouterr()
        assert main(["resume", str(run), "--quiet"]) == code
        line = capsys.readouterr().err.strip().splitlines()[-1]
        assert line == f"seqvision: stopped: seqvision resume {run} goes on"
        assert (run / "STATUS").read_text() == "stopped\n"
        for verb in ("evaluate", "compare"):
            assert main([verb, str(run)]) == 2
            assert f"STATUS says 'stopped'; seqvision resume {run} goes on" in capsys.readouterr().err
    monkeypatch.setattr(Saver, "time_is_up", lambda self: False)
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFolder, "save", no_space)
        assert main(["resume", str(run), "--quiet"]) == 1
    assert re.search(r"seqvision: cannot save a checkpoint in .*seed_\d.*No space left", capsys.readouterr().err)
    assert (run / "STATUS").read_text().startswith("failed: OSError: ")
    (run / "metrics.jsonl").write_text('{"model": "mlp", "seed": 0, "epoch": 1}\n{"model": "ml')  # torn by a crash
    assert main(["resume", str(run), "--quiet"]) == 0
    assert main(words(kind, tmp_path / "whole")) == 0
    assert written(run) == written(the_run(tmp_path / "whole"))
    assert not (run / "checkpoints").exists()
    capsys.readouterr()
    assert main(["resume", str(run)]) == 0
    assert "is done, nothing is left to train" in capsys.readouterr().out


def no_space(self, *_):
    raise OSError(f"cannot save a checkpoint in {self.path} (No space left on device)")


def test_what_has_changed_is_refused_by_name(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Saver, "time_is_up", lambda self: signal.raise_signal(signal.SIGINT))
    assert main(words("forecast", tmp_path)) == 130
    run = the_run(tmp_path)
    capsys.readouterr()

    def refused(*more):
        assert main(["resume", str(run), "--quiet", *more]) == 2
        return capsys.readouterr().err

    with lock_folder(run / "checkpoints"):
        assert "checkpoints is in use by another process" in refused()
    assert "it has no folder of images" in refused("--folder", "somewhere")
    for name in ("series.safetensors", "config.json", "data.json"):
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
        assert f"{run / name} is not what was written" in refused()
        (run / name).write_bytes(content)
    shutil.copytree(run, tmp_path / "copy")
    (tmp_path / "copy" / "defaults.json").unlink()
    with pytest.raises(ValueError, match="is no run of train forecast or train classify"):
        resume_run(tmp_path / "copy")
    with pytest.raises(FileNotFoundError, match="is not a run folder"):
        resume_run(tmp_path / "nothing")


def test_pictures_that_have_changed_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Saver, "time_is_up", lambda self: signal.raise_signal(signal.SIGINT))
    assert main(words("classify", tmp_path)) == 130
    run = the_run(tmp_path)
    capsys.readouterr()
    assert main(["resume", str(run), "--csv", "a.csv"]) == 2
    assert "it has no csv" in capsys.readouterr().err
    images = classification.load_images

    def changed(config):
        split = images(config)
        return split._replace(record=split.record | {"files": {"other.png": ["ab", "train"]}})

    monkeypatch.setattr(classification, "load_images", changed)
    assert main(["resume", str(run)]) == 2
    assert "other.png" in capsys.readouterr().err
