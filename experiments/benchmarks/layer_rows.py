"""The rows of the layer benchmark: one recurrent layer and its data, which every framework reads from here."""

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One recurrent layer and the size of its input, written "lstm-32-28-28-128"."""

    cell: str
    N: int  # sequences
    T: int  # steps
    D: int  # features
    H: int  # units


GATES = {"elman": 1, "gru": 3, "lstm": 4}
ROWS = (
    "lstm-32-28-28-128",
    "lstm-128-28-28-128",
    "lstm-4-100-16-256",
    "lstm-64-100-64-256",
    "lstm-32-784-1-64",
    "lstm-32-10-1-5",
    "gru-32-28-28-128",
    "gru-128-28-28-128",
    "gru-4-100-16-256",
    "gru-64-100-64-256",
    "elman-32-60-1-128",
    "elman-4-100-16-256",
)


def parse(name: str) -> Row:
    """Return the row that a name writes.

    Raises:
      ValueError: for a name that is not CELL-N-T-D-H.
    """
    cell, *sizes = name.split("-")
    if len(sizes) != 4 or not all(size.isdecimal() and int(size) for size in sizes):
        raise ValueError(f"a row is CELL-N-T-D-H, such as {ROWS[0]}, got {name!r}")
    return Row(cell, *map(int, sizes))


def sample(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (N, T, D) and the weights (N, T, H) of the outputs in the loss, the same in every process."""
    random = np.random.default_rng(0)
    return tuple(random.standard_normal((row.N, row.T, size), np.float32) for size in (row.D, row.H))


RATE = 1e-6  # of the gradient descent in a loop of steps: the weights stay what they are, near enough
