"""Damaged inputs for the fuzzers, and what may come of them: a value, or a refusal in words of our own."""

import random
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src" / "seqvision"
NUMBERS = (b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff", b"\xff" * 4, b"\x7f" + b"\xff" * 3, b"\x00" * 4)
WORDS = (b"0", b"-1", b"nan", b"1e999", b"99999999999999999999", b"\n", b"\r\n", b"\xef\xbb\xbf", b"{", b'"', b"\xc3")


def mutated(rng: random.Random, content: bytes, others: Sequence[bytes] = (), most: int = 4) -> bytes:
    """Return bytes after one to ``most`` changes: signs flipped, replaced, cut, doubled, moved, or of another input."""
    work = bytearray(content)
    for _ in range(rng.randint(1, most)):
        start = rng.randint(0, len(work))
        stop = min(len(work), start + rng.choice((1, 1, 2, 4, 16, 256)))
        kind = rng.randrange(9)
        if kind == 0 and start < len(work):
            work[start] ^= 1 << rng.randrange(8)
        elif kind == 1 and start < len(work):
            work[start] = rng.randrange(256)
        elif kind == 2:
            word = rng.choice(NUMBERS)
            work[start : start + len(word)] = word
        elif kind == 3:
            work[start:start] = rng.choice(NUMBERS + WORDS)
        elif kind == 4:
            del work[start:stop]
        elif kind == 5:
            work[start:start] = work[start:stop] * rng.choice((1, 2, 30))
        elif kind == 6:
            del work[start:]
        elif kind == 7 and others:
            other = rng.choice(others)
            place = rng.randint(0, len(other))
            work[start:stop] = other[place : place + rng.choice((1, 8, 64))]
        elif kind == 8 and rng.random() < 0.1:
            work = bytearray(rng.randbytes(rng.randrange(64)))
    return bytes(work)


def refused_by_us(error: BaseException, kinds: tuple[type[BaseException], ...] = (ValueError, TypeError)) -> bool:
    """Whether an error is of a kind that may be and was raised by a line of the library, with a text."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return isinstance(error, kinds) and Path(last.filename).is_relative_to(SOURCE) and bool(str(error).strip())


def fuzz(
    make: Callable[[random.Random], Any],
    read: Callable[[Any], Any],
    count: int,
    *,
    seed: int = 0,
    named: Callable[[Any], str] = lambda made: "",
    kinds: tuple[type[BaseException], ...] = (ValueError, TypeError),
) -> Counter[str]:
    """Make ``count`` inputs and read each; count what was read, refused, and foreign, and show the foreign ones.

    Args:
      make: (rng) -> an input; input i depends on the seed and i alone.
      read: what is tested.
      count: how many inputs.
      seed: of them all.
      named: input -> what a refusal of it must mention, such as the name of its file.
      kinds: the errors that may be.
    """
    counts: Counter[str] = Counter(read=0, refused=0, foreign=0)
    examples: dict[str, str] = {}
    for number in range(count):
        made = make(random.Random(f"{seed} {number}"))
        try:
            read(made)
        except Exception as error:
            good = refused_by_us(error, kinds) and named(made) in str(error)
            counts["refused" if good else "foreign"] += 1
            if not good:
                last = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
                counts[place] += 1
                examples.setdefault(place, f"{place}, input {number}: {str(error)[:200]} of {made!r:.200}")
        else:
            counts["read"] += 1
    print(dict(counts))
    assert not counts["foreign"], f"{counts}\n" + "\n".join(examples.values())
    return counts
