"""Vocabularies and strings of digits of anything: tokens, or a refusal in our words."""

import pytest

from seqvision.data import Vocabulary, decoder_arrays, digit_sums, reversed_digits
from tests.mutations import fuzz, numbers, value

LETTERS = Vocabulary("ab12 +")
DIGITS = (0, 1, 2, 3, 18, 19, 400, 10**9, 10**30, -1, 2.0, True, None, "3")


def calls(rng):
    """Return a function on texts with arguments."""
    texts = [
        "".join(rng.choices("ab12 +c", weights=[9] * 6 + [1], k=rng.randrange(5))) for _ in range(rng.randrange(4))
    ]
    tokens = [[rng.randrange(9) for _ in range(3)] for _ in range(rng.randrange(4))]
    options = {"length": rng.choice((0, 4, 9, value(rng)))} if rng.random() < 0.4 else {}
    digits = {name: rng.choice(DIGITS) for name in ("count", "test", "seed") if rng.random() < 0.4}
    lengths = {name: rng.choice(DIGITS) for name in ("shortest", "longest") if rng.random() < 0.4}
    few = {"count": 3, "test": 2}
    return rng.choice(
        [
            *[(Vocabulary, (rng.choice((texts, value(rng))),), {})] * 4,
            *[(LETTERS.encode, (rng.choice((texts, texts, value(rng))),), options | {"end": rng.random() < 0.5})] * 5,
            *[(LETTERS.decode, (rng.choice((tokens, value(rng), numbers(rng, (2, 3)))),), {})] * 5,
            *[(decoder_arrays, (rng.choice((tokens, value(rng))), rng.choice((tokens, value(rng)))), {})] * 2,
            (reversed_digits, (), few | digits | lengths),
            (digit_sums, (), few | digits | ({"digits": rng.choice(DIGITS)} if rng.random() < 0.5 else {})),
        ]
    )


def test_texts_of_anything():
    counts = fuzz(calls, lambda call: call[0](*call[1], **call[2]), 400)
    assert min(counts["read"], counts["refused"]) > 60


@pytest.mark.slow
def test_a_hundred_thousand_texts():
    fuzz(calls, lambda call: call[0](*call[1], **call[2]), 100_000, seed=1)
