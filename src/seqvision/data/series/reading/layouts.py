"""Columns of short texts as arrays: rows written alike are read together, wherever their digits stand."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

LONGEST = 80  # no date is longer
_BLOCK = 1 << 16


def layouts(texts: np.ndarray) -> Iterator[tuple[str, np.ndarray, Callable[[tuple[int, int]], np.ndarray]]]:
    """Group texts that differ in their digits alone.

    Args:
      texts: (N,) objects, each a text of at most `LONGEST` signs; or bytes of ASCII.

    Yields:
      The text with every digit as 0, the rows that are written so, and a function from a span of digits in it to the
      numbers of these rows.

    >>> alike = layouts(np.array(["a 12", "a 13"], object))
    >>> [(layout, rows.tolist(), read((2, 4)).tolist()) for layout, rows, read in alike]
    [('a 00', [0, 1], [12, 13])]
    """
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        block = np.ascontiguousarray(block) if block.dtype.kind == "S" else block.astype(np.str_)
        kind: Any = np.uint8 if block.dtype.kind == "S" else np.uint32
        wide = block.dtype.itemsize > 0
        signs = block.view(kind).reshape(len(block), -1) if wide else np.zeros((len(block), 1), kind)
        digits = signs - kind(48)
        shapes = np.where(digits < 10, kind(48), signs)
        for row, rows in _groups(shapes):
            values = digits if rows is None else digits[rows]
            layout = "".join(map(chr, shapes[row].tolist())).rstrip("\0")
            yield layout, start + (np.arange(len(block)) if rows is None else rows), _reader(values)


def _groups(shapes: np.ndarray) -> Iterator[tuple[int, np.ndarray | None]]:
    """Yield one row of each kind with the rows that equal it; None for all rows."""
    if (shapes == shapes[0]).all():
        yield 0, None
        return
    weights = np.random.default_rng(0).integers(1, 1 << 62, shapes.shape[1], dtype=np.uint64) | np.uint64(1)
    codes = (shapes.astype(np.uint64) * weights).sum(axis=1)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    if (shapes == shapes[first][inverse]).all():
        order = np.argsort(inverse, kind="stable")
        ends = np.cumsum(np.bincount(inverse, minlength=len(first)))
        for k, row in enumerate(first):
            yield int(row), order[ends[k - 1] if k else 0 : ends[k]]
    else:  # two kinds with one code
        for row in range(len(shapes)):
            yield row, np.array([row])


def _reader(digits: np.ndarray) -> Callable[[tuple[int, int]], np.ndarray]:
    def read(span: tuple[int, int]) -> np.ndarray:
        number = np.zeros(len(digits), np.int64)
        for k in range(*span):
            number = number * 10 + digits[:, k]
        return number

    return read
