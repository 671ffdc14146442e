"""Losses of padded sequences against the plain losses of each sequence alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.testing import reference
from seqvision.training import exact_match, sequence_cross_entropy, token_accuracy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(4, 5, 6)).astype(np.float32)
LENGTHS = np.array([5, 3, 1, 0])
LABELS = np.where(np.arange(5)[None] < LENGTHS[:, None], RNG.integers(1, 6, (4, 5)), 0)


def test_each_sequence_is_as_if_alone():
    loss, share = sequence_cross_entropy(LOGITS, LABELS), token_accuracy(LOGITS, LABELS)
    for row, length in enumerate(LENGTHS[:3]):
        logits, labels = LOGITS[row : row + 1, :length], LABELS[row : row + 1, :length]
        np.testing.assert_allclose(loss[row], reference.cross_entropy(logits, labels)[0], rtol=1e-5)
        np.testing.assert_allclose(share[row], (logits.argmax(-1) == labels).mean(), rtol=1e-6)
    assert loss[3] == share[3] == 0


def test_nothing_comes_from_padding():
    valid = (LABELS > 0)[..., None]
    gradient = jax.grad(lambda logits: sequence_cross_entropy(logits, LABELS).sum())
    clean, dirty = gradient(jnp.asarray(LOGITS)), gradient(jnp.where(valid, LOGITS, jnp.nan))
    np.testing.assert_array_equal(clean, dirty)
    assert not np.asarray(dirty)[~valid[..., 0]].any()


@pytest.mark.parametrize("label", [-1, 6])
def test_a_label_outside_the_vocabulary_gives_nan_for_that_row_only(label):
    labels = LABELS.copy()
    labels[1, 0] = label
    np.testing.assert_array_equal(np.isnan(sequence_cross_entropy(LOGITS, labels)), [False, True, False, False])


def test_exact_match_needs_every_step_but_padding():
    right = jax.nn.one_hot(LABELS, 6) + jnp.where(LABELS[..., None] == 0, LOGITS, 0)
    np.testing.assert_array_equal(exact_match(right, LABELS), np.ones(4))
    wrong = right.at[0, 4].set(-right[0, 4]).at[1, 4].set(9 * LOGITS[1, 4])
    np.testing.assert_array_equal(exact_match(wrong, LABELS), [0, 1, 1, 1])


@pytest.mark.parametrize("function", [sequence_cross_entropy, token_accuracy, exact_match])
def test_wrong_shapes_and_types(function):
    whole = function(jnp.asarray(LOGITS), jnp.asarray(LABELS, jnp.float32))
    np.testing.assert_array_equal(whole, function(jnp.asarray(LOGITS), jnp.asarray(LABELS)))
    with pytest.raises(TypeError, match=rf"{function.__name__} takes a label for each example"):
        function(jnp.asarray(LOGITS), jnp.asarray(LOGITS))
    with pytest.raises(ValueError, match=r"got \(4, 5, 6\) and \(4, 4\)"):
        function(LOGITS, LABELS[:, :4])
    with pytest.raises(ValueError, match=r"got \(4, 6\) and \(4,\)"):
        function(LOGITS[:, 0], LABELS[:, 0])
