"""Symbols to numbers and back, and sequence pairs as a decoder is trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision.data.arrays import Arrays

PAD, START, END = 0, 1, 2


class SequencePairs(NamedTuple):
    """Sources and targets in two parts that share no source."""

    train: Arrays  # x (source (N, S), tokens in (N, T)), y (N, T): tokens in, one step on
    test: Arrays
    source: "Vocabulary"
    target: "Vocabulary"


@dataclass(frozen=True)
class Vocabulary:
    """The symbols that sequences are written in; the numbers 0, 1, 2 are padding, start and end.

    Args:
      symbols: each a string, none twice: characters, or words.

    Raises:
      ValueError: for a symbol that stands twice.

    >>> letters = Vocabulary("abc")
    >>> letters.encode(["cab", "a"]).tolist()
    [[5, 3, 4, 2], [3, 2, 0, 0]]
    >>> letters.decode([[5, 3, 4, 2], [3, 2, 0, 0]])
    ['cab', 'a']
    """

    symbols: tuple[str, ...]

    def __init__(self, symbols: Sequence[str]):
        if len(set(symbols)) < len(symbols):
            twice = sorted({symbol for symbol in symbols if list(symbols).count(symbol) > 1})
            raise ValueError(f"symbols must stand once each, but {twice} do not")
        object.__setattr__(self, "symbols", tuple(symbols))

    def __len__(self) -> int:
        return len(self.symbols) + 3

    def encode(self, texts: Sequence[Sequence[str]], *, length: int | None = None, end: bool = True) -> np.ndarray:
        """Turn texts (strings, or lists of symbols) into token numbers, padded at the back.

        Args:
          texts: N of them.
          length: L, the columns; by default what the longest text needs.
          end: write the end token after each text.

        Returns:
          int32 (N, L).

        Raises:
          ValueError: naming a symbol that is not in the vocabulary, or a text that is too long.
        """
        numbers = {symbol: i + 3 for i, symbol in enumerate(self.symbols)}
        needed = max((len(text) for text in texts), default=0) + end
        length = needed if length is None else length
        if needed > length:
            raise ValueError(f"a text needs {needed} tokens, but length is {length}: make it at least {needed}")
        tokens = np.full((len(texts), length), PAD, np.int32)
        for row, text in enumerate(texts):
            unknown = [symbol for symbol in text if symbol not in numbers]
            if unknown:
                raise ValueError(f"text {row} has {unknown[0]!r}, which is not among the {len(self.symbols)} symbols")
            tokens[row, : len(text)] = [numbers[symbol] for symbol in text]
            if end:
                tokens[row, len(text)] = END
        return tokens

    def decode(self, tokens: ArrayLike) -> list[str]:
        """Turn token numbers (N, L) into strings, each up to its end token; padding and start are left out.

        Raises:
          ValueError: for a number outside the vocabulary.
        """
        rows = np.asarray(tokens)
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise ValueError(f"tokens must lie in 0..{len(self) - 1}, but reach from {rows.min()} to {rows.max()}")
        return ["".join(self._name(token) for token in _until_end(row)) for row in rows]

    def _name(self, token: int) -> str:
        return self.symbols[token - 3] if token > END else ""


def decoder_arrays(source: Any, targets: ArrayLike) -> Arrays:
    """Pair sources with targets for teacher forcing: the decoder reads the start token and the targets but the last.

    Args:
      source: (N, ...), tokens or images or a pytree.
      targets: token numbers (N, T), the end token included.

    Returns:
      Arrays with x (source, tokens in (N, T)) and y the targets.

    >>> decoder_arrays(np.zeros((1, 4, 4, 1)), [[7, 8, 2, 0]]).x[1].tolist()
    [[1, 7, 8, 2]]
    """
    labels = np.asarray(targets)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError(f"targets must be token numbers (N, T), but are {labels.dtype} of shape {labels.shape}")
    start = np.full((len(labels), 1), START, labels.dtype)
    return Arrays((source, np.concatenate([start, labels[:, :-1]], axis=1)), labels)


def _until_end(row: np.ndarray) -> list[int]:
    tokens = row.tolist()
    return tokens[: tokens.index(END)] if END in tokens else tokens
