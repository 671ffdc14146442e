import json
import random

import pytest

from seqvision._checks import check_count
from tests.mutations import fuzz, mutated


def test_inputs_depend_on_the_seed_alone():
    made = [[mutated(random.Random(f"{seed} {n}"), b"some content", (b"other",)) for n in range(200)] for seed in "112"]
    assert made[0] == made[1] != made[2]
    assert len(set(made[0])) > 150


def test_refusals_of_ours_are_told_from_foreign_ones():
    def integer(rng):
        return rng.choice([-1, 1])

    counts = fuzz(integer, lambda value: check_count("epochs", value), 50, named=lambda value: "epochs")
    assert counts["read"] + counts["refused"] == 50
    assert min(counts["read"], counts["refused"]) > 0
    for read, named in [
        (lambda value: json.loads("{"), lambda value: ""),
        (lambda value: {}[value], lambda value: ""),
        (lambda value: check_count("epochs", -1), lambda value: "file"),
    ]:
        with pytest.raises(AssertionError, match="'foreign': 50"):
            fuzz(integer, read, 50, named=named)
