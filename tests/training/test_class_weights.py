import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from seqvision.data import Arrays
from seqvision.training import WeightedCrossEntropy, balanced_weights, cross_entropy, fit

LABELS = np.array([0] * 12 + [1] * 3 + [2] * 5)


def test_weights_are_those_of_scikit_learn():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(balanced_weights(LABELS, 3), expected)
    np.testing.assert_allclose(balanced_weights(LABELS, 5), [*expected, 1, 1])  # classes without rows
    assert np.mean(expected[LABELS]) == pytest.approx(1)
    for labels in ([0, -1], [0, 3], [], [0.5]):
        with pytest.raises(ValueError, match=r"labels must be integers in 0\.\.2"):
            balanced_weights(labels, 3)


def test_the_loss_is_torchs_for_each_example():
    logits = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    weights = balanced_weights(LABELS, 3)
    loss = torch.nn.CrossEntropyLoss(torch.tensor(weights, dtype=torch.float32), reduction="none")
    expected = loss(torch.tensor(logits), torch.tensor(LABELS)).numpy()
    np.testing.assert_allclose(WeightedCrossEntropy(weights)(logits, jnp.asarray(LABELS)), expected, rtol=1e-5)
    even = WeightedCrossEntropy((1.0, 1.0, 1.0))
    np.testing.assert_allclose(even(logits, jnp.asarray(LABELS)), cross_entropy(logits, jnp.asarray(LABELS)), rtol=1e-6)
    soft = torch.nn.CrossEntropyLoss(torch.tensor(weights, dtype=torch.float32), reduction="none", label_smoothing=0.1)
    smooth = WeightedCrossEntropy(weights, 0.1)
    np.testing.assert_allclose(
        smooth(logits, jnp.asarray(LABELS)), soft(torch.tensor(logits), torch.tensor(LABELS)), rtol=1e-5
    )
    shares = np.random.default_rng(1).dirichlet(np.ones(3), 20).astype(np.float32)
    expected = soft(torch.tensor(logits), torch.tensor(shares)).numpy()
    np.testing.assert_allclose(smooth(logits, jnp.asarray(shares)), expected, rtol=1e-5)
    expected = loss(torch.tensor(logits), torch.tensor(LABELS)).numpy()
    steps = WeightedCrossEntropy(weights)(logits.reshape(5, 4, 3), jnp.asarray(LABELS.reshape(5, 4)))
    np.testing.assert_allclose(steps, expected.reshape(5, 4).mean(axis=1), rtol=1e-5)
    assert np.isnan(even(logits[:1], jnp.array([3]))).all()


def test_equal_weights_are_one_loss_and_wrong_ones_are_refused():
    assert WeightedCrossEntropy((1.0, 2.0)) == WeightedCrossEntropy((1.0, 2.0))
    assert len({WeightedCrossEntropy((1.0, 2.0)), WeightedCrossEntropy((1.0, 2.0))}) == 1
    for weights, says in [((1.0,), "at least two"), ([1.0, 2.0], "must be a tuple"), ((1.0, -1.0), r"weights\[1\]")]:
        with pytest.raises(ValueError, match=says):
            WeightedCrossEntropy(weights)
    with pytest.raises(ValueError, match="2 weights for logits of 3 classes"):
        WeightedCrossEntropy((1.0, 2.0))(jnp.zeros((1, 3)), jnp.array([0]))


def test_without_inputs_training_ends_at_even_probabilities():
    """A constant input can only be answered by one distribution: the shares of the classes, or, balanced, even ones."""
    import flax.linen as nn
    import jax

    data = Arrays(np.ones((20, 1), np.float32), LABELS)
    options = {
        "optimizer": optax.adam(0.2),
        "epochs": 200,
        "batch_size": 20,
        "key": jax.random.key(0),
        "progress": False,
    }
    for loss, shares in [
        (WeightedCrossEntropy(balanced_weights(LABELS, 3)), [1 / 3] * 3),
        (cross_entropy, [0.6, 0.15, 0.25]),
    ]:
        state = fit(nn.Dense(3), data, loss=loss, **options).state
        logits = state.apply_fn({"params": state.params}, np.ones((1, 1), np.float32))
        np.testing.assert_allclose(jax.nn.softmax(logits)[0], shares, atol=2e-3)
