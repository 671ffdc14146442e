"""Examples that stay on the host and are read batch by batch: for data larger than the device's memory."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from seqvision.data.batch import Batch
from seqvision.data.device_values import Rows, converted, device_dtype, number_kind
from seqvision.data.read_ahead import read_ahead
from seqvision.data.stream_sources import BatchFunction, Columns, PairRows, as_source, leaf_name, leaf_shapes


@dataclass(frozen=True, eq=False)
class Stream:
    """Read examples on the host while the device trains on those before: data may be larger than its memory.

    `fit` and `predict` take it where they take `Arrays`, as training or validation data, and visit the same batches.
    One thread reads, so that a source need not be safe for several.

    Args:
      source: one of
        inputs (N, ...) beside ``y``: an array, a memory map, anything with shape, dtype and rows by index, or a pytree
        of such;
        rows: anything with ``len`` whose ``source[i]`` is a pair (x, y), such as a list, a map-style data set of torch
        or a RandomAccessDataSource of grain;
        batches: a function without arguments that returns a new iterator of pairs (x, y) with a leading axis of
        examples. They are taken in the order in which they come: nothing shuffles them.
      y: targets (N, ...), where source holds inputs alone.
      rows: which rows are used, (N,) numbers, for a part of a source such as its training rows; None takes all.
      batches: batches that make an epoch, for a function whose iterators do not end; None takes all of them.

    Types are those of `Arrays`: float64 becomes float32, integers become int32. The first row, or the first batch of a
    function, is read at once to see shapes and types.

    Raises:
      ValueError: if there is no row, sizes or shapes differ, or a value is blank or infinite: the row is named, when it
        is read.
      TypeError: for a source that is none of these, numbers that are not real, or small integers in x.
      RuntimeError: for an error of the source itself, when a row is read.

    >>> stream = Stream(np.zeros((5, 8, 8, 1)), np.array([3, 1, 4, 1, 5]))
    >>> [batch.y.tolist() for _, batch in stream.read(None, batch_size=2)]
    [[3, 1], [4, 1], [5]]
    """

    source: Any
    y: Any = None
    rows: Any = None
    batches: int | None = None
    _reader: Columns | PairRows | BatchFunction = field(init=False, repr=False)
    _like: list[jax.ShapeDtypeStruct] = field(init=False, repr=False)  # a row's leaves, as the device gets them
    _structure: Any = field(init=False, repr=False)
    _first_size: int = field(init=False, repr=False)  # of the first batch read

    def __post_init__(self) -> None:
        """Check the source and look at its first row, or first batch."""
        numbers: Any
        reader = as_source(self.source, self.y, self.batches)
        object.__setattr__(self, "_reader", reader)
        object.__setattr__(self, "rows", self._check_rows())
        if isinstance(reader, BatchFunction):
            with closing(iter(reader)) as batches:
                numbers, first = next(batches)
        else:
            numbers = np.arange(1) if self.rows is None else self.rows[:1]
            first = reader.gather(numbers)
        leaves, structure = jax.tree_util.tree_flatten_with_path(first)
        if not jax.tree.leaves(first.x):
            raise ValueError("x holds no array")
        like = []
        for path, leaf in leaves:
            name, array = leaf_name(path), np.asarray(leaf)
            dtype = device_dtype(name, array.dtype, small_integers=name.startswith("y"))
            like.append(jax.ShapeDtypeStruct(array.shape[1:], dtype))
        object.__setattr__(self, "_like", like)
        object.__setattr__(self, "_structure", structure)
        object.__setattr__(self, "_first_size", len(numbers))
        self._convert(first, numbers)

    @property
    def by_row(self) -> bool:
        """Whether rows can be read in any order."""
        return not isinstance(self._reader, BatchFunction)

    @property
    def own_batch_size(self) -> int | None:
        """Rows of a function's first batch; None where the batch size can be chosen."""
        return None if self.by_row else self._first_size

    def __len__(self) -> int:
        """Return the number of rows; that of a function's batches is not known."""
        if isinstance(self._reader, BatchFunction):
            raise TypeError("a Stream of a function's batches does not know its rows before it has read them")
        return len(self._reader if self.rows is None else self.rows)

    def shapes(self, size: int) -> Batch:
        """Return the shapes and dtypes of a batch of this size on the device."""
        leaves = [jax.ShapeDtypeStruct((size, *like.shape), like.dtype) for like in self._like]
        return jax.tree.unflatten(self._structure, leaves)

    def batch_sizes(self, batch_size: int) -> tuple[int, ...]:
        """Return the sizes that batches will surely have."""
        if not self.by_row:
            return (self._first_size,)
        full, rest = divmod(len(self), batch_size)
        return (*([batch_size] if full else []), *([rest] if rest else []))

    def read(self, order: Rows | None, batch_size: int) -> Generator[tuple[Rows, Batch], None, None]:
        """Go through the rows batch by batch; a thread reads up to two batches ahead, until the iterator is closed.

        Args:
          order: positions 0 .. len-1 in the order to read them in; None takes the rows as they are, and so does a
            function's batches.
          batch_size: rows at once; a function's batches have at most so many.

        Yields:
          (rows, batch): numbers of the rows in the source, and NumPy arrays of the types that the device gets.
        """
        return read_ahead(self._batches(order, batch_size))

    def _batches(self, order: Rows | None, batch_size: int) -> Iterator[tuple[Rows, Batch]]:
        if isinstance(self._reader, BatchFunction):
            for rows, batch in self._reader:
                if len(rows) > batch_size:
                    raise ValueError(
                        f"the batch at row {rows[0]} has {len(rows)} rows, but the first one has {self._first_size}: "
                        "only the last may differ, and have fewer"
                    )
                yield rows, self._convert(batch, rows)
            return
        picked = np.arange(len(self)) if order is None else np.asarray(order)
        picked = picked if self.rows is None else self.rows[picked]
        for start in range(0, len(picked), batch_size):
            some = picked[start : start + batch_size]
            yield some, self._convert(self._reader.gather(some), some)

    def _check_rows(self) -> np.ndarray | None:
        if self.rows is None:
            return None
        if isinstance(self._reader, BatchFunction):
            raise ValueError("rows is for rows by index: a function gives the batches that it gives")
        rows, most = np.asarray(self.rows), len(self._reader) - 1
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not rows.size:
            raise ValueError(f"rows must be whole numbers (N,), at least one, got {rows.dtype} of shape {rows.shape}")
        if rows.min() < 0 or rows.max() > most:
            raise ValueError(f"rows must lie in 0..{most}, got {rows.min()}..{rows.max()}")
        return rows

    def _convert(self, batch: Batch, rows: Rows) -> Batch:
        """Return a batch with the types that the device gets, in memory of our own."""
        leaves, structure = jax.tree_util.tree_flatten_with_path(batch)
        if structure != self._structure:
            raise ValueError(f"the structure of (x, y) changes at row {rows[0]}: its shapes are {leaf_shapes(batch)}")
        arrays = [
            _convert_leaf(leaf_name(path), np.asarray(leaf), like, rows)
            for (path, leaf), like in zip(leaves, self._like, strict=True)
        ]
        return jax.tree.unflatten(structure, arrays)


def _convert_leaf(name: str, array: np.ndarray, like: jax.ShapeDtypeStruct, rows: Rows) -> np.ndarray:
    if array.shape[1:] != like.shape:
        raise ValueError(f"{name} is {array.shape[1:]} at row {rows[0]} of the source, but {like.shape} at its first")
    kinds = [number_kind(dtype).replace("u", "i") for dtype in (array.dtype, like.dtype)]
    if kinds[0] != kinds[1]:
        raise TypeError(f"{name} is {array.dtype} at row {rows[0]} of the source, but {like.dtype} at its first")
    return converted(name, array, like.dtype, rows)
