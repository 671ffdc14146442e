"""Trackers are told what metrics.jsonl and summary.json say, and none of them can stop a run."""

import json
import logging
import os
import time

import pytest

from seqvision.reporting import RunFolder
from seqvision.reporting.trackers import trackers

RECORDS = [
    {"model": "gru", "seed": s, "epoch": e, "loss": 1 / e, "val_loss": float("nan")} for s in (0, 1) for e in (1, 2)
]


def one_run(base, names, error=None):
    with RunFolder.create(base, "demo", log_to=names) as folder:
        folder.write_config({"epochs": 2, "models": ["gru"]})
        folder.log_metrics(iter(RECORDS))
        folder.write_json("summary.json", {"scores": {"AR(10)": {"rmse": 0.5, "kind": "baseline"}}})
        if error:
            raise error
    return folder


class Told:
    """A tracker that remembers, and fails where it is asked to."""

    def __init__(self, fails=""):
        self.calls, self.fails = [], fails

    def __getattr__(self, name):
        def call(value):
            self.calls.append((name, value))
            if name == self.fails:
                raise ConnectionError("no network\nto be had")

        return call


def test_a_tracker_is_told_all_and_how_it_ended(tmp_path, monkeypatch):
    told = Told()
    monkeypatch.setitem(trackers.TRACKERS, "wandb", ("json", lambda folder: told))
    one_run(tmp_path, ["wandb"])
    assert [name for name, _ in told.calls] == ["log_config", "log_metrics", "log_scores", "close"]
    values = dict(told.calls)
    assert values["log_config"]["epochs"] == 2
    assert values["log_metrics"] == RECORDS
    assert values["log_scores"] == {"scores/AR(10)/rmse": 0.5}
    assert values["close"] == "done"
    for error, status in ((ValueError("no"), "failed"), (KeyboardInterrupt(), "stopped")):
        with pytest.raises(type(error)):
            one_run(tmp_path, ["wandb"], error)
        assert told.calls[-1] == ("close", status)


@pytest.mark.parametrize("fails", ["start", "log_config", "log_metrics", "log_scores", "close"])
def test_one_that_fails_says_so_once_and_stops_nothing(tmp_path, monkeypatch, caplog, fails):
    told, well = Told(fails), Told()

    def start(folder):
        if fails == "start":
            raise ConnectionError("no network\nto be had")
        return told

    monkeypatch.setitem(trackers.TRACKERS, "wandb", ("json", start))
    monkeypatch.setitem(trackers.TRACKERS, "mlflow", ("json", lambda folder: well))
    with caplog.at_level(logging.WARNING, "seqvision"):
        folder = one_run(tmp_path, ["wandb", "mlflow"])
    assert folder.status == "done"
    assert len(folder.read_metrics()) == 4
    assert [record.message for record in caplog.records] == [
        "wandb logs no more of this run, which goes on: ConnectionError: no network to be had"
    ]
    assert len(well.calls) == 4


def test_what_is_not_installed_is_told_before_a_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(trackers.TRACKERS, "wandb", ("no_such_package", None))
    with pytest.raises(ValueError, match=r'log_to=wandb needs no_such_package: pip install "seqvision\[wandb\]"'):
        RunFolder.create(tmp_path, log_to=["wandb"])
    assert not list(tmp_path.iterdir())


def test_event_files_hold_the_metrics(tmp_path):
    tensorboardx = pytest.importorskip("tensorboardX")
    folder = one_run(tmp_path, ["tensorboard"]).path
    found = {}
    for file in folder.rglob("events.out.tfevents.*"):
        data = file.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            event = tensorboardx.proto.event_pb2.Event.FromString(data[12 : 12 + size])
            data = data[16 + size :]
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    place = file.parent.relative_to(folder / "tensorboard").as_posix()
                    found[place, value.tag, event.step] = value.simple_value
    assert found[("gru/seed_1", "loss", 2)] == 0.5
    assert found[(".", "scores/AR_10_/rmse", 0)] == 0.5
    assert len(found) == 5
    RunFolder.open(folder)  # the files of trackers are no concern of the manifest


def test_mlflow_keeps_a_run_in_local_files(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    one_run(tmp_path, ["mlflow"])
    client = MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("seqvision").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["epochs"] == "2"
    assert run.data.metrics["scores/AR_10_/rmse"] == 0.5
    assert [point.value for point in client.get_metric_history(run.info.run_id, "gru/seed_1/loss")] == [1.0, 0.5]


@pytest.mark.slow  # starts a service of its own
def test_wandb_keeps_a_run_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    folder = one_run(tmp_path, ["wandb"]).path
    assert json.loads((folder / "config.json").read_text())["epochs"] == 2
    (kept,) = (folder / "wandb").glob("offline-run-*/run-*.wandb")
    deadline = time.monotonic() + 30  # its service writes the file
    while b"gru/seed_1/loss" not in kept.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert b"gru/seed_1/loss" in kept.read_bytes()
