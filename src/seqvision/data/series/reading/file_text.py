"""A large text that stays in its file: what is asked for is read, nothing is kept."""

import codecs
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

_PIECE = 1 << 18


class FileText:
    """The bytes of a file, with those methods of `bytes` that finding and parsing a table needs.

    Args:
      path: an existing file.
    """

    def __init__(self, path: Path):
        self._path = path
        self._state = self._stat()
        self._lines = 0

    def __len__(self) -> int:
        return self._state[0]

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(len(self))
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(max(0, stop - start))

    def __contains__(self, word: bytes) -> bool:
        return self.find(word) >= 0

    def find(self, word: bytes, start: int = 0, stop: int | None = None) -> int:
        """Return where a word begins first, -1 if nowhere."""
        end = len(self) if stop is None else min(stop, len(self))
        while start < end:
            piece = self[start : min(start + _PIECE + len(word), end)]
            at = piece.find(word)
            if at >= 0:
                return start + at
            start += _PIECE
        return -1

    def rfind(self, word: bytes, start: int = 0, stop: int | None = None) -> int:
        """Return where a word begins last, -1 if nowhere."""
        end = len(self) if stop is None else min(stop, len(self))
        while end > start:
            begin = max(start, end - _PIECE)
            at = self[begin:end].rfind(word)
            if at >= 0:
                return begin + at
            if begin == start:
                return -1
            end = begin + len(word) - 1
        return -1

    def count(self, sign: bytes, start: int = 0, stop: int | None = None) -> int:
        """Count a single byte."""
        end = len(self) if stop is None else min(stop, len(self))
        if sign == b"\n" and self._lines and end - start > len(self) // 2:
            return self._lines - self.count(sign, 0, start) - self.count(sign, end)
        return sum(_count(piece, sign) for piece in self.pieces(start, end))

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from start to stop, a piece at a time."""
        with self.open(start, stop) as file:
            while piece := file.read(_PIECE):
                yield piece

    def open(self, start: int, stop: int) -> "Piece":
        """Return an open file of the bytes from start to stop."""
        file = self._path.open("rb", buffering=0)
        file.seek(start)
        return Piece(file, stop - start)

    def is_plain(self) -> bool:
        """Whether it is UTF-8 without a byte order mark, and without carriage returns, quotation marks and NUL."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        lines, plain_so_far = 0, True
        for piece in self.pieces(0, len(self)):
            if b"\r" in piece or b'"' in piece or b"\0" in piece:
                return False
            if not (plain_so_far and piece.isascii()):
                plain_so_far = False
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    return False
            lines += _count(piece, b"\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        self._lines = lines
        return self[:3] != codecs.BOM_UTF8

    def read(self) -> bytes:
        """Return all of it."""
        return self._path.read_bytes()

    def check(self) -> None:
        """Raise a ValueError if the file is not what it was."""
        if self._stat() != self._state:
            raise ValueError(f"{self._path.name} was written to while it was read: read it again")

    def _stat(self) -> tuple[int, int]:
        state = os.stat(self._path)
        return state.st_size, state.st_mtime_ns


class Piece:
    """An open file that ends after so many bytes; pandas takes its bytes as they are."""

    def __init__(self, file: IO[bytes], size: int):
        self._file, self._left = file, size

    def __enter__(self) -> "Piece":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_PIECE), b"")

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most so many; b"" at the end."""
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece


def _count(piece: bytes, sign: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(piece, np.uint8) == sign[0]))
