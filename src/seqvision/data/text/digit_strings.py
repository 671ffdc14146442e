"""Sequence pairs whose right answer is known: strings of digits reversed, sums written out, digits spelled."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from seqvision._checks import check_count
from seqvision.data.device_values import check_seed
from seqvision.data.text.vocabulary import SequencePairs, Vocabulary, decoder_arrays

_MOST = 10_000_000  # pairs

DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def reversed_digits(
    count: int = 6000, *, shortest: int = 3, longest: int = 8, test: int = 1000, seed: int = 0
) -> SequencePairs:
    """Make strings of digits and the same strings backwards, "275" -> "572".

    Lengths are drawn uniformly; no string stands twice, so that none of the test strings was trained on.

    Args:
      count: training pairs.
      shortest: digits in the shortest string.
      longest: digits in the longest.
      test: test pairs.
      seed: of the draw.

    Raises:
      ValueError: if there are not that many strings.

    >>> pairs = reversed_digits(20, longest=4, test=5)
    >>> (source, _), y = pairs.train.x, pairs.train.y
    >>> len(pairs.test), pairs.source.decode(source[:1])[0][::-1] == pairs.target.decode(y[:1])[0]
    (5, True)
    """
    shortest = check_count("shortest", shortest)
    longest = check_count("longest", longest, below=1001)
    if longest < shortest:
        raise ValueError(f"longest must be at least shortest, but is {longest} < {shortest}")
    rng = np.random.default_rng(check_seed(seed))
    lengths = range(shortest, longest + 1)
    strings = _distinct(
        count,
        test,
        available=sum(10**length for length in lengths),
        draw=lambda: "".join(map(str, rng.integers(0, 10, rng.choice(lengths)))),
    )
    return _pairs(strings, [text[::-1] for text in strings], test, Vocabulary("0123456789"))


def digit_sums(count: int = 20000, *, digits: int = 3, test: int = 1000, seed: int = 0) -> SequencePairs:
    """Make sums of two numbers written as digits, "127+5" -> "132".

    Each number has 1 to ``digits`` digits, each length as often as another. No pair of numbers stands twice, in the
    other order neither.

    Args:
      count: training pairs.
      digits: of the longest number.
      test: test pairs.
      seed: of the draw.

    Raises:
      ValueError: if there are not that many pairs of numbers.

    Source: Zaremba and Sutskever, "Learning to execute", 2014; the addition example of Keras.

    >>> pairs = digit_sums(20, digits=2, test=5)
    >>> text, total = pairs.source.decode(pairs.train.x[0][:1])[0], pairs.target.decode(pairs.train.y[:1])[0]
    >>> sum(map(int, text.split("+"))) == int(total)
    True
    """
    digits = check_count("digits", digits, below=19)  # so that numbers fit 64 bits
    rng = np.random.default_rng(check_seed(seed))

    def number() -> int:
        length = rng.integers(1, digits + 1)
        return int(rng.integers(10 ** (length - 1) if length > 1 else 0, 10**length))

    numbers = 10**digits
    sums = _distinct(
        count,
        test,
        available=numbers * (numbers + 1) // 2,
        draw=lambda: f"{number()}+{number()}",
        same=lambda text: tuple(sorted(text.split("+"))),
    )
    totals = [str(sum(map(int, text.split("+")))) for text in sums]
    return _pairs(sums, totals, test, Vocabulary("0123456789+"))


def _distinct(
    count: int,
    test: int,
    *,
    available: int,
    draw: Callable[[], str],
    same: Callable[[str], Hashable] = lambda text: text,
) -> list[str]:
    count, test = check_count("count", count), check_count("test", test)
    if count + test > _MOST:
        raise ValueError(f"count={count} and test={test} are more than {_MOST:,} pairs: ask for fewer")
    # Drawn until all differ: with more than two thirds of what there is, that takes long.
    if count + test > 2 * available // 3:
        raise ValueError(f"count={count} and test={test} ask for too many of {available} texts: make them longer")
    texts: list[str] = []
    seen: set[Hashable] = set()
    while len(texts) < count + test:
        text = draw()
        if same(text) not in seen:
            seen.add(same(text))
            texts.append(text)
    return texts


def _pairs(sources: Sequence[str], targets: Sequence[str], test: int, vocabulary: Vocabulary) -> SequencePairs:
    read, written = vocabulary.encode(sources, end=False), vocabulary.encode(targets)
    count = len(sources) - test
    return SequencePairs(
        decoder_arrays(read[:count], written[:count]),
        decoder_arrays(read[count:], written[count:]),
        vocabulary,
        vocabulary,
    )
