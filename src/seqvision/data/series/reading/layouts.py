"""Columns of short texts as arrays: rows written alike are read together, wherever their digits stand."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

LONGEST = 80  # no date is longer
_BLOCK = 1 << 15
_FOLD = 64  # rows looked at side by side


def layouts(texts: np.ndarray) -> Iterator[tuple[str, np.ndarray | slice, Callable[[tuple[int, int]], Any]]]:
    """Group texts that differ in their digits alone.

    Args:
      texts: (N,) objects, each a text of at most `LONGEST` signs; or bytes of ASCII.

    Yields:
      The text with every digit as 0, the rows that are written so, and a function from a span of digits in it to the
      numbers of these rows (one number if they are the same in all).

    >>> alike = layouts(np.array(["a 12", "a 13"], object))
    >>> [(layout, np.arange(2)[rows].tolist(), read((2, 4)).tolist()) for layout, rows, read in alike]
    [('a 00', [0, 1], [12, 13])]
    """
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        block = np.ascontiguousarray(block) if block.dtype.kind == "S" else block.astype(np.str_)
        kind: Any = np.uint8 if block.dtype.kind == "S" else np.uint32
        wide = block.dtype.itemsize > 0
        signs = block.view(kind).reshape(len(block), -1) if wide else np.zeros((len(block), 1), kind)
        low, high = _extreme(np.minimum, signs), _extreme(np.maximum, signs)
        digit = (low >= 48) & (high <= 57)
        if (digit | (low == high)).all():
            yield _text(np.where(digit, kind(48), low)), slice(start, start + len(block)), _reader(signs, low, high)
            continue
        shapes = np.where(signs - kind(48) < 10, kind(48), signs)
        for row, rows in _groups(shapes):
            some = signs[rows]
            yield _text(shapes[row]), start + rows, _reader(some, some.min(axis=0), some.max(axis=0))


def _text(signs: np.ndarray) -> str:
    return "".join(map(chr, signs.tolist())).rstrip("\0")


def _extreme(which: np.ufunc, signs: np.ndarray) -> np.ndarray:
    """Return the least or greatest sign of each place."""
    rest = len(signs) % _FOLD
    found = which.reduce(signs[:rest], axis=0) if rest else signs[0]
    if len(signs) > rest:
        wide = which.reduce(np.ascontiguousarray(signs[rest:]).reshape(-1, _FOLD * signs.shape[1]), axis=0)
        found = which(found, which.reduce(wide.reshape(_FOLD, -1), axis=0))
    return found


def _groups(shapes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield one row of each kind with the rows that equal it."""
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


def _reader(signs: np.ndarray, low: np.ndarray, high: np.ndarray) -> Callable[[tuple[int, int]], Any]:
    def read(span: tuple[int, int]) -> Any:
        kind: Any = np.int32 if span[1] - span[0] <= 9 else np.int64
        number: Any = np.zeros((), kind)
        for k in range(*span):
            digit = low[k] if low[k] == high[k] else signs[:, k]
            number = number * kind(10) + (digit.astype(kind) - kind(48))
        return number

    return read
