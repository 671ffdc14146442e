"""Losses against the float64 references, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision.testing import reference
from seqvision.training import losses

RNG = np.random.default_rng(0)
CLOSE = {"rtol": 1e-5, "atol": 1e-6}  # float32 beside logits of about 10


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3, 2)])
def test_regression_losses_equal_the_reference(name, shape):
    outputs, targets = RNG.normal(size=(2, *shape)) * 2
    np.testing.assert_allclose(
        losses.LOSSES[name](jnp.float32(outputs), jnp.float32(targets)),
        getattr(reference, name)(outputs, targets),
        **CLOSE,
    )


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
@pytest.mark.parametrize("dtype", [int, bool, float])
def test_binary_cross_entropy_equals_the_reference(shape, dtype):
    logits, targets = RNG.normal(size=shape) * 3, RNG.integers(0, 2, shape)
    np.testing.assert_allclose(
        losses.binary_cross_entropy(jnp.float32(logits), jnp.asarray(targets.astype(dtype))),
        reference.binary_cross_entropy(logits, targets),
        **CLOSE,
    )


@pytest.mark.parametrize("lead", [(5,), (5, 3)])
def test_cross_entropies_equal_the_reference(lead):
    logits, labels = RNG.normal(size=(*lead, 4)) * 3, RNG.integers(0, 4, lead)
    expected = reference.cross_entropy(logits, labels)
    np.testing.assert_allclose(losses.cross_entropy(jnp.float32(logits), jnp.asarray(labels)), expected, **CLOSE)
    one_hot = jax.nn.one_hot(labels, 4)
    np.testing.assert_allclose(losses.categorical_cross_entropy(jnp.float32(logits), one_hot), expected, **CLOSE)


def test_large_logits_stay_finite():
    logits = jnp.array([[1e4, -1e4]])
    assert losses.cross_entropy(logits, jnp.array([1])).tolist() == [2e4]
    assert losses.binary_cross_entropy(jnp.array([-1e4]), jnp.array([1.0])).tolist() == [1e4]


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_classes_gives_nan_for_that_row_only(label):
    loss = losses.cross_entropy(jnp.zeros((2, 3)), jnp.array([label, 0]))
    assert np.isnan(loss[0])
    assert np.isfinite(loss[1])


def test_accuracy_of_classes_one_hot_and_binary():
    logits = jnp.array([[0.1, 2.0], [1.0, 0.0], [0.0, 1.0]])
    assert losses.is_correct(logits, jnp.array([1, 1, 1])).tolist() == [1, 0, 1]
    assert losses.is_correct(logits, jax.nn.one_hot(jnp.array([1, 1, 1]), 2)).tolist() == [1, 0, 1]
    assert losses.is_correct(jnp.array([[0.3], [-2.0]]), jnp.array([[1], [1]])).tolist() == [1, 0]
    assert losses.is_correct(jnp.array([0.3, -2.0]), jnp.array([1, 0])).tolist() == [1, 1]


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary_cross_entropy", "categorical_cross_entropy"])
def test_a_column_against_a_vector_is_refused(name):
    with pytest.raises(ValueError, match=rf"{name}: outputs \(4, 1\) and targets \(4,\) must have the same shape"):
        losses.LOSSES[name](jnp.zeros((4, 1)), jnp.zeros(4))


def test_cross_entropy_refuses_one_hot_and_wrong_shapes():
    with pytest.raises(TypeError, match="categorical_cross_entropy for one-hot"):
        losses.cross_entropy(jnp.zeros((4, 3)), jnp.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"got \(4, 3\) and \(4, 1\)"):
        losses.cross_entropy(jnp.zeros((4, 3)), jnp.zeros((4, 1), int))


def test_a_loss_must_give_one_value_an_example():
    from seqvision.data import Batch
    from seqvision.training import make_eval_step

    class State:
        batch_stats = None
        params: dict = {}  # noqa: RUF012

        @staticmethod
        def apply_fn(variables, x):
            return x

    with pytest.raises(ValueError, match=r"loss must give one value an example, \(4,\), got shape \(\)"):
        make_eval_step(lambda outputs, targets: jnp.mean(outputs))(State(), Batch(jnp.zeros((4, 1)), jnp.zeros((4, 1))))


def test_metrics_refuse_one_string_and_the_name_of_the_loss():
    with pytest.raises(TypeError, match=r"pass \{'mae'\}"):
        losses.resolve_metrics("mae")
    with pytest.raises(ValueError, match="taken by the loss"):
        losses.resolve_metrics({"loss": "mae"})
