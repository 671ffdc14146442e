"""The kinds of sources that a `Stream` reads: columns, rows, and the batches of a function; raw, as they hold them."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from seqvision._arrays import check_unmasked
from seqvision._checks import check_count
from seqvision.data.batch import Batch
from seqvision.data.device_values import stack_lists


@dataclass(frozen=True)
class Columns:
    """Inputs and targets apart: arrays (N, ...), or what has shape, dtype and rows by index, or pytrees of them."""

    x: Any
    y: Any

    def __post_init__(self) -> None:
        """Check that all have rows, and as many."""
        sizes = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(Batch(self.x, self.y)):
            name = leaf_name(path)
            if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
                raise TypeError(f"{name} must be a list, an array or a memory map, got {type(leaf).__name__}")
            if not leaf.shape:
                raise ValueError(f"{name} must have a leading axis of examples, but is a single number")
            sizes[name] = leaf.shape[0]
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise ValueError(f"x and y need the same number of rows, but have: {listed}")

    def __len__(self) -> int:
        leaves = jax.tree.leaves(self.x)
        return leaves[0].shape[0] if leaves else 0

    def gather(self, rows: np.ndarray) -> Batch:
        """Read these rows: of an array at once, of what only looks like one, one by one."""

        def take(column: Any) -> np.ndarray:
            if isinstance(column, np.ndarray | jax.Array):
                return np.asarray(column)[rows]
            picked = [column[row] for row in rows.tolist()]
            for row, part in zip(rows, picked, strict=True):
                check_unmasked(f"row {row}", part)
            return np.stack([np.asarray(part) for part in picked])

        try:
            return Batch(jax.tree.map(take, self.x), jax.tree.map(take, self.y))
        except Exception as error:
            raise RuntimeError(f"rows {rows.tolist()} of the source raised {_said(error)}") from error


@dataclass(frozen=True)
class PairRows:
    """What has ``len`` and gives a pair (x, y) for a row's number."""

    source: Any

    def __post_init__(self) -> None:
        """Tell inputs without targets from rows."""
        if hasattr(self.source, "shape"):
            raise ValueError("source holds inputs alone: give the targets beside them, Stream(x, y)")

    def __len__(self) -> int:
        return len(self.source)

    def gather(self, rows: np.ndarray) -> Batch:
        """Read these rows one by one."""
        pairs = [self._pair(row) for row in rows.tolist()]
        shapes = leaf_shapes(pairs[0])
        for row, pair in zip(rows, pairs, strict=True):
            if leaf_shapes(pair) != shapes:
                raise ValueError(
                    f"rows must have one shape, but row {row} has {leaf_shapes(pair)} and row {rows[0]} has {shapes}"
                )
        return jax.tree.map(lambda *leaves: np.stack(leaves), *pairs)

    def _pair(self, row: int) -> Batch:
        try:
            pair = self.source[row]
        except Exception as error:
            raise RuntimeError(f"row {row} of the source raised {_said(error)}") from error
        return _as_batch(pair, f"row {row} of the source")


@dataclass(frozen=True)
class BatchFunction:
    """A function that returns a new iterator of pairs (x, y) with a leading axis of examples."""

    function: Callable[[], Any]
    batches: int | None  # in an epoch; None takes all

    def __iter__(self) -> Generator[tuple[range, Batch], None, None]:
        """Yield (numbers of the rows, batch) as they come."""
        number, start = 0, 0
        iterator = self._begin()
        try:
            while self.batches is None or number < self.batches:
                try:
                    pair = next(iterator)
                except StopIteration:
                    break
                except Exception as error:
                    raise RuntimeError(
                        f"batch {number} of the source, at row {start}, raised {_said(error)}"
                    ) from error
                batch = _as_batch(pair, f"batch {number} of the source")
                sizes = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(batch)}
                if len(sizes) != 1 or sizes & {(), (0,)}:
                    raise ValueError(
                        f"batch {number} of the source must have one leading axis of examples, but its shapes are "
                        f"{leaf_shapes(batch)}"
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

    def _begin(self) -> Iterator[Any]:
        """Call the function for a new iterator."""
        try:
            batches = self.function()
        except Exception as error:
            raise RuntimeError(f"the source raised {_said(error)} when it was called for its batches") from error
        if not hasattr(batches, "__iter__"):
            raise TypeError(
                f"source must return an iterator of batches when it is called, got {type(batches).__name__}: write "
                "yield x, y for each batch"
            )
        return iter(batches)


def as_source(source: Any, y: Any, batches: int | None) -> Columns | PairRows | BatchFunction:
    """Tell which kind of source it is, and refuse what is none."""
    if hasattr(source, "gather") and not hasattr(source, "dtype"):  # torch's tensors have one of their own
        raise TypeError(f"source is on the device already: give {type(source).__name__} itself, not a Stream of it")
    if y is None and callable(source) and not hasattr(source, "__getitem__"):
        return BatchFunction(source, None if batches is None else check_count("batches", batches))
    if batches is not None:
        raise ValueError("batches is for a function's batches: rows by index make batches of batch_size")
    if y is not None or (hasattr(source, "__len__") and hasattr(source, "__getitem__")):
        rows = PairRows(source) if y is None else Columns(_columns("x", source), _columns("y", y))
        if not len(rows):
            raise ValueError("source has no rows")
        return rows
    if hasattr(source, "__next__"):
        raise TypeError("source can be gone through only once: give the function that makes it, Stream(function)")
    remedy = ": give a function that returns its iterator, Stream(lambda: iter(source))"
    raise TypeError(
        "source must have len and rows by index, or be a function that returns an iterator of batches, got "
        f"{type(source).__name__}{remedy if hasattr(source, '__iter__') else ''}"
    )


def _columns(name: str, tree: Any) -> Any:
    """Return lists and tables as arrays: a table's own index would pick rows by their labels."""
    tables = jax.tree.map(lambda part: part.to_numpy() if hasattr(part, "to_numpy") else part, tree, is_leaf=_is_list)
    return stack_lists(name, tables)


def _is_list(part: Any) -> bool:
    return isinstance(part, list)


def leaf_name(path: Any) -> str:
    """Return how errors call a leaf of a batch: x, y or x['image']."""
    return jax.tree_util.keystr(path)[1:]


def leaf_shapes(batch: Batch) -> Any:
    """Return the shapes of a batch's leaves, in a tuple for x and y."""
    return jax.tree.map(np.shape, tuple(batch))


def _as_batch(pair: Any, where: str) -> Batch:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"{where} must be a pair (x, y), got {type(pair).__name__}: columns are given as Stream(x, y)")
    return Batch(stack_lists("x", pair[0]), stack_lists("y", pair[1]))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
