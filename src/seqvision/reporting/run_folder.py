"""The run folder: one new folder a run, never overwritten, readable at every moment of the run."""

import dataclasses
import logging
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import flax.linen as nn
import numpy as np

from seqvision._phases import begun, phase
from seqvision.reporting.environment import describe_environment
from seqvision.reporting.going_on import hint_if_stopped
from seqvision.reporting.html.run_files import history_of
from seqvision.reporting.metrics_log import read_metrics
from seqvision.reporting.trackers.trackers import Trackers, check_trackers
from seqvision.saving import MODELS, WEIGHTS, model_folder_name, model_names
from seqvision.storage import (
    MANIFEST,
    check_files,
    json_text,
    load_weights,
    read_json,
    read_manifest,
    record_files,
    to_plain,
    write_file,
)

logger = logging.getLogger(__name__)

# What a run is gone on with.
BEGUN = ("config.json", "parent.json", "data.json", "images.json", "series.safetensors")
# What later commands compute with.
NEEDED = ("config.json", "data.json", "images.json", "summary.json", "series.safetensors", "parent.json")


@dataclass(frozen=True)
class RunFolder:
    """The files of one run.

      config.json             the resolved configuration
      environment.json        versions, devices, settings, the command line
      metrics.jsonl           one line an epoch
      models/NAME             each trained model, as `seqvision.saving.load_model` reads it
      series.safetensors      the rows of a series that it was made from
      predictions.csv         truth, forecasts and the naive forecast
      summary.json            the scores
      defaults.json           the configuration's class, and what it is where nothing is said
      manifest.json           the SHA-256 of each of these files
      report.html             all of this to be read
      STATUS                  running, done, stopped or failed: why

    Used in a ``with`` block it writes STATUS itself: done at the end, failed with the error, stopped by a signal. What
    the run wrote may not change: `open` refuses a file that does, by name. Pictures and the report may, and files of
    your own are welcome.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as base, RunFolder.create(base, "demo") as folder:
    ...     folder.log_metrics([{"epoch": 1, "loss": 0.5}])
    ...     folder.read_metrics(), folder.status
    ([{'epoch': 1, 'loss': 0.5}], 'running')
    """

    path: Path
    trackers: Trackers | None = field(default=None, compare=False, repr=False)  # what is told the same

    @classmethod
    def create(
        cls, base: str | os.PathLike[str] = "runs", name: str = "run", *, log_to: Iterable[str] = ()
    ) -> "RunFolder":
        """Make a new folder ``base/name-DATE-TIME``, numbered if that exists, and check that it can be written.

        Args:
          base: folder in which it is made.
          name: first part of its name.
          log_to: trackers that are told the configuration, the metrics and the scores too: "tensorboard", "wandb",
            "mlflow".

        Raises:
          ValueError: if name is not a plain file name, or a tracker is not installed.
          OSError: naming the folder, if it cannot be made or written; before anything is computed.
        """
        if not name or name in (".", "..") or any(sign in name for sign in '/\\:*?"<>|\0'):
            raise ValueError(f"name {name!r} cannot be part of a folder name: use letters, digits, - and _")
        check_trackers(log_to)
        stem = Path(base) / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
            path = _make_new(stem)
            cls(path).set_status("running")
        except OSError as error:
            raise type(error)(f"cannot write a run folder under {base}: {error}; choose another with out=…") from error
        return cls(path).logging_to(log_to)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Return the folder of an earlier run, whose files are what the run wrote.

        Raises:
          FileNotFoundError: if it is not one.
          ValueError: naming a file that has changed since.
        """
        path = _existing(path)
        check_files(path, needed=NEEDED)
        return cls(path)

    def logging_to(self, names: Iterable[str]) -> "RunFolder":
        """Return the folder with trackers that are told what is written to it from now on; see `create`."""
        return dataclasses.replace(self, trackers=Trackers(names, self.path))

    @classmethod
    def reopen(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Return the folder of a run that was not done, to go on with it.

        What the run began with must be what was written; what it was writing when it ended is written anew.

        Raises:
          FileNotFoundError: if it is not one.
          ValueError: naming a file that has changed since.
        """
        path = _existing(path)
        if "config.json" not in read_manifest(path):
            raise ValueError(f"{path} ended before it had begun: train again")
        check_files(path, only=BEGUN)
        return cls(path)

    def has(self, name: str) -> bool:
        """Whether the run has written a file to its end."""
        files = (self.path / name, self.path / MANIFEST)
        return all(file.is_file() for file in files) and name in read_manifest(self.path)

    @property
    def status(self) -> str:
        """What STATUS says; "unknown" without one."""
        path = self.path / "STATUS"
        return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else "unknown"

    def set_status(self, text: str) -> None:
        """Write STATUS."""
        self._write("STATUS", text + "\n")

    def __enter__(self) -> "RunFolder":
        """Begin the run, or go on with it."""
        self.set_status("running")
        begun()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write how the run ended."""
        if kind is None:
            record_files(self.path)
            self.set_status("done")
            self.write_report()
        elif issubclass(kind, KeyboardInterrupt | SystemExit):
            self.set_status("stopped")
        else:
            self.set_status(f"failed: {kind.__name__}: {error}")
            self.write_report()
        if self.trackers is not None:
            self.trackers.close(self.status.split(":")[0])

    def write_json(self, name: str, value: Any) -> None:
        """Write strict JSON under ``name``."""
        self._write(name, json_text(value) + "\n")
        record_files(self.path, [name])
        if self.trackers is not None and name == "summary.json":
            self.trackers.log_scores(to_plain(value))

    def write_config(self, config: Any) -> None:
        """Write the resolved configuration and, beside it, what its class has by default, and the environment."""
        self.write_json("config.json", config)
        if dataclasses.is_dataclass(config):
            self.write_json("defaults.json", {"class": type(config).__name__, "settings": _defaults(config)})
        self.write_json("environment.json", describe_environment())
        if self.trackers is not None:
            self.trackers.log_config(to_plain(config))

    def write_report(self) -> None:
        """Write report.html; whatever befalls it, the run stays what it is."""
        try:
            from seqvision.reporting.html.report import write_report

            with phase("drawing", "report.html"):
                write_report(self.path)
        except Exception as error:
            logger.warning(f"no report.html in {self.path}: {error}")

    @property
    def how_to_go_on(self) -> str:
        """What is said after the status of a run: the command that goes on with it, if it was stopped."""
        return hint_if_stopped(self.path, self.status)

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the run.

        Raises:
          ValueError: naming the file, if it is missing or not JSON.
        """
        try:
            return read_json(self.path / name)
        except FileNotFoundError:
            raise ValueError(
                f"{self.path} has no {name}: did the run finish? its STATUS says {self.status!r}{self.how_to_go_on}"
            ) from None

    def log_metrics(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Append one line of metrics.jsonl a record."""
        records = [dict(record) for record in records]
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json_text(record, indent=None) + "\n" for record in records)
        if self.trackers is not None:
            self.trackers.log_metrics(records)

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return the records logged so far; a last line torn by a crash is left out."""
        return read_metrics(self.path / "metrics.jsonl")

    def read_history(self) -> dict[str, dict[str, np.ndarray]]:
        """Return the records logged so far as model -> metric -> (S, epochs)."""
        return history_of(self.read_metrics())

    def save_model(self, name: str, model: nn.Module, trained: Any, **kept: Any) -> None:
        """Write a model into models/NAME; see `seqvision.saving.save_model`."""
        from seqvision.saving import save_model

        folder = f"{MODELS}/{model_folder_name(name)}"
        save_model(self.path / folder, model, trained, name=name, overwrite=True, **kept)
        record_files(self.path, [f"{folder}/{MANIFEST}"])

    def load_parameters(self, expected: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read the weights of the models: {"gru": {"seed_0": {"params": …}}}, by the names of their folders.

        Args:
          expected: name -> nested mappings of anything with shape and dtype; by default those of all models, as they
            are.

        Raises:
          FileNotFoundError: if a model is not there.
          ValueError: naming the leaves that are not as expected; see `seqvision.storage.load_weights`.
        """
        wanted: Mapping[str, Any] = dict.fromkeys(model_names(self.path)) if expected is None else expected
        return {
            name: load_weights(self.path / MODELS / model_folder_name(name) / WEIGHTS, leaves)
            for name, leaves in wanted.items()
        }

    def _write(self, name: str, text: str) -> None:
        write_file(self.path / name, text)


def _defaults(config: Any) -> dict[str, Any]:
    """Return what a dataclass's fields are where nothing is given; without those that must be given."""
    found = {}
    for one in dataclasses.fields(config):
        if one.default is not dataclasses.MISSING:
            found[one.name] = one.default
        elif one.default_factory is not dataclasses.MISSING:
            found[one.name] = one.default_factory()
    return found


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not (path / "config.json").is_file():
        there = sorted(str(found.parent) for found in path.glob("*/config.json")) if path.is_dir() else []
        hint = f"; runs in it: {', '.join(there[-3:])}" if there else ""
        raise FileNotFoundError(f"{path} is not a run folder: it has no config.json{hint}")
    return path


def _make_new(stem: Path) -> Path:
    number = 1
    while True:
        path = stem if number == 1 else stem.with_name(f"{stem.name}-{number}")
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
