"""The rows of `time_to_result.py`: what somebody waits for, and which other libraries have the like."""

from typing import Any, NamedTuple

from rows import ROWS

PEERS: dict[str, tuple[str, dict[str, str]]] = {
    "keras-jax": ("peer_keras", {"KERAS_BACKEND": "jax"}),
    "keras-tf": ("peer_keras", {"KERAS_BACKEND": "tensorflow"}),
    "torch": ("peer_torch", {}),
    "darts": ("peer_darts", {}),
    "neuralforecast": ("peer_neuralforecast", {}),
}
_NETWORKS = ("keras-jax", "keras-tf", "torch")


class Timed(NamedTuple):
    """One row."""

    title: str
    kind: str  # of `time_worker.py`
    options: dict[str, Any]
    peers: tuple[str, ...] = ()


def _fit(row: str, epochs: int, peers: tuple[str, ...] = _NETWORKS) -> Timed:
    title = f"{ROWS[row].title}, {epochs} epochs"
    options = {"row": row, "epochs": epochs, "examples": ROWS[row].examples, "batch_size": 32}
    return Timed(title, "fit", options, peers)


TIMED = {
    "command": Timed("README's command: 4 models, 5 seeds each", "command", {}),
    "predict": Timed("predict of README's run", "words", {}),
    "lstm5": _fit("lstm5", 80),
    "lstm10": _fit("lstm10", 100),
    "lstm30": _fit("lstm30", 200),
    "lstm64": _fit("lstm64", 5, (*_NETWORKS, "darts", "neuralforecast")),
    "convnet": _fit("fashion", 3),
    "origins3": Timed("LSTM(5) trained anew at 3 origins, 10 epochs", "origins", {"origins": 3, "epochs": 10}),
    "origins20": Timed("LSTM(5) trained anew at 20 origins, 10 epochs", "origins", {"origins": 20, "epochs": 10}),
}
