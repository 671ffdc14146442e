"""The rows of the benchmark: networks, data and update rules that every framework reads from here; NumPy alone."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Row:
    """One network on one data set, as a course trains it.

    Args:
      title: heading of its table.
      network: "lstm" and "rnn" stack one recurrent layer for each of `units`, "conv" 3 x 3 convolutions of stride 2,
        "mlp" dense layers; rectified linear units in the last two.
      units: units or channels of each layer.
      dense: units of the dense layer below the output, or None; linear in "rnn", rectified in "conv".
      outputs: units of the output layer: values, of a series its next steps, classes, or 1 logit.
      data: name of a generator of this file.
      examples: windows, sequences or images in an epoch.
      length: time steps of a window; of no meaning for images.
      epochs: passes over the data in the recipe.
      timed: passes that a measurement makes by default.
      loss: loss function, taken of logits for classes.
      optimizer: update rule.
      learning_rate: its step size.
    """

    title: str
    network: Literal["lstm", "rnn", "conv", "mlp"]
    units: tuple[int, ...]
    dense: int | None
    outputs: int
    data: Literal["sine", "chirp", "walk", "hours", "signs", "rows", "images"]
    examples: int
    length: int
    epochs: int
    timed: int
    loss: Literal["mse", "binary_cross_entropy", "cross_entropy"]
    optimizer: Literal["adam", "rmsprop"]
    learning_rate: float


ROWS = {
    "lstm5": Row(
        "LSTM(5), T = 10, 624 windows", "lstm", (5,), None, 1, "sine", 624, 10, 80, 80, "mse", "adam", 0.1
    ),
    "lstm10": Row(
        "LSTM(10) on the chirp, T = 10, 195 windows",
        "lstm", (10,), None, 1, "chirp", 195, 10, 100, 100, "mse", "adam", 0.05,
    ),
    "lstm10_200": Row(
        "LSTM(10) on the chirp, twice as long",
        "lstm", (10,), None, 1, "chirp", 195, 10, 200, 200, "mse", "adam", 0.05,
    ),
    "lstm30": Row(
        "LSTM(5), T = 30, 2500 sequences",
        "lstm", (5,), None, 1, "signs", 2500, 30, 200, 200, "binary_cross_entropy", "adam", 0.01,
    ),
    "lstm64": Row(
        "LSTM(64), 48 steps to 24, 3929 windows",
        "lstm", (64,), None, 24, "hours", 3929, 48, 5, 5, "mse", "adam", 0.001,
    ),
    "rowmnist": Row(
        "Images by rows, LSTM(128), 60,000 images",
        "lstm", (128,), None, 10, "rows", 60_000, 28, 10, 2, "cross_entropy", "adam", 0.001,
    ),
    "fashion": Row(
        "CNN 32-64-128 stride 2, 12,000 images",
        "conv", (32, 64, 128), 512, 10, "images", 12_000, 28, 15, 3, "cross_entropy", "adam", 0.001,
    ),
    "rnn": Row(
        "SimpleRNN(128) + SimpleRNN(64), T = 60, 4331 windows",
        "rnn", (128, 64), 25, 1, "walk", 4331, 60, 30, 4, "mse", "adam", 0.001,
    ),
    "mlp": Row(
        "MLP of 4 x 3000, 4331 windows of 60",
        "mlp", (3000,) * 4, None, 1, "walk", 4331, 60, 30, 2, "mse", "rmsprop", 0.001,
    ),
}  # fmt: skip


class Sample(NamedTuple):
    """What is trained on: a series to cut windows from, or inputs and targets."""

    series: np.ndarray | None  # (examples + T + outputs - 1, 1)
    x: np.ndarray  # (N, T, 1), (N, 28, 28) or (N, 28, 28, 1), float32
    y: np.ndarray  # (N, outputs) float32, or labels (N,) int32


def make_sample(row: Row, examples: int) -> Sample:
    """Return the data of a row, `examples` of them, the same in every process."""
    random = np.random.default_rng(0)
    if row.data in ("rows", "images"):
        labels = random.integers(0, 10, examples)
        images = random.random((10, 28, 28), np.float32)[labels]
        images = 0.3 * images + 0.7 * random.random((examples, 28, 28), np.float32)
        return Sample(None, images if row.data == "rows" else images[..., None], labels.astype(np.int32))
    if row.data == "signs":  # the product of the last three signs, an exclusive or
        x = random.standard_normal((examples, row.length, 1), np.float32)
        return Sample(None, x, (x[:, -3:].prod(axis=1) > 0).astype(np.float32))
    steps = np.arange(examples + row.length + row.outputs - 1)
    if row.data == "walk":
        series = random.standard_normal(steps.size).cumsum()
        series = (series - series.mean()) / series.std()
    elif row.data == "hours":
        series = np.sin(2 * np.pi * steps / 24) + 0.1 * random.standard_normal(steps.size)
    elif row.data == "chirp":
        series = np.sin((0.1 * steps) ** 2)
    else:
        series = np.sin(0.1 * steps) + 0.1 * random.standard_normal(steps.size)
    series = series.astype(np.float32)[:, None]
    windows = np.lib.stride_tricks.sliding_window_view(series[: -row.outputs, 0], row.length)
    ahead = np.lib.stride_tricks.sliding_window_view(series[row.length :, 0], row.outputs)
    return Sample(series, np.ascontiguousarray(windows)[..., None], ahead.copy())
