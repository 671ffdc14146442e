"""Examples that stay on the host and are read batch by batch: for data larger than the device's memory."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from seqvision._checks import check_count
from seqvision.data.batch import Batch
from seqvision.data.device_values import Rows, converted, device_dtype, number_kind
from seqvision.data.read_ahead import read_ahead


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
    batches: int | None = None
    _kind: str = field(init=False, repr=False)  # "columns", "rows" or "function"
    _row: list[jax.ShapeDtypeStruct] = field(init=False, repr=False)  # a row's leaves, as the device gets them
    _structure: Any = field(init=False, repr=False)
    _first_size: int = field(init=False, repr=False)  # of the first batch read

    def __post_init__(self) -> None:
        """Check the source and look at its first row."""
        source = self.source
        if hasattr(source, "gather"):
            raise TypeError(f"source is on the device already: give {type(source).__name__} itself, not a Stream of it")
        if self.y is not None:
            kind = "columns"
            _check_columns(source, self.y)
        elif hasattr(source, "__len__") and hasattr(source, "__getitem__"):
            kind = "rows"
            if hasattr(source, "shape"):
                raise ValueError("source holds inputs alone: give the targets beside them, Stream(x, y)")
            if not len(source):
                raise ValueError("source has no rows")
        elif callable(source):
            kind = "function"
        elif hasattr(source, "__next__"):
            raise TypeError("source can be gone through only once: give the function that makes it, Stream(function)")
        else:
            remedy = ": give a function that returns its iterator, Stream(lambda: iter(source))"
            raise TypeError(
                "source must have len and rows by index, or be a function that returns an iterator of batches, got "
                f"{type(source).__name__}{remedy if hasattr(source, '__iter__') else ''}"
            )
        if self.batches is not None:
            check_count("batches", self.batches)
            if kind != "function":
                raise ValueError("batches is for a function's batches: rows by index make batches of batch_size")
        object.__setattr__(self, "_kind", kind)
        first = next(iter(self._function_batches()))[1] if kind == "function" else self._gather(np.arange(1))
        leaves, structure = jax.tree_util.tree_flatten_with_path(first)
        if not jax.tree_util.tree_leaves(first.x):
            raise ValueError("x holds no array")
        row = [
            jax.ShapeDtypeStruct(np.shape(leaf)[1:], device_dtype(name, np.asarray(leaf).dtype, small_integers=whole))
            for name, leaf, whole in ((_name(path), leaf, _name(path)[0] == "y") for path, leaf in leaves)
        ]
        object.__setattr__(self, "_row", row)
        object.__setattr__(self, "_structure", structure)
        object.__setattr__(self, "_first_size", len(leaves[0][1]))
        self._convert(first, range(self._first_size))

    @property
    def by_row(self) -> bool:
        """Whether rows can be read in any order."""
        return self._kind != "function"

    def __len__(self) -> int:
        """Return the number of rows; that of a function's batches is not known."""
        if not self.by_row:
            raise TypeError("a Stream of a function's batches does not know its rows before it has read them")
        return len(self.source) if self._kind == "rows" else jax.tree.leaves(self.source)[0].shape[0]

    def shapes(self, size: int) -> Batch:
        """Return the shapes and dtypes of a batch of this size on the device."""
        rows = [jax.ShapeDtypeStruct((size, *row.shape), row.dtype) for row in self._row]
        return jax.tree.unflatten(self._structure, rows)

    def check_batch_size(self, batch_size: int) -> None:
        """Refuse a batch size that the rows, or a function's batches, do not have."""
        if self.by_row:
            if batch_size > len(self):
                raise ValueError(
                    f"batch_size {batch_size} is larger than the {len(self)} examples: use {len(self)} or less"
                )
        elif batch_size != self._first_size:
            raise ValueError(
                f"batch_size is {batch_size}, but the source's first batch has {self._first_size} rows: give "
                f"batch_size={self._first_size}"
            )

    def batch_sizes(self, batch_size: int) -> tuple[int, ...]:
        """Return the sizes that batches will surely have."""
        if not self.by_row:
            return (self._first_size,)
        full, rest = divmod(len(self), batch_size)
        return (*([batch_size] if full else []), *([rest] if rest else []))

    def read(self, order: Rows | None, batch_size: int) -> Generator[tuple[Rows, Batch], None, None]:
        """Go through the rows batch by batch; a thread reads up to two batches ahead, until the iterator is closed.

        Args:
          order: rows (N,) in the order to read them in; None takes them as they are, and so does a function's batches.
          batch_size: rows at once; a function's batches have at most so many.

        Yields:
          (rows, batch): numbers of the rows and NumPy arrays of the types that the device gets.
        """
        return read_ahead(self._batches(order, batch_size))

    def _batches(self, order: Rows | None, batch_size: int) -> Iterator[tuple[Rows, Batch]]:
        if not self.by_row:
            for rows, batch in self._function_batches():
                if len(rows) > batch_size:
                    raise ValueError(f"the batch at row {rows[0]} has {len(rows)} rows, but batch_size is {batch_size}")
                yield rows, self._convert(batch, rows)
            return
        order = np.arange(len(self)) if order is None else np.asarray(order)
        for start in range(0, len(order), batch_size):
            some = order[start : start + batch_size]
            yield some, self._convert(self._gather(some), some)

    def _gather(self, rows: np.ndarray) -> Batch:
        if self._kind == "columns":
            return Batch(*(jax.tree.map(lambda column: _take(column, rows), part) for part in (self.source, self.y)))
        pairs = [self._pair(int(row)) for row in rows]
        shapes = _shapes(pairs[0])
        for row, pair in zip(rows, pairs, strict=True):
            if _shapes(pair) != shapes:
                raise ValueError(
                    f"rows must have one shape, but row {row} has {_shapes(pair)} and row {rows[0]} has {shapes}"
                )
        return jax.tree.map(lambda *leaves: np.stack(leaves), *pairs)

    def _pair(self, row: int) -> Batch:
        try:
            pair = self.source[row]
        except Exception as error:
            raise RuntimeError(f"row {row} of the source raised {type(error).__name__}: {error}") from error
        return _as_batch(pair, f"row {row} of the source")

    def _function_batches(self) -> Iterator[tuple[Rows, Batch]]:
        """Yield (rows, batch) as they come."""
        iterator, number, start = iter(self.source()), 0, 0
        try:
            while self.batches is None or number < self.batches:
                try:
                    pair = next(iterator)
                except StopIteration:
                    break
                except Exception as error:
                    raise RuntimeError(f"batch {number} of the source (from row {start}) raised {error!r}") from error
                batch = _as_batch(pair, f"batch {number} of the source")
                sizes = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(batch)}
                if len(sizes) != 1 or sizes & {(), (0,)}:
                    raise ValueError(
                        f"batch {number} of the source must have one leading axis of examples, but is {_shapes(batch)}"
                    )
                rows = range(start, start + sizes.pop()[0])
                yield rows, batch
                number, start = number + 1, rows.stop
        finally:
            getattr(iterator, "close", lambda: None)()
        if not number:
            raise ValueError("source gave no batch: it must return a new iterator each time it is called")
        if self.batches is not None and number < self.batches:
            raise ValueError(f"source gave {number} batches, but batches={self.batches}")

    def _convert(self, batch: Batch, rows: Rows) -> Batch:
        """Return a batch with the types that the device gets, in memory of our own."""
        leaves, structure = jax.tree_util.tree_flatten_with_path(batch)
        if structure != self._structure:
            raise ValueError(f"at row {rows[0]} the source is {_shapes(batch)}, but it began with another structure")
        return jax.tree.unflatten(
            structure,
            [_convert_leaf(_name(path), leaf, row, rows) for (path, leaf), row in zip(leaves, self._row, strict=True)],
        )


