"""Symbols to numbers and back, and sequence pairs as a decoder is trained on them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqvision._arrays import as_array
from seqvision._checks import check_count
from seqvision.data.arrays import Arrays

PAD, START, END = 0, 1, 2
_MOST = 1 << 31  # tokens of all texts together


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
        listed = as_symbols("symbols", symbols)
        twice = sorted(symbol for symbol, times in Counter(listed).items() if times > 1)
        if twice:
            raise ValueError(f"symbols must stand once each, but {twice} do not")
        object.__setattr__(self, "symbols", listed)

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
          TypeError: for one text in place of several, or symbols that are no strings.
        """
        if isinstance(texts, str | bytes):
            raise TypeError(f"texts must be several texts, got one: write [{texts!r:.20}]")
        rows = [as_symbols(f"text {row}", text) for row, text in enumerate(as_list("texts", texts))]
        numbers = {symbol: i + 3 for i, symbol in enumerate(self.symbols)}
        needed = max(map(len, rows), default=0) + bool(end)
        length = needed if length is None else check_count("length", length, least=0)
        if needed > length:
            raise ValueError(f"a text needs {needed} tokens, but length is {length}: make it at least {needed}")
        if max(len(rows), 1) * length > _MOST:
            raise ValueError(f"{len(rows)} texts of length {length} are more than {_MOST:,} tokens: make length less")
        tokens = np.full((len(rows), length), PAD, np.int32)
        for row, text in enumerate(rows):
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
        rows = as_tokens("tokens", tokens)
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
    labels = as_tokens("targets", targets)
    if not labels.shape[1]:
        raise ValueError(f"targets must have the end token at least, but their shape is {labels.shape}")
    start = np.full((len(labels), 1), START, labels.dtype)
    return Arrays((source, np.concatenate([start, labels[:, :-1]], axis=1)), labels)


def as_list(name: str, values: Any) -> list[Any]:
    """Return what is iterated over as a list."""
    try:
        return list(values)
    except TypeError:
        raise TypeError(f"{name} must be a sequence, got {type(values).__name__}") from None


def as_symbols(name: str, values: Any) -> tuple[str, ...]:
    """Return symbols, each a string with a sign in it."""
    symbols = tuple(as_list(name, values))
    for place, symbol in enumerate(symbols):
        if not isinstance(symbol, str) or not symbol:
            raise TypeError(f"{name} must hold strings that are not empty, but at {place} is {symbol!r:.40}")
    return symbols


def as_tokens(name: str, values: Any) -> np.ndarray:
    """Return token numbers (N, T)."""
    array = as_array(name, values)
    if array.ndim != 2 or array.dtype.kind not in "iu":
        if array.size or array.ndim > 2:
            raise ValueError(f"{name} must be token numbers (N, T), but are {array.dtype} of shape {array.shape}")
        return np.zeros((len(array) if array.ndim else 0, 0), np.int32)
    return array


def _until_end(row: np.ndarray) -> list[int]:
    tokens = row.tolist()
    return tokens[: tokens.index(END)] if END in tokens else tokens
