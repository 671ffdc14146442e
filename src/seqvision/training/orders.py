"""The order in which an epoch visits its examples: inside a program, or drawn on the host, of the same numbers.

Sorting random numbers takes XLA half a second to compile for every number of examples, and NumPy a millisecond to do.
"""

import math
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import Array

from seqvision._compilation import Program

from . import threefry
from .threefry import is_threefry

_SHUFFLE = 0x5EED  # folded into the key before the epoch, so that shuffling and dropout never share a stream
_AT_ONCE = 2**18  # rows drawn in one go, those of several short epochs


def epoch_order(key: Array, step: Array | int, examples: int, batch_size: int) -> Array:
    """Return the rows (N,) in the order in which the epoch that begins at this step visits them."""
    epoch = step // -(-examples // batch_size)
    return jax.random.permutation(jax.random.fold_in(jax.random.fold_in(key, _SHUFFLE), epoch), examples)


class EpochOrders:
    """The orders of a run's epochs, on the host: the rows of `epoch_order`.

    Args:
      key: of the training state.
      step: updates made before the first epoch.
      epochs: how many there will be at most.
      examples: N, rows in an epoch.
      batch_size: rows of a step.
      shuffle: False keeps the order of the data.

    >>> orders = EpochOrders(jax.random.key(0), 0, 3, 10, 4)
    >>> bool((orders[2] == epoch_order(jax.random.key(0), 6, 10, 4)).all())
    True
    """

    def __init__(self, key: Array, step: int, epochs: int, examples: int, batch_size: int, shuffle: bool = True):
        self._key, self._epochs, self._examples = key, epochs, examples
        self._steps = -(-examples // batch_size)
        self._batch_size, self._before, self._shuffle = batch_size, step // self._steps, shuffle
        self._drawn: tuple[int, np.ndarray] = (0, np.zeros((0, examples), np.int32))

    def __getitem__(self, epoch: int) -> np.ndarray:
        """Return the rows (N,) int32 of an epoch, counted from 0."""
        if not self._shuffle:
            return np.arange(self._examples, dtype=np.int32)
        first, rows = self._drawn
        if not first <= epoch < first + len(rows):
            several = max(1, min(self._epochs - epoch, _AT_ONCE // self._examples))
            self._drawn = first, rows = epoch, self._draw(self._before + epoch, several)
        return rows[epoch - first]

    def _draw(self, epoch: int, epochs: int) -> np.ndarray:
        if is_threefry(self._key):
            key = np.asarray(jax.random.key_data(self._key))
            numbers = np.arange(epoch, epoch + epochs, dtype=np.uint32)
            folded = threefry.fold_in(threefry.fold_in(key, np.uint32(_SHUFFLE))[:, None], numbers)
            return _permutations(folded, self._examples)
        program = order_program(self._examples, self._batch_size)
        steps = [np.int32((epoch + number) * self._steps) for number in range(epochs)]
        return np.stack([np.asarray(program.compile(self._key, step)(self._key, step)) for step in steps])


@lru_cache(maxsize=64)
def order_program(examples: int, batch_size: int) -> Program:
    """Return the program (key, step) -> rows (N,)."""
    return Program(lambda key, step: epoch_order(key, step, examples, batch_size))


def _permutations(keys: np.ndarray, examples: int) -> np.ndarray:
    """Return `jax.random.permutation` of 0..N-1 for several keys (2, E): (E, N) int32.

    Rows are sorted by random 32 bits, where two are equal in the order of before, as often as makes ties unlikely.
    """
    rounds = math.ceil(3 * math.log(max(1, examples)) / math.log(2**32 - 1))
    places = np.arange(examples, dtype=np.uint64)
    rows: Any = None
    for _ in range(rounds):
        keys, drawing = (threefry.fold_in(keys, np.uint32(number)) for number in range(2))  # as splitting does
        bits = threefry.bits(drawing[..., None], examples)
        order = np.sort(bits.astype(np.uint64) << np.uint64(32) | places) & np.uint64(2**32 - 1)
        order = order.astype(np.int32)
        rows = order if rows is None else np.take_along_axis(rows, order, axis=1)
    return np.zeros((keys.shape[1], examples), np.int32) if rows is None else rows
