"""What the compiled epochs of `fit` are given beside state and data, so that data of about the same size share them."""

from typing import Any

import jax
import numpy as np

from seqvision.data import Arrays, Windows

from .epochs import Plan, cut
from .losses import PerExample
from .orders import EpochOrders
from .state import TrainState

_LEAST = 1024  # examples that there is room for at least
_MOST = 4 * 2**20  # bytes of data, room included, that are copied to make room


class Plans:
    """The plan of each chunk of epochs.

    Args:
      data, validation: what is trained on, and evaluated.
      batch_size: examples of a step.
      chunk: epochs of a plan.
      shuffle: a new order every epoch.
      fill: whether a smaller last batch is filled up, of data and of validation data; those that are may get room.
    """

    def __init__(self, data: Any, validation: Any, batch_size: int, chunk: int, shuffle: bool, fill: tuple[bool, bool]):
        self._examples, self._batch_size, self._chunk, self._shuffle = len(data), batch_size, chunk, shuffle
        self.data, examples = roomy(data) if fill[0] else (data, None)
        self.validation, judged = roomy(validation) if fill[1] else (validation, None)
        self._batches = -(-len(self.data) // batch_size)
        shape = (chunk, self._batches, batch_size)
        self._blank = Plan(np.zeros((0, *shape[1:]), np.int32), examples, judged)
        self.shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), self._blank)
        self.shapes = self.shapes._replace(rows=jax.ShapeDtypeStruct(shape, np.int32))

    def start(self, state: TrainState, epochs: int, first_step: int) -> None:
        """Begin at the state's key, with epochs that are counted from this step on."""
        self._orders = EpochOrders(state.key, first_step, epochs, self._examples, self._batch_size, self._shuffle)

    def __getitem__(self, epoch: int) -> Plan:
        """Return the plan of the chunk that begins with this epoch, counted from 0."""
        rows = cut(np.stack([self._orders[epoch + number] for number in range(self._chunk)]), self._batch_size)
        room = self._batches - rows.shape[1]
        return self._blank._replace(rows=np.pad(rows, ((0, 0), (0, room), (0, 0))) if room else rows)


def roomy(data: Any) -> tuple[Any, Any]:
    """Return small data with room for more rows behind them, and how many there are; others as they are, and None.

    The room is up to the next power of two, so that a fold, an origin or a refit with some rows more or less has
    arrays of the same shapes. On accelerators a loop whose length is an argument would wait for the host.

    >>> data, examples = roomy(Windows(np.arange(1500.0), 10))
    >>> len(data), int(examples)
    (2048, 1490)
    """
    leaves = jax.tree.leaves(data)
    if type(data) not in (Arrays, Windows) or any(leaf.devices() != {jax.devices("cpu")[0]} for leaf in leaves):
        return data, None
    more = max(_LEAST, 2 ** (len(data) - 1).bit_length()) - len(data)
    if sum((len(leaf) + more) * leaf.nbytes // len(leaf) for leaf in leaves) > _MOST:
        return data, None

    def fill_up(leaf: jax.Array) -> jax.Array:
        return jax.device_put(np.pad(np.asarray(leaf), ((0, more), *((0, 0) for _ in leaf.shape[1:]))), leaf.sharding)

    return jax.tree.map(fill_up, data), np.int32(len(data))


def is_by_row(function: PerExample) -> bool:
    """Whether a loss or metric surely looks at each example by itself: those of this package do, others may not."""
    module = function.__module__ if hasattr(function, "__qualname__") else type(function).__module__
    return str(module).startswith(("seqvision.", "optax"))
