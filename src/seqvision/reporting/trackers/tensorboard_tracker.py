"""TensorBoard: one curve a model and seed, in the folder tensorboard of the run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .curves import curve_name, values


def start(folder: Path) -> "TensorBoardTracker":
    """Return the tracker of a run.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tracker = start(Path(folder))
    ...     tracker.log_metrics([{"model": "gru", "seed": 0, "epoch": 1, "loss": 0.5}])
    ...     tracker.close("done")
    ...     sorted(path.name for path in (Path(folder) / "tensorboard").iterdir())
    ['gru']
    """
    return TensorBoardTracker(folder / "tensorboard")


class TensorBoardTracker:
    """Writes event files by tensorboardX; ``tensorboard --logdir RUN/tensorboard`` shows them."""

    def __init__(self, folder: Path):
        import tensorboardX

        self._make, self._folder = tensorboardX.SummaryWriter, folder
        self._writers: dict[str, Any] = {}

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Write the configuration as a text."""
        text = json.dumps(config, indent=2, default=str, ensure_ascii=False)
        self._writer("").add_text("config", f"```\n{text}\n```")

    def log_metrics(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Write a scalar a metric."""
        for record in records:
            for name, value in values(record).items():
                self._writer(curve_name(record)).add_scalar(name, value, record.get("epoch"))
        for writer in self._writers.values():
            writer.flush()

    def log_scores(self, scores: Mapping[str, float]) -> None:
        """Write a scalar a score, without steps."""
        for name, value in scores.items():
            self._writer("").add_scalar(name, value, 0)

    def close(self, status: str) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            self._writers[name] = self._make(str(self._folder / name) if name else str(self._folder))
        return self._writers[name]
