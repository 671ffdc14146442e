"""Scores of written sequences, counted by hand."""

import numpy as np
import pytest

from seqvision.metrics import score_sequences

TRUTH = np.array([[5, 6, 2, 0], [7, 2, 0, 0], [3, 4, 5, 2]])


@pytest.mark.parametrize(
    ("written", "exact", "symbols"),
    [
        (TRUTH, 1, 1),
        ([[5, 6, 2, 0], [7, 2, 0, 0], [3, 4, 5, 9]], 2 / 3, 1),  # it goes on after the end
        ([[5, 2, 0, 0], [7, 2, 0, 0], [3, 4, 5, 2]], 2 / 3, 5 / 6),  # it ends too early
        ([[6, 5, 2, 0], [2, 0, 0, 0], [4, 5, 3, 2]], 0, 0),
    ],
)
def test_scores(written, exact, symbols):
    np.testing.assert_allclose(score_sequences(TRUTH, written=written), (exact, symbols))


def test_bad_calls():
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(3, 3\)"):
        score_sequences(TRUTH, written=TRUTH[:, :3])
    with pytest.raises(ValueError, match="truth holds no symbol"):
        score_sequences([[2, 0]], written=[[2, 0]])
