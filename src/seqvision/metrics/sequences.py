"""How well written sequences agree with the true ones."""

from typing import NamedTuple

from numpy.typing import ArrayLike

from seqvision._arrays import as_array


class SequenceScores(NamedTuple):
    """Shares of what is right."""

    exact: float  # of sequences right from the first token to the end token
    symbols: float  # of the true symbols that stand where they should, padding and end left out


def score_sequences(truth: ArrayLike, *, written: ArrayLike, pad: int = 0, end: int = 2) -> SequenceScores:
    """Compare token numbers.

    Args:
      truth: (N, T), each sequence with its end token, then padding.
      written: (N, T) likewise.
      pad: the number of the padding.
      end: the number of the end token.

    Raises:
      ValueError: for different shapes, or no symbol at all.

    >>> score_sequences([[5, 6, 2, 0], [7, 2, 0, 0]], written=[[5, 9, 2, 0], [7, 2, 0, 0]])
    SequenceScores(exact=0.5, symbols=0.666...)
    """
    right, guess = as_array("truth", truth), as_array("written", written)
    for name, tokens in (("truth", right), ("written", guess)):
        if tokens.dtype.kind not in "iu":
            raise TypeError(f"{name} must be token numbers, but is {tokens.dtype}")
    if right.shape != guess.shape or right.ndim != 2:
        raise ValueError(f"truth and written must be (N, T) both, but are {right.shape} and {guess.shape}")
    symbols = (right != pad) & (right != end)
    if not symbols.any():
        raise ValueError("truth holds no symbol")
    same = right == guess
    return SequenceScores(float(same.all(axis=1).mean()), float(same[symbols].mean()))
