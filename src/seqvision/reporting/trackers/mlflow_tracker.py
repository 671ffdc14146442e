"""MLflow on local files: in mlruns beside the run folders, unless ``MLFLOW_TRACKING_URI`` says otherwise."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .curves import curve_name, values

_SIGNS = re.compile(r"[^\w.\-/ ]")  # what names of mlflow may not have


def start(folder: Path) -> "MlflowTracker":
    """Return the tracker of a run."""
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # which versions from 3 on ask for
    from mlflow.tracking import MlflowClient

    uri = os.environ.get("MLFLOW_TRACKING_URI") or (folder.resolve().parent / "mlruns").as_uri()
    client, name = MlflowClient(tracking_uri=uri), os.environ.get("MLFLOW_EXPERIMENT_NAME", "seqvision")
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    return MlflowTracker(client, client.create_run(number, run_name=folder.name).info.run_id)


class MlflowTracker:
    """Tells a client of mlflow, or what has its methods, what a run of ours logs.

    >>> from types import SimpleNamespace
    >>> client = SimpleNamespace(log_metric=print)
    >>> MlflowTracker(client, "7").log_scores({"scores/AR(10)/rmse": 0.5})
    7 scores/AR_10_/rmse 0.5
    """

    def __init__(self, client: Any, run: str):
        self._client, self._run = client, run

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Log each setting as a parameter."""
        for name, value in config.items():
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            self._client.log_param(self._run, name, text[:500])

    def log_metrics(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Log metrics by epoch."""
        for record in records:
            for name, value in values(record).items():
                key = _SIGNS.sub("_", f"{curve_name(record)}/{name}".lstrip("/"))
                self._client.log_metric(self._run, key, value, step=record.get("epoch"))

    def log_scores(self, scores: Mapping[str, float]) -> None:
        """Log each score as a metric."""
        for name, value in scores.items():
            self._client.log_metric(self._run, _SIGNS.sub("_", name), value)

    def close(self, status: str) -> None:
        """End the run."""
        ends = {"done": "FINISHED", "stopped": "KILLED"}
        self._client.set_terminated(self._run, status=ends.get(status, "FAILED"))
