"""Vocabularies, and the sequence pairs with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import DIGIT_NAMES, Vocabulary, decoder_arrays, digit_sums, reversed_digits

LETTERS = Vocabulary("abcde")


@given(st.lists(st.text("abcde", max_size=6), max_size=5), st.booleans())
def test_texts_come_back(texts, end):
    tokens = LETTERS.encode(texts, length=9, end=end)
    assert tokens.shape == (len(texts), 9)
    assert tokens.dtype == np.int32
    assert LETTERS.decode(tokens) == texts


def test_words_are_symbols_too():
    words = Vocabulary(("red", "blue"))
    assert len(words) == 5
    assert words.encode([["blue", "red"], []]).tolist() == [[4, 3, 2], [2, 0, 0]]
    assert words.decode([[4, 3, 2]]) == ["bluered"]
    assert words == Vocabulary(["red", "blue"])
    assert hash(words) == hash(Vocabulary(["red", "blue"]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Vocabulary("aba"), r"\['a'\] do not"),
        (lambda: LETTERS.encode(["ab", "ax"]), "text 1 has 'x', which is not among the 5"),
        (lambda: LETTERS.encode(["abc"], length=3), "needs 4 tokens, but length is 3"),
        (lambda: LETTERS.decode([[3, 8]]), r"tokens must lie in 0..7, but reach from 3 to 8"),
        (lambda: decoder_arrays(np.zeros((2, 1)), [[1.0], [2.0]]), "targets must be token numbers"),
        (lambda: decoder_arrays(np.zeros((2, 1)), [1, 2]), r"of shape \(2,\)"),
        (lambda: reversed_digits(10, longest=2, test=5), "longest must be at least shortest, but is 2 < 3"),
        (lambda: reversed_digits(60, shortest=1, longest=1, test=5), "too many of 10 texts"),
        (lambda: digit_sums(60, digits=1, test=5), "too many of 55 texts"),
        (lambda: digit_sums(0), "count must be an int >= 1, got 0"),
        (lambda: LETTERS.encode(["ab"], length=2.5), r"length must be an int >= 0, got 2\.5"),
        (lambda: LETTERS.encode(["ab"], length=2**40), "more than 2,147,483,648 tokens"),
        (lambda: LETTERS.decode([[3, 4], [3]]), "tokens is no array: its rows differ in length"),
        (lambda: LETTERS.decode([3, 4]), r"tokens must be token numbers \(N, T\), but are int64 of shape \(2,\)"),
        (lambda: LETTERS.decode([[3.0, 4.0]]), "tokens must be token numbers .* float64"),
        (lambda: LETTERS.decode([["a"]]), "tokens must be token numbers"),
        (lambda: decoder_arrays(np.zeros((2, 1)), np.zeros((2, 0), int)), "must have the end token at least"),
        (lambda: digit_sums(10, digits=19, test=5), "digits must be an int >= 1 and < 19, got 19"),
        (lambda: reversed_digits(10, longest=10**9, test=5), "longest must be an int >= 1 and < 1001"),
        (lambda: reversed_digits(10**9, longest=30, test=5), "more than 10,000,000 pairs"),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LETTERS.encode("abc"), r"texts must be several texts, got one: write \['abc'\]"),
        (lambda: LETTERS.encode(None), "texts must be a sequence, got NoneType"),
        (lambda: LETTERS.encode([3]), "text 0 must be a sequence, got int"),
        (lambda: LETTERS.encode(["a", [["b"]]]), r"text 1 must hold strings that are not empty, but at 0 is \['b'\]"),
        (lambda: Vocabulary(7), "symbols must be a sequence, got int"),
        (lambda: Vocabulary([["a"], "b"]), r"symbols must hold strings that are not empty, but at 0 is \['a'\]"),
        (lambda: Vocabulary(["a", ""]), "but at 1 is ''"),
        (lambda: Vocabulary([1, 2]), "but at 0 is 1"),
    ],
)
def test_what_is_no_text_is_said(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_texts_come_in_any_sequence():
    assert LETTERS.encode(iter(["ab", ("c",)])).tolist() == [[3, 4, 2], [5, 2, 0]]
    assert LETTERS.encode(np.array(["ab", "c"])).tolist() == [[3, 4, 2], [5, 2, 0]]
    assert LETTERS.encode([]).shape == (0, 1)
    assert LETTERS.decode([]) == LETTERS.decode(np.zeros((0, 3), int)) == []


def texts(part, pairs):
    source, tokens_in = part.x
    labels = np.asarray(part.y)
    np.testing.assert_array_equal(np.asarray(tokens_in)[:, 1:], labels[:, :-1])
    assert (np.asarray(tokens_in)[:, 0] == 1).all()
    assert ((labels == 2).sum(1) == 1).all()
    return pairs.source.decode(source), pairs.target.decode(labels)


def test_reversed_digits():
    pairs = reversed_digits(300, shortest=2, longest=5, test=50, seed=3)
    parts = [texts(part, pairs) for part in (pairs.train, pairs.test)]
    assert [len(sources) for sources, _ in parts] == [300, 50]
    sources = parts[0][0] + parts[1][0]
    assert len(set(sources)) == 350
    assert {len(source) for source in sources} == {2, 3, 4, 5}
    assert all(
        target == source[::-1] for sources, targets in parts for source, target in zip(sources, targets, strict=True)
    )
    again = reversed_digits(300, shortest=2, longest=5, test=50, seed=3)
    np.testing.assert_array_equal(again.train.y, pairs.train.y)
    assert (np.asarray(reversed_digits(300, shortest=2, longest=5, test=50, seed=4).train.y) != again.train.y).any()


def test_digit_sums_share_no_pair_of_numbers_in_either_order():
    pairs = digit_sums(1500, digits=2, test=300)
    parts = [texts(part, pairs) for part in (pairs.train, pairs.test)]
    numbers = [[tuple(map(int, source.split("+"))) for source in sources] for sources, _ in parts]
    assert not {tuple(sorted(pair)) for pair in numbers[0]} & {tuple(sorted(pair)) for pair in numbers[1]}
    assert len({tuple(sorted(pair)) for pair in numbers[0] + numbers[1]}) == 1800
    for pair, (_, targets) in zip(numbers, parts, strict=True):
        assert [a + b for a, b in pair] == list(map(int, targets))
    assert {len(str(a)) for a, _ in numbers[0]} == {1, 2}
    assert all(str(int(text)) == text for source in parts[0][0] for text in source.split("+"))  # no leading zero


def test_digits_have_names():
    assert len(DIGIT_NAMES) == 10
    assert Vocabulary(sorted(set("".join(DIGIT_NAMES)))).encode(DIGIT_NAMES).shape == (10, 6)