def _convert_leaf(name: str, leaf: Any, like: jax.ShapeDtypeStruct, rows: Rows) -> np.ndarray:
    array = np.asarray(leaf)
    if array.shape[1:] != like.shape:
        raise ValueError(f"{name} is {array.shape[1:]} at row {rows[0]} of the source, but {like.shape} at its first")
    kinds = [number_kind(dtype).replace("u", "i") for dtype in (array.dtype, like.dtype)]
    if kinds[0] != kinds[1]:
        raise TypeError(f"{name} is {array.dtype} at row {rows[0]} of the source, but {like.dtype} at its first")
    return converted(name, array, like.dtype, rows)


def _as_batch(pair: Any, where: str) -> Batch:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"{where} must be a pair (x, y), got {type(pair).__name__}: columns are given as Stream(x, y)")
    return Batch(*pair)


def _check_columns(x: Any, y: Any) -> None:
    sizes = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(Batch(x, y)):
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            raise TypeError(f"{_name(path)} must be an array or a memory map, got {type(leaf).__name__}")
        if not leaf.shape:
            raise ValueError(f"{_name(path)} must have a leading axis of examples, but is a single number")
        sizes[_name(path)] = leaf.shape[0]
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(f"x and y need the same number of rows, but have: {listed}")
    if 0 in sizes.values():
        raise ValueError("source has no rows")


def _take(column: Any, rows: np.ndarray) -> np.ndarray:
    """Rows of an array at once; of what only looks like one, one by one."""
    return column[rows] if isinstance(column, np.ndarray) else np.stack([np.asarray(column[int(row)]) for row in rows])


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path)[1:]  # .x['image'] without its point


def _shapes(batch: Batch) -> Any:
    return jax.tree.map(np.shape, tuple(batch))
