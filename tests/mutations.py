"""Damaged inputs for the fuzzers, and what may come of them: a value, or a refusal in words of our own."""

import random
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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


def value(rng: random.Random) -> Any:
    """Return anything that a user may hand in where numbers, texts or arrays are wanted."""
    kind = rng.randrange(12)
    if kind == 0:
        return rng.choice([None, True, False, "", "ab", b"ab", (), [], {}, {"a": 1}, object(), 1j, range(3), "犬\n$"])
    if kind == 1:
        return rng.choice([0, 1, 2, 3, -1, 10, 255, 2**31, 2**63, 2**64, 10**30, np.int8(3), np.uint64(2**63)])
    if kind == 2:
        return rng.choice([0.0, 0.5, 1.0, -0.5, float("nan"), float("inf"), 1e308, 5e-324, np.float32(0.3)])
    if kind == 3:
        return [value(rng) for _ in range(rng.randrange(4))]
    if kind == 4:
        return ["".join(rng.choices("ab12 +", k=rng.randrange(5))) for _ in range(rng.randrange(4))]
    return numbers(rng)


def numbers(rng: random.Random, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an array of a random type, now and then with NaN, infinities, huge and tiny numbers."""
    if shape is None:
        shape = tuple(rng.choice((0, 1, 1, 2, 3, 5)) for _ in range(rng.randrange(5)))
    draw = np.random.default_rng(rng.randrange(2**32))
    kind = rng.choice(
        ["f8", "f8", "f8", "f4", "f2", "i8", "i8", "i4", "i1", "u1", "u8", "?", "O", "U2", "c16", "M8[s]", "S2"]
    )
    array = (
        draw.normal(0, rng.choice((1, 1, 100)), shape)
        if kind[0] in "fc"
        else draw.integers(0, rng.choice((2, 3, 9)), shape)
    )
    array = np.asarray(array)
    if kind[0] == "f" and rng.random() < 0.3:
        array = np.asarray(draw.random(shape))
        array = array / np.maximum(array.sum(-1, keepdims=True), 1e-9) if array.ndim else array
    if kind[0] in "fi" and array.size and rng.random() < 0.2:
        odd = (np.nan, np.inf, -np.inf, 1e300, 5e-324, -1.0) if kind[0] == "f" else (-1, 100, -(2**62))
        array.reshape(-1)[draw.integers(array.size)] = rng.choice(odd)
    with np.errstate(all="ignore"):
        array = array.astype(kind)
    return np.ma.masked_equal(array, 1) if kind[0] in "fi" and rng.random() < 0.03 else array


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
